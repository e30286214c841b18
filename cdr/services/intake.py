"""Receiving files of xDRs: stored, fingerprinted and queued; the same bytes never twice."""

import gzip
import hashlib
import os
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, BinaryIO, cast

from django.conf import settings
from django.db import IntegrityError, transaction

from audit.services import record
from cdr.importers.chunks import FileTooLarge, FileUnreadable
from cdr.models import Source, XdrFile
from common.errors import DomainError
from common.jobs import enqueue

_BYTES_AT_ONCE = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


class SourceDisabled(DomainError):
    """The source was switched off: it takes no files any more."""


class XdrFileKnown(DomainError):
    """The provider has received the very same bytes before."""


class XdrFileEmpty(DomainError):
    """The file holds nothing."""


@dataclass(frozen=True, slots=True)
class _Stored:
    path: Path
    sha256: str
    size_bytes: int


def receive_file(
    *, content: BinaryIO, name: str, source: Source, at: datetime, actor_id: int | None
) -> XdrFile:
    """Keep a file of xDRs, plain or gzip, and have it rated in the background.

    It is stored as text, safe on disk before it is known to the database, so that a received file
    is never lost. The fingerprint and size are those of the bytes as received.

    :raises SourceDisabled: the source takes no files any more.
    :raises XdrFileKnown: the provider received the same bytes before, or at the same time.
    :raises XdrFileEmpty: no bytes, or compressed from none.
    :raises FileTooLarge: more text than settings.XDR_FILE_BYTES.
    :raises FileUnreadable: a gzip stream that is damaged or cut off.
    """
    if not Source.objects.filter(pk=source.pk, is_enabled=True).exists():
        raise SourceDisabled(f"{source} is disabled; enable it, or choose another source.")
    with (
        _stored(content, name) as stored,
        _refusing_known(name, source, stored.sha256),
        transaction.atomic(),
    ):
        file = XdrFile.objects.create(
            provider_id=source.provider_id,
            source=source,
            name=name,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            stored_name=stored.path.name,
            received_at=at,
            received_by_id=actor_id,
        )
        record(
            provider_id=source.provider_id,
            action="xdr_file.received",
            changed=file,
            at=at,
            actor_id=actor_id,
            after={"name": name, "sha256": stored.sha256, "source": source.slug},
        )
        enqueue("cdr.split_file", file_id=file.pk)
    return file


@contextmanager
def _refusing_known(name: str, source: Source, sha256: str) -> Iterator[None]:
    same = XdrFile.objects.filter(provider_id=source.provider_id, sha256=sha256)
    try:
        _refuse_known(name, same.first())
        yield
    except IntegrityError:
        # Received twice at the same time: the unique constraint let the other one pass.
        _refuse_known(name, same.first())
        raise


def _refuse_known(name: str, known: XdrFile | None) -> None:
    if known is not None:
        raise XdrFileKnown(
            f"{name} was received before, as file {known.pk} ({known.name}) on"
            f" {known.received_at:%Y-%m-%d %H:%M} UTC: nothing was imported."
        )


@contextmanager
def _stored(content: BinaryIO, name: str) -> Iterator[_Stored]:
    """The file in the store; taken away again if the block fails."""
    folder = Path(settings.XDR_FILES_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.xdr"
    try:
        with path.open("xb") as target:
            received = _Fingerprint(content)
            _copy_text(received, target, name)
            target.flush()
            os.fsync(target.fileno())
        _sync_folder(folder)
        yield _Stored(path, received.hexdigest(), received.size_bytes)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class _Fingerprint(RawIOBase):
    """Passes a stream on, counting and hashing what goes by."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        chunk = self._content.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        return len(chunk)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _copy_text(received: _Fingerprint, target: IO[bytes], name: str) -> None:
    stream = BufferedReader(received, _BYTES_AT_ONCE)
    compressed = stream.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
    text = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if compressed else stream
    size = 0
    try:
        while part := text.read(_BYTES_AT_ONCE):
            if not size and part.startswith(_GZIP_MAGIC):
                raise FileUnreadable(f"{name} is compressed twice: unpack it once.")
            size += target.write(part)
            if size > settings.XDR_FILE_BYTES:
                raise FileTooLarge(
                    f"{name} holds more than {settings.XDR_FILE_BYTES} bytes of text: split it,"
                    " or raise XDR_FILE_BYTES."
                )
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileUnreadable(
            f"{name}: the gzip stream cannot be read on after {size} bytes of text: {error}."
            " Send the whole file again."
        ) from error
    if not size:
        raise XdrFileEmpty(f"{name} is empty: nothing was imported.")


def _sync_folder(folder: Path) -> None:
    """A new name is only safe once its folder is written too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
