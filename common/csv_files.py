"""CSV files (RFC 4180, in UTF-8 with plain line feeds) that a spreadsheet opens without harm."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Protocol

from common.errors import DomainError

# A spreadsheet takes text that begins so for a formula (OWASP, "CSV injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


class Writable(Protocol):
    """What takes text: an open file, a response, a command's output."""

    def write(self, text: str, /) -> object:
        """Append `text`."""


Cell = str | int | Decimal | date | datetime | None


class CsvUnreadable(DomainError):
    """The text is no CSV with a header of the columns that are known."""


def write_csv(stream: Writable, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a heading and the rows: decimals in full, dates as ISO 8601, None as nothing.

    Text that a spreadsheet would run as a formula gets an apostrophe in front, as does such text
    with apostrophes in front already, so that `unquoted` gives back exactly what was written.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_text(column) for column in columns])
    writer.writerows([_text(cell) for cell in row] for row in rows)


def unquoted(text: str) -> str:
    """The text of a cell without the apostrophe that `write_csv` puts before a formula.

    >>> unquoted("'+49"), unquoted("'tis")
    ('+49', "'tis")
    """
    return text[1:] if text.startswith("'") and _is_formula(text) else text


def read_csv(
    text: str, *, known: Collection[str], required: Collection[str], most_lines: int
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The lines of a CSV file by column, each with its number; cells trimmed and unquoted.

    :raises CsvUnreadable: an unknown, repeated or missing column, a line with more or fewer cells
        than the header, broken quoting, no lines, or more than `most_lines`.
    """
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        columns = _header(next(reader, []), known, required)
        count = 0
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(columns):
                raise CsvUnreadable(
                    f"Line {reader.line_num} has {len(cells)} cells, the header {len(columns)}."
                )
            count += 1
            if count > most_lines:
                raise CsvUnreadable(f"The file has more than {most_lines:,} lines: split it.")
            texts = (unquoted(cell.strip()) for cell in cells)
            yield reader.line_num, dict(zip(columns, texts, strict=True))
    except csv.Error as error:
        raise CsvUnreadable(f"Line {reader.line_num} is not CSV: {error}.") from error
    if not count:
        raise CsvUnreadable("The file has a header and no lines.")


def _header(
    cells: Sequence[str], known: Collection[str], required: Collection[str]
) -> Sequence[str]:
    columns = [cell.strip().lower() for cell in cells]
    for column in columns:
        if column not in known:
            raise CsvUnreadable(f"Line 1 names a column '{column}'; known are {', '.join(known)}.")
        if columns.count(column) > 1:
            raise CsvUnreadable(f"Line 1 names the column '{column}' twice.")
    for column in required:
        if column not in columns:
            raise CsvUnreadable(f"Line 1 lacks the column '{column}'.")
    return columns


def _is_formula(text: str) -> bool:
    return text.lstrip("'").startswith(FORMULA_STARTS)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return f"'{cell}" if _is_formula(cell) else cell
        case Decimal():
            return f"{cell:f}"
        case date():
            return cell.isoformat()
        case int():
            return str(cell)
