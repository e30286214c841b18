"""Rows of a sheet told by an XML parser, cell by cell: however they are written."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import NamedTuple

import polars as pl

from catalogue.importers.refusals import (
    MOST_COLUMNS,
    RateFileUnreadable,
    refuse_too_many_rows,
)
from catalogue.importers.shared_texts import SharedTexts
from catalogue.importers.texts import LINE
from catalogue.importers.xml_parts import Attributes

_LAST_ROW = 1 << 24
_LETTERS = re.compile("[A-Z]{1,3}")
_LAST_EXCEL_DAY = 2_958_466
_SECONDS_OF_DAY = 86_400


class DateStyles(NamedTuple):
    """The numbers of the cell styles that show a number as a date, and since when days count."""

    numbers: frozenset[int]
    is_1904: bool


def place_of(letters: str) -> int:
    """The place of a column from 0 on.

    >>> place_of("A"), place_of("AA")
    (0, 26)

    :raises RateFileUnreadable: there is no such column.
    """
    if not _LETTERS.fullmatch(letters):
        raise RateFileUnreadable(f"The workbook is damaged: a cell is at '{letters[:20]}'.")
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1


def number_text(value: str, dates: DateStyles, *, is_date: bool) -> str:
    """A number of a cell as text, with the digits that a spreadsheet shows; a date as ISO 8601."""
    try:
        number = float(value)
    except ValueError:
        return value
    if is_date and 0 <= number < _LAST_EXCEL_DAY:
        epoch = datetime(1904, 1, 1) if dates.is_1904 else datetime(1899, 12, 30)  # noqa: DTZ001
        return (epoch + timedelta(seconds=round(number * _SECONDS_OF_DAY))).isoformat()
    return f"{Decimal(f'{number:.15g}'):f}"


class SheetReader:
    """Rows of a sheet as they are read; `started` and `ended` are what the parser calls."""

    def __init__(self, dates: DateStyles, shared: SharedTexts) -> None:
        self._dates = dates
        self._shared = shared
        self._done: list[tuple[int, list[str | int]]] = []
        self._cells: list[str | int] = []
        self._row = 0
        self._count = 0
        self._column = 0
        self._places: dict[str, int] = {}
        self._kind = "n"
        self._is_date = False
        self._value = ""

    def skip(self, rows: int, last: int) -> None:
        """Count rows that were read in another way, `last` being the number of their last.

        :raises RateFileUnreadable: those are more than a rate file may have.
        """
        self._count += rows
        self._row = last
        refuse_too_many_rows(self._count - 1)

    def taken(self) -> pl.DataFrame | None:
        """The rows read since they were taken last, as a block; None if there are none."""
        done, self._done = self._done, []
        if not done:
            return None
        numbers = [cell for _, cells in done for cell in cells if isinstance(cell, int)]
        texts = iter(self._shared.at(pl.Series(numbers, dtype=pl.Int64)))
        rows = (
            [next(texts) if isinstance(cell, int) else cell for cell in cells] for _, cells in done
        )
        columns = enumerate(zip_longest(*rows))
        return pl.DataFrame(
            {
                LINE: pl.Series([number for number, _ in done], dtype=pl.Int64),
                **{str(place): pl.Series(texts, dtype=pl.String) for place, texts in columns},
            }
        )

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._column = self._place(attributes.get("r"))
            self._kind = attributes.get("t", "n")
            style = attributes.get("s", "0")
            self._is_date = style.isdecimal() and int(style) in self._dates.numbers
            self._value = ""
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number[:12]) if number.isdecimal() else self._row + 1
            if self._row > _LAST_ROW:
                raise RateFileUnreadable(f"The workbook is damaged: it has a row {self._row:,}.")
            self._cells = []
            self._count += 1
            refuse_too_many_rows(self._count - 1)

    def ended(self, name: str, text: str) -> None:
        if name == "v" or (name == "t" and self._kind == "inlineStr"):
            self._value += text
        elif name == "c":
            if self._value:
                self._put(self._written())
        elif name == "row" and self._cells:
            self._done.append((self._row, self._cells))

    def _place(self, reference: str | None) -> int:
        if reference is None:
            return len(self._cells)
        letters = reference.rstrip("0123456789")
        place = self._places.get(letters)
        if place is None:
            place = self._places[letters] = place_of(letters)
        return place

    def _put(self, value: str | int) -> None:
        if self._column >= MOST_COLUMNS:
            raise RateFileUnreadable(
                f"Row {self._row} has a cell in column {self._column + 1:,}; a rate file has up to"
                f" {MOST_COLUMNS} columns."
            )
        self._cells.extend([""] * (self._column - len(self._cells)))
        self._cells[self._column :] = [value]

    def _written(self) -> str | int:
        """The value as text; an exact number keeps the digits that a spreadsheet shows."""
        match self._kind:
            case "s":
                if not (self._value.isdecimal() and self._value.isascii()):
                    raise RateFileUnreadable("The workbook is damaged: a text has no number.")
                return int(self._value[:12])
            case "b":
                return "TRUE" if self._value == "1" else "FALSE"
            case "n":
                return number_text(self._value, self._dates, is_date=self._is_date)
        return self._value
