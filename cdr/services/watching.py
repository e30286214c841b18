"""Taking in files that switches put into a folder: each once, and none before it is complete.

The folder of a source is XDR_WATCH_DIR/<provider>/<source>, short names both. Whoever puts a file
there does best to write it under a name that starts with a dot and rename it. A file is complete
when nothing was written to it for SETTLE; it then moves on by renaming alone:

    FILE → taken/TOKEN/FILE → done/FILE, or refused/FILE with FILE.reason.txt beside it

The token is the name that the file is stored under, so that a pass that was killed anywhere is
finished by the next one: what lies in `taken` was received if the database knows its token. Files
are left in `done` and `refused` for people to clear.
"""

import fcntl
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from cdr.models import Source, XdrFile
from cdr.services.intake import receive_file
from common.errors import DomainError

SETTLE = timedelta(seconds=10)
UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload")
"""Endings that programs give to what they have not written to the end."""

_TAKEN, _DONE, _REFUSED = "taken", "done", "refused"
_REASON = ".reason.txt"
_NAME_CHARACTERS = 255
_NAME_BYTES = 255
"""Of a file's name, on every disk there is."""
_LONGEST_SUFFIX = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file that was taken out of a folder: received, or refused with a reason."""

    name: str
    file: XdrFile | None
    reason: str = ""


def watched_folder(source: Source) -> Path:
    """Where the files of a source are put."""
    return Path(settings.XDR_WATCH_DIR) / source.provider.slug / source.slug


def take_files(*, source: Source, at: datetime) -> list[TakenFile]:
    """Receive the complete files in the source's folder, which is made where there is none.

    One pass at a time takes files of a folder: while another is at work there, and of a disabled
    source, none are taken. What cannot be read from the disk now stays for the next pass.
    """
    folder = watched_folder(source)
    for name in (_TAKEN, _DONE, _REFUSED):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if not source.is_enabled:
        return []
    with _held(folder) as is_held:
        claims = [*_left_behind(folder), *_new_claims(folder, at)] if is_held else []
        return [taken for claim in claims if (taken := _take(claim, folder, source, at))]


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether no other process takes files of this folder; one that is killed lets go of it."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _left_behind(folder: Path) -> Iterator[Path]:
    """Files that a killed pass had taken."""
    for claim in sorted((folder / _TAKEN).iterdir()):
        files = list(claim.iterdir())
        yield from files
        if not files:
            claim.rmdir()


def _new_claims(folder: Path, at: datetime) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not _is_complete(path, at):
            continue
        claim = folder / _TAKEN / uuid.uuid4().hex
        claim.mkdir()
        yield path.rename(claim / path.name)


def _is_complete(path: Path, at: datetime) -> bool:
    if path.name.startswith(".") or path.name.lower().endswith(UNFINISHED):
        return False
    if path.is_symlink() or not path.is_file():
        return False
    status = path.stat()
    # Copying keeps the time of the last change, but no program can set that of the name's.
    touched = max(status.st_mtime, status.st_ctime)
    return at.timestamp() - touched >= SETTLE.total_seconds()


def _take(path: Path, folder: Path, source: Source, at: datetime) -> TakenFile | None:
    stored_name = f"{path.parent.name}.xdr"
    name = _shown(path)
    try:
        file = XdrFile.objects.filter(
            provider_id=source.provider_id, stored_name=stored_name
        ).first() or _receive(path, source, stored_name, at)
    except DomainError as refusal:
        target = _free_place(folder / _REFUSED, path)
        _reason_beside(target).write_text(f"{refusal}\n")
        _put_away(path, target)
        return TakenFile(name, None, str(refusal))
    except OSError:
        logger.exception("%s cannot be taken in now", path)
        return None
    _put_away(path, _free_place(folder / _DONE, path))
    return TakenFile(name, file)


def _receive(path: Path, source: Source, stored_name: str, at: datetime) -> XdrFile:
    with path.open("rb") as content:
        return receive_file(
            content=content,
            name=_shown(path),
            source=source,
            at=at,
            actor_id=None,
            stored_name=stored_name,
        )


def _shown(path: Path) -> str:
    """The file's name as text, whatever its bytes are."""
    return os.fsencode(path.name).decode(errors="replace")[:_NAME_CHARACTERS]


def _free_place(folder: Path, path: Path) -> Path:
    """Its name, or, where a file of that name was before, the name with a part of its token."""
    place = folder / path.name
    if not place.exists():
        return place
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_SUFFIX else ""
    ending = f".{path.parent.name[:8]}{suffix}"
    return folder / _with_ending(path.name.removesuffix(suffix), ending)


def _reason_beside(target: Path) -> Path:
    return target.with_name(_with_ending(target.name, _REASON))


def _with_ending(name: str, ending: str) -> str:
    """The name with the ending, cut short in between where no name may be as long."""
    room = _NAME_BYTES - len(os.fsencode(ending))
    return os.fsdecode(os.fsencode(name)[:room]) + ending


def _put_away(path: Path, target: Path) -> None:
    path.rename(target)
    path.parent.rmdir()
