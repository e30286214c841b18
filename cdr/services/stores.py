"""The folder that holds received files, and whether it is the one that a file was put into.

Workers on several machines share it. One whose folder is another, as where the shared one is not
mounted, finds no text there: that is a fault of its machine, and no reason to give the file up for
all others. Each folder has a mark in it, which received files remember.
"""

import logging
import os
import uuid
from pathlib import Path

from django.conf import settings

from cdr.models import XdrFile

MARK = ".store"
_log = logging.getLogger(__name__)


def folder() -> Path:
    """Where this machine looks for received files."""
    return Path(settings.XDR_FILES_DIR)


def text_path(file: XdrFile) -> Path:
    """Where the text of a received file is, if this machine has the folder it was put into."""
    return folder() / file.stored_name


def prepare() -> str:
    """The mark of this machine's folder, which is made and marked where it is new.

    Of several who mark it at once one succeeds, and all of them read the same.
    """
    folder().mkdir(parents=True, exist_ok=True)
    if not _mark():
        draft = folder() / f"{MARK}-{uuid.uuid4().hex}"
        draft.write_text(uuid.uuid4().hex)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        try:
            os.link(draft, folder() / MARK)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _mark()


def sync() -> None:
    """Have names that are new in the folder safe on disk."""
    handle = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def note_unreadable(file: XdrFile, error: OSError) -> None:
    """Fail a file whose text is gone; leave it to other workers where only this one has it not.

    It is gone if the folder it was put into is here and the text is not in it. Otherwise the file
    says what it waits for, and the sweep asks again: whoever has the folder rates it.
    """
    if isinstance(error, FileNotFoundError) and file.store and file.store == _mark():
        file.mark_failed(f"the stored file cannot be read: {error.strerror}")
        return
    _log.error(
        "File %s is kept in a folder that this machine cannot read: is %s the one all share? (%s)",
        file.pk,
        folder(),
        error,
    )
    file.note_waiting("A worker could not reach the stored file: it waits for one that can.")


def _mark() -> str:
    """Empty where the folder has none, or is not there."""
    try:
        return (folder() / MARK).read_text()
    except OSError:
        return ""
