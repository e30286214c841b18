"""Usage files as chunks of complete lines, and the lines of a chunk as a frame.

A newline always ends a record: switches write one line per call and no field holds a newline, so
that a file can be cut anywhere between lines and one unbalanced quote spoils one record only.
"""

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import polars as pl

from common.errors import DomainError

LINES_PER_CHUNK = 50_000
# A chunk of unusually long lines ends early, so that a worker's memory stays bounded.
CHUNK_BYTES = 32 * 1024**2
# A FreeSWITCH call in JSON takes up to some 20 KB.
MAX_LINE_BYTES = 64 * 1024
_BLOCK_BYTES = 4 * 1024**2
_LINE_END = ord("\n")
_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOO_LONG = f"the line is longer than {MAX_LINE_BYTES} bytes; its beginning is kept"
_INVALID = "the line is not valid UTF-8"
_WITH_NUL = "the line holds NUL bytes"
_REJECTED_SCHEMA = {"line_number": pl.Int64, "raw": pl.String, "reason": pl.String}


class FileUnreadable(DomainError):
    """A compressed usage file is damaged or cut off; the message says where."""


class FileTooLarge(DomainError):
    """A usage file holds more bytes of text than are accepted."""


@dataclass(frozen=True)
class FileChunk:
    """Complete lines of one file: `content` starts at line `first_line`, byte `offset` of the text.

    Lines count from 1. `offset` counts uncompressed bytes, also for a gzip file.
    """

    first_line: int
    offset: int
    content: bytes


@dataclass(frozen=True)
class ParsedChunk:
    """What a chunk held: each of its lines is a record, rejected, or one of the empty ones.

    `records` has the columns of `layout.read_records`; `rejected` line_number (int64), raw, reason.
    `blank_lines` are those that hold no record by their form: blank ones, headers, and records of
    what is no call or no complete one.
    """

    records: pl.DataFrame
    rejected: pl.DataFrame
    blank_lines: int


@dataclass(frozen=True)
class Lines:
    """The lines of a chunk: `readable` has line_number and raw, `rejected` reason as well."""

    readable: pl.DataFrame
    rejected: pl.DataFrame
    blank_count: int


def read_chunks(
    path: Path,
    *,
    max_bytes: int,
    lines: int = LINES_PER_CHUNK,
    first_line: int = 1,
    offset: int = 0,
) -> Iterator[FileChunk]:
    """The file as chunks of `lines` complete lines, the same ones every time it is read.

    Plain or gzip is seen from the first bytes, never from the name. To continue, pass the
    `first_line` and `offset` of the chunk to start with. A line longer than MAX_LINE_BYTES is cut
    one byte after them, which `split_lines` then rejects.

    :raises FileUnreadable: the gzip stream is damaged or ends too early.
    :raises FileTooLarge: the text has more than `max_bytes` bytes, the guard against zip bombs.
    """
    with _open_text(path) as stream:
        try:
            stream.seek(offset)
            while True:
                content, count, size = _read_lines(stream, lines)
                if offset + size > max_bytes:
                    raise FileTooLarge(
                        f"{path.name} holds more than {max_bytes} bytes of text, seen at line "
                        f"{first_line}: split it, or raise the limit of its source."
                    )
                if not content:
                    return
                yield FileChunk(first_line, offset, content)
                first_line, offset = first_line + count, offset + size
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileUnreadable(
                f"{path.name}: the gzip stream cannot be read on after line {first_line - 1} "
                f"(byte {offset} of the text): {error}. Send the whole file again."
            ) from error


def first_lines(path: Path, count: int) -> list[str]:
    """The first lines of a plain text as `split_lines` gives them, unreadable bytes replaced."""
    with path.open("rb") as text:
        start = b"".join(text.readline(MAX_LINE_BYTES) for _ in range(count))
    shown = start.removeprefix(_BYTE_ORDER_MARK).decode(errors="replace").replace("\0", "\ufffd")
    return [line.rstrip("\r") for line in shown.removesuffix("\n").split("\n")] if shown else []


def sample_chunk(text: str, *, lines: int, header_lines: int) -> tuple[FileChunk, list[str]]:
    """The first lines of a text as a chunk, and those of them that are its header."""
    kept = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")[:lines]]
    content = "".join(f"{line}\n" for line in kept).encode(errors="replace")
    return FileChunk(1, 0, content), kept[:header_lines]


@dataclass(frozen=True)
class Cut:
    """Where a chunk of complete lines lies in a plain text, without its content."""

    first_line: int
    offset: int
    byte_count: int
    line_count: int


def cut_lines(path: Path, *, lines: int) -> Iterator[Cut]:
    """A plain text cut after every `lines` lines, or where CHUNK_BYTES are full.

    Ten times as fast as reading the lines, as only their ends are looked for.
    """
    first_line, offset, count, read = 1, 0, 0, 0
    with path.open("rb") as text:
        while block := text.read(_BLOCK_BYTES):
            ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == _LINE_END) + read + 1
            read += len(block)
            while len(ends):
                # The line that fills the chunk, by number or by bytes, is the last one in it.
                full = int(np.searchsorted(ends, offset + CHUNK_BYTES))
                last = min(lines - count - 1, full)
                if last >= len(ends):
                    break
                end = int(ends[last])
                yield Cut(first_line, offset, end - offset, count + last + 1)
                first_line, offset, count = first_line + count + last + 1, end, 0
                ends = ends[last + 1 :]
            count += len(ends)
    if read > offset:
        unended = _ends_without_newline(path)
        yield Cut(first_line, offset, read - offset, count + unended)


