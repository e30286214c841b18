"""CSV files read line by line, every refusal with its file, line and column."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from cdr.rules.rates import VOLUME_LIMIT

Choice = TypeVar("Choice", bound=StrEnum)

_AMOUNT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_BYTE_ORDER_MARK = "\ufeff"


class CsvRefused(ValueError):
    """A file that cannot be read as specified; the message names file, line and column."""

    def __init__(self, file: str, line: int, column: str, why: str) -> None:
        place = f"{file}, line {line}" + (f", column {column}" if column else "")
        super().__init__(f"{place}: {why}")
        self.file = file
        self.line = line
        self.column = column
        self.why = why


class CsvLines:
    """The lines of one CSV file with a header, as cells by column name, blanks trimmed.

    :raises CsvRefused: while iterating: no header, an unknown, repeated or missing column, a line
        of another width, broken quoting, or bytes that are not UTF-8.
    """

    def __init__(
        self,
        stream: Iterable[bytes],
        file: str,
        *,
        known: frozenset[str],
        required: frozenset[str],
    ) -> None:
        self.file = file
        self._reader = csv.reader(self._decode(stream), strict=True)
        self._known = known
        self._required = required
        self.columns = self._read_header()

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each line's number and cells; empty lines are passed over."""
        columns = self.columns
        for line, row in self._rows():
            if len(row) != len(columns):
                column = columns[len(row)] if len(row) < len(columns) else ""
                why = f"{len(row)} cells where the header has {len(columns)}"
                raise CsvRefused(self.file, line, column, why)
            yield line, {column: cell.strip() for column, cell in zip(columns, row, strict=True)}

    def _read_header(self) -> list[str]:
        _, header = next(self._rows(), (1, []))
        columns = [name.strip() for name in header]
        for name in columns:
            if name not in self._known:
                known = ", ".join(sorted(self._known))
                raise CsvRefused(
                    self.file, 1, name or "(no name)", f"unknown column; known are {known}"
                )
            if columns.count(name) > 1:
                raise CsvRefused(self.file, 1, name, "column given twice")
        for name in sorted(self._required - set(columns)):
            raise CsvRefused(self.file, 1, name, "required column is missing")
        return columns

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            line = self._reader.line_num + 1
            try:
                row = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise CsvRefused(self.file, line, "", f"not readable as CSV: {error}") from error
            if row:
                yield line, row

    def _decode(self, stream: Iterable[bytes]) -> Iterator[str]:
        for line, encoded in enumerate(stream, start=1):
            try:
                text = encoded.decode()
            except UnicodeDecodeError as error:
                raise CsvRefused(self.file, line, "", "not UTF-8 text") from error
            yield text.removeprefix(_BYTE_ORDER_MARK) if line == 1 else text


def parse_amount(text: str) -> Decimal:
    """:raises ValueError: not a plain decimal number."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text!r} is not a decimal number")
    return Decimal(text)


def parse_whole(text: str) -> int:
    """:raises ValueError: not a whole number."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def parse_volume(text: str) -> int:
    """A volume of 0 or more, a fraction rounded up to the next whole unit.

    :raises ValueError: not a number, negative, or above 64 bits.
    """
    return int(_parse_volume(text).to_integral_value(ROUND_CEILING))


def parse_whole_units(text: str) -> int:
    """How many whole units a volume of 0 or more holds.

    :raises ValueError: not a number, negative, or above 64 bits.
    """
    return int(_parse_volume(text).to_integral_value(ROUND_FLOOR))


def _parse_volume(text: str) -> Decimal:
    amount = parse_amount(text)
    if amount.is_signed() and amount:
        raise ValueError(f"{text!r} is negative")
    if amount > VOLUME_LIMIT:
        raise ValueError(f"{text!r} does not fit 64 bits")
    return amount


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """An ISO 8601 instant; without an offset it is local time in `zone`, the earlier if twofold.

    :raises ValueError: not ISO 8601.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not an ISO 8601 time") from error
    return instant.replace(tzinfo=zone) if instant.tzinfo is None else instant


def parse_choice(choices: type[Choice], text: str) -> Choice:
    """:raises ValueError: none of the choices."""
    try:
        return choices(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is none of {', '.join(choices)}") from error
