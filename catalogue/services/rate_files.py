"""The store of rate files: as they were received, beside the files of xDRs."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from catalogue.importers.refusals import RateFileUnreadable
from catalogue.models import RateImport

_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the store; size and fingerprint are those of its bytes."""

    path: Path
    sha256: str
    size_bytes: int


def path_of(rate_import: RateImport) -> Path:
    """Where the file of an import is kept."""
    return Path(settings.RATE_FILES_DIR) / rate_import.stored_name


@contextmanager
def stored(content: BinaryIO) -> Iterator[StoredFile]:
    """The content in the store, safe on disk; taken away again if the block fails.

    :raises RateFileUnreadable: it is empty, or larger than settings.RATE_FILE_BYTES.
    """
    folder = Path(settings.RATE_FILES_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.rates"
    fingerprint, size = hashlib.sha256(), 0
    try:
        with path.open("xb") as target:
            while part := content.read(_BYTES_AT_ONCE):
                size += target.write(part)
                fingerprint.update(part)
                _refuse_large(size)
            target.flush()
            os.fsync(target.fileno())
        if not size:
            raise RateFileUnreadable("The file is empty.")
        yield StoredFile(path, fingerprint.hexdigest(), size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _refuse_large(size: int) -> None:
    if size > settings.RATE_FILE_BYTES:
        raise RateFileUnreadable(
            f"The file has more than {settings.RATE_FILE_BYTES:,} bytes: split it by destination."
        )
