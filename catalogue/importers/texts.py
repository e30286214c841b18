"""CSV files in the encodings and with the separators that vendors use."""

import codecs
import csv
from collections.abc import Iterator
from io import IncrementalNewlineDecoder
from itertools import islice, zip_longest
from pathlib import Path

import polars as pl

from catalogue.importers.refusals import (
    MOST_COLUMNS,
    MOST_LINE_CHARACTERS,
    RateFileUnreadable,
    refuse_too_many_rows,
)

Row = tuple[int, list[str]]

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16, little-endian",
    "utf-16-be": "UTF-16, big-endian",
    "cp1252": "Windows (Western European)",
    "latin-1": "Latin-1 (ISO 8859-1)",
}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}

LINE = "line"
"""The column of a block with the numbers of lines; those of cells are named by their place."""

_BYTES_AT_ONCE = 1 << 16
_ROWS_AT_ONCE = 10_000
_SNIFFED_BYTES = 1 << 18
_SNIFFED_LINES = 50


def detect_encoding(path: Path) -> str:
    """What the beginning of the file is written in; UTF-8 wherever that is possible.

    :raises RateFileUnreadable: it is empty, or no text.
    """
    with path.open("rb") as file:
        start = file.read(_SNIFFED_BYTES)
    if not start.strip():
        raise RateFileUnreadable("The file is empty.")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if start.startswith(mark):
            return encoding
    if b"\0" in start:
        return _detect_utf_16(start)
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _detect_utf_16(start: bytes) -> str:
    """Digits and separators have a zero byte before or behind them."""
    pairs = len(start) // 2
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros.count(0) > pairs // 2:
            return encoding
    raise RateFileUnreadable("The file holds NUL bytes: it is neither text nor a workbook.")


def detect_delimiter(path: Path, encoding: str) -> str:
    """The separator that parts most of the first lines into the same number of cells, above one."""

    def alike(delimiter: str) -> tuple[int, int]:
        widths = []
        try:
            for _, cells in read_text(path, encoding, delimiter):
                widths.append(len(cells))
                if len(widths) == _SNIFFED_LINES:
                    break
        except RateFileUnreadable:
            return 0, 0
        widest = max(set(widths), key=widths.count, default=0)
        return (widths.count(widest), widest) if widest > 1 else (0, 0)

    return max(DELIMITERS, key=alike)


def read_text(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """The lines of a CSV file that are not empty, each with its number.

    :raises RateFileUnreadable: while iterating: bytes that the encoding has not, NUL characters,
        broken quoting, or lines, columns or cells beyond the bounds.
    """
    reader = csv.reader(_lines(path, encoding), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise RateFileUnreadable(
                f"Line {reader.line_num} is not CSV parted by {DELIMITERS[delimiter].lower()}:"
                f" {error}."
            ) from error
        if cells is None:
            return
        if len(cells) > MOST_COLUMNS:
            raise RateFileUnreadable(
                f"Line {reader.line_num} has {len(cells):,} columns; a rate file has up to"
                f" {MOST_COLUMNS}."
            )
        if any(cells):
            yield reader.line_num, cells


def text_blocks(path: Path, encoding: str, delimiter: str) -> Iterator[pl.DataFrame]:
    """The same as blocks of columns: `line`, and by its place the cells of each column, or null.

    :raises RateFileUnreadable: as `read_text`.
    """
    rows = read_text(path, encoding, delimiter)
    while block := list(islice(rows, _ROWS_AT_ONCE)):
        columns = enumerate(zip_longest(*(cells for _, cells in block)))
        yield pl.DataFrame(
            {
                LINE: pl.Series([number for number, _ in block], dtype=pl.Int64),
                **{str(place): pl.Series(texts, dtype=pl.String) for place, texts in columns},
            }
        )


def _lines(path: Path, encoding: str) -> Iterator[str]:
    decoded = codecs.getincrementaldecoder(encoding)("strict")
    decoder = IncrementalNewlineDecoder(decoded, translate=True)
    rest, read, count = "", 0, 0
    with path.open("rb") as file:
        while True:
            part = file.read(_BYTES_AT_ONCE)
            try:
                text = decoder.decode(part, final=not part)
            except UnicodeDecodeError as error:
                raise RateFileUnreadable(
                    f"The file is not {ENCODINGS[encoding]} near byte {read + error.start:,}:"
                    " choose another encoding, or save it as UTF-8."
                ) from error
            if read == 0:
                text = text.removeprefix("\ufeff")
            read += len(part)
            _refuse_nul(text)
            *lines, rest = (rest + text).split("\n")
            count += len(lines)
            refuse_too_many_rows(count - 1)
            yield from (f"{line}\n" for line in lines)
            _refuse_long(rest, count + 1)
            if not part:
                break
    if rest:
        yield rest


def _refuse_nul(text: str) -> None:
    if "\0" in text:
        raise RateFileUnreadable("The file holds NUL characters: it is no rate file.")


def _refuse_long(line: str, number: int) -> None:
    if len(line) > MOST_LINE_CHARACTERS:
        raise RateFileUnreadable(
            f"Line {number:,} has more than {MOST_LINE_CHARACTERS:,} characters: the file is no"
            " table, or its line ends are lost."
        )