def _ends_without_newline(path: Path) -> bool:
    with path.open("rb") as text:
        text.seek(-1, os.SEEK_END)
        return text.read() != b"\n"


def _open_text(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        compressed = stream.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path, "rb")) if compressed else path.open("rb")


def _read_lines(stream: BinaryIO, lines: int) -> tuple[bytes, int, int]:
    """The next lines, how many they are, and how many bytes of the stream they took."""
    taken: list[bytes] = []
    kept = skipped = 0
    while len(taken) < lines and kept < CHUNK_BYTES:
        line = stream.readline(MAX_LINE_BYTES + 1)
        if not line:
            break
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            rest = _skip_line(stream)
            skipped += rest - 1
            line += b"\n"
        taken.append(line)
        kept += len(line)
    return b"".join(taken), len(taken), kept + skipped


def _skip_line(stream: BinaryIO) -> int:
    size = 0
    while part := stream.readline(CHUNK_BYTES):
        size += len(part)
        if part.endswith(b"\n"):
            break
    return size


def split_lines(content: bytes, *, first_line: int) -> Lines:
    """The lines of `content` without their line ends (LF or CRLF) and byte order mark.

    Lines that are no text (too long, not UTF-8, holding NUL bytes) are rejected; bytes no text can
    hold are shown there as `\\xff`. Lines of nothing but blanks are counted.
    """
    text_only = content.removeprefix(_BYTE_ORDER_MARK) if first_line == 1 else content
    if not text_only:
        # A mark alone is a line, too, and a blank one.
        return Lines(no_rejected().drop("reason"), no_rejected(), int(bool(content)))
    if len(text_only) <= MAX_LINE_BYTES and (few := _few_lines(text_only)) is not None:
        numbered = pl.Series("line_number", range(first_line, first_line + len(few)), pl.Int64)
        lines = pl.DataFrame([numbered, pl.Series("raw", few, pl.String)])
        return Lines(lines, no_rejected(), 0)
    raw, invalid = _decode(text_only)
    # Every copy of long lines costs as much as looking at them does: none is made without need.
    if raw.str.ends_with("\r").any():
        raw = raw.str.strip_chars_end("\r")
    numbers = pl.int_range(first_line, first_line + len(raw), eager=True).alias("line_number")
    lines = pl.DataFrame([numbers, raw])

    line = pl.col("raw")
    seen = lines.select(
        too_long=line.str.len_bytes() > MAX_LINE_BYTES,
        with_nul=line.str.contains("\0", literal=True),
        blank=line.str.contains(r"^\s*$"),
    )
    too_long = seen["too_long"]
    faulty = too_long | invalid | seen["with_nul"]
    blank = seen["blank"] & ~faulty
    if not (faulty | blank).any():
        return Lines(lines, no_rejected(), 0)
    reason = (
        pl.when(too_long)
        .then(pl.lit(_TOO_LONG))
        .when(invalid)
        .then(pl.lit(_INVALID))
        .otherwise(pl.lit(_WITH_NUL))
    )
    rejected = lines.select(
        "line_number",
        pl.col("raw").str.replace_all("\0", r"\x00", literal=True),
        reason.alias("reason"),
    ).filter(faulty)
    return Lines(lines.filter(~(faulty | blank)), rejected, int(blank.sum()))


def _few_lines(content: bytes) -> list[str] | None:
    """The lines of a text so short that none is too long; None where one is blank or no text."""
    if not _is_utf8(content) or b"\0" in content:
        return None
    lines = [line.rstrip("\r") for line in content.decode().removesuffix("\n").split("\n")]
    return lines if all(line.strip() for line in lines) else None


def is_no_text(reason: pl.Expr) -> pl.Expr:
    """Whether a line was rejected for what it is made of, so that no copy of it is verbatim."""
    return reason.is_in([_TOO_LONG, _INVALID, _WITH_NUL])


def without_header(lines: Lines, header: Sequence[str]) -> Lines:
    """The lines without those that repeat the header, as files that were joined do."""
    is_header = lines.readable["raw"].is_in(list(header))
    if not is_header.any():
        return lines
    return replace(
        lines,
        readable=lines.readable.filter(~is_header),
        blank_count=lines.blank_count + int(is_header.sum()),
    )


def _decode(content: bytes) -> tuple[pl.Series, pl.Series]:
    """The lines as text, and which of them were not valid UTF-8."""
    try:
        raw = _split(content)
        return raw, pl.repeat(False, len(raw), eager=True)
    except pl.exceptions.ComputeError:
        lines = content.removesuffix(b"\n").split(b"\n")
        valid = [_is_utf8(line) for line in lines]
        shown = (
            line if good else line.decode(errors="backslashreplace").encode()
            for line, good in zip(lines, valid, strict=True)
        )
        return _split(b"\n".join(shown) + b"\n"), ~pl.Series(valid)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _split(content: bytes) -> pl.Series:
    """The lines of a text.

    :raises pl.exceptions.ComputeError: it is not UTF-8.
    """
    text = pl.Series("raw", [content], dtype=pl.Binary).cast(pl.String)
    lines = text.str.split("\n").explode(empty_as_null=False)
    return lines.head(-1) if content.endswith(b"\n") else lines


def no_rejected() -> pl.DataFrame:
    """The empty frame of rejected lines."""
    return pl.DataFrame(schema=_REJECTED_SCHEMA)
