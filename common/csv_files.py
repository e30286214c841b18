"""CSV files (RFC 4180, in UTF-8 with plain line feeds) that a spreadsheet opens without harm."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

# A spreadsheet takes text that begins so for a formula (OWASP, "CSV injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


class Writable(Protocol):
    """What takes text: an open file, a response, a command's output."""

    def write(self, text: str, /) -> object:
        """Append `text`."""


Cell = str | int | Decimal | date | datetime | None


def write_csv(stream: Writable, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a heading and the rows: decimals in full, dates as ISO 8601, None as nothing.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_text(column) for column in columns])
    writer.writerows([_text(cell) for cell in row] for row in rows)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
        case Decimal():
            return f"{cell:f}"
        case date():
            return cell.isoformat()
        case int():
            return str(cell)
