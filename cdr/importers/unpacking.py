"""The text of a file as it was received: plain, gzip, or a zip archive of one file.

What compresses far better than any usage does, or is more than is accepted, is refused while it is
unpacked: nothing that was sent to fill the disk does.
"""

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import IO, BinaryIO, cast

from cdr.importers.chunks import FileTooLarge, FileUnreadable
from cdr.importers.fingerprints import Fingerprint
from common.errors import DomainError

BYTES_AT_ONCE = 1 << 20
MOST_EXPANSION = 200
"""How many bytes of text a byte may hold: usage of one switch holds 5 to 50."""
_EXPANSION_SEEN_FROM = 64 << 20
"""Little text may be compressed as well as it likes."""
_MAGIC = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip"}
_LONGEST_MAGIC = 4
_DAMAGES = (
    EOFError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    UnicodeDecodeError,
)
# The other ways unpack a block whole, however much it holds.
_ZIP_WAYS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END_OF_DIRECTORY = b"PK\x05\x06"
_ZIP64_LOCATOR = b"PK\x06\x07"
_LOCATOR_BYTES = 20
_MOST_COMMENT = 1 << 16
_MOST_DIRECTORY = 1 << 16


class FileExpandsTooMuch(DomainError):
    """A compressed file holds far more text than its size lets expect of usage."""


class ArchiveRefused(DomainError):
    """A zip archive that does not hold exactly one readable file."""


def copy_text(received: Fingerprint, target: IO[bytes], *, name: str, max_bytes: int) -> int:
    """Write the text that a file holds, all of which was read by then; returns its bytes.

    :raises FileTooLarge: more text than `max_bytes`.
    :raises FileExpandsTooMuch: more than MOST_EXPANSION times what was received.
    :raises ArchiveRefused: a zip archive of no file, of several, or of one that is encrypted or
        packed in an unusual way; or any where `received` cannot be read from its start again.
    :raises FileUnreadable: damaged, cut off, or compressed twice.
    """
    size = 0
    stream = BufferedReader(received, BYTES_AT_ONCE)
    try:
        with _opened(stream, received, name) as text:
            while part := text.read(BYTES_AT_ONCE):
                if not size and _compression(part) is not None:
                    raise FileUnreadable(f"{name} is compressed twice: unpack it once.")
                size += target.write(part)
                _check_size(size, received.size_bytes, name, max_bytes)
    except _DAMAGES as error:
        raise FileUnreadable(
            f"{name}: it cannot be unpacked any further after {size} bytes of text: {error}."
            " Send the whole file again."
        ) from error
    return size


def _check_size(size: int, received: int, name: str, max_bytes: int) -> None:
    if size > max_bytes:
        raise FileTooLarge(
            f"{name} holds more than {max_bytes} bytes of text: split it, or raise XDR_FILE_BYTES."
        )
    if size > _EXPANSION_SEEN_FROM and size > MOST_EXPANSION * received:
        raise FileExpandsTooMuch(
            f"{name} holds more than {MOST_EXPANSION} bytes of text for each byte received, which"
            " no usage does: nothing was imported. If the switch did write it, send it unpacked."
        )


def _compression(start: bytes) -> str | None:
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


@contextmanager
def _opened(
    stream: "BufferedReader[Fingerprint]", received: Fingerprint, name: str
) -> Iterator[BinaryIO]:
    match _compression(stream.peek(_LONGEST_MAGIC)):
        case "gzip":
            yield cast(BinaryIO, gzip.GzipFile(fileobj=stream))
        case "zip":
            if not received.content.seekable():
                raise ArchiveRefused(f"{name} is a zip archive: send it plain, or as gzip.")
            # An archive's directory is at its end: all of it goes by first, to be hashed.
            while stream.read(BYTES_AT_ONCE):
                pass
            received.content.seek(0)
            with _member(received.content, received.size_bytes, name) as member:
                yield member
        case _:
            yield stream


@contextmanager
def _member(content: BinaryIO, size: int, name: str) -> Iterator[BinaryIO]:
    _refuse_large_directory(content, size, name)
    with zipfile.ZipFile(content) as archive:
        members = [
            member
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise ArchiveRefused(
                f"{name} holds {len(members)} files: send an archive of exactly one, or gzip."
            )
        if members[0].flag_bits & 1:
            raise ArchiveRefused(f"{name} is encrypted: send it without a password.")
        if members[0].compress_type not in _ZIP_WAYS:
            raise ArchiveRefused(f"{name} is packed in an unusual way: use deflate, or gzip.")
        with archive.open(members[0]) as member:
            yield cast(BinaryIO, member)


def _refuse_large_directory(content: BinaryIO, size: int, name: str) -> None:
    """An archive's list of files is read into memory at once: it must be short."""
    content.seek(max(size - _MOST_COMMENT - _LOCATOR_BYTES - 2, 0))
    tail = content.read()
    end = tail.rfind(_END_OF_DIRECTORY)
    if end < 0 or len(tail) < end + 16:
        raise FileUnreadable(f"{name} is cut off: send the whole file again.")
    (directory_bytes,) = struct.unpack_from("<I", tail, end + 12)
    is_zip64 = tail[max(end - _LOCATOR_BYTES, 0) : end].startswith(_ZIP64_LOCATOR)
    if is_zip64 or directory_bytes > _MOST_DIRECTORY:
        raise ArchiveRefused(f"{name} lists too many files, or too large ones: send gzip instead.")
    content.seek(0)
