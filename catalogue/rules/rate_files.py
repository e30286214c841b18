"""Rate files as people send them: read line by line, and compared with the rates in force.

The columns are those of a rate; `prefix` and `rate` are required, and cells left empty say what a
rate says by default.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from zoneinfo import ZoneInfo

from catalogue.rules.rate_terms import RateRefused, RateTerms
from common.errors import DomainError

MOST_LINES = 50_000
_AMOUNT = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?")
_WHOLE = re.compile(r"[0-9]{1,12}")


class RateFileUnreadable(DomainError):
    """The file is no CSV with a header of the columns of a rate."""


class RowClass(StrEnum):
    """What a line of a rate file does to its table."""

    NEW = "new"
    INCREASED = "increased"
    DECREASED = "decreased"
    CHANGED = "changed"
    """The same price, under other terms."""
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class FileLine:
    """A line of the file: its terms, or the column that is wrong and why."""

    number: int
    prefix: str
    terms: RateTerms | None
    column: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class StoredRate:
    """A rate of the table, with its id."""

    id: int
    terms: RateTerms


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A line and what it does: `before` is the rate in force at its start, None for a new prefix.

    `replaces` is the id of the rate that has the same start, which it takes the place of.
    """

    line: FileLine
    row_class: RowClass
    before: RateTerms | None = None
    replaces: int | None = None

    @property
    def writes(self) -> bool:
        """Whether it adds or changes a rate."""
        return self.row_class not in (RowClass.UNCHANGED, RowClass.ERROR)


def read_rate_file(text: str, *, zone: ZoneInfo, default_start: datetime) -> list[FileLine]:
    """Every line of a CSV file, those that are wrong with the column and the reason.

    A time without an offset is in `zone`; a line without one starts at `default_start`.

    :raises RateFileUnreadable: no header, an unknown, repeated or missing column, no lines, broken
        quoting, or more than `MOST_LINES`.
    """
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        columns = _header(next(reader, []))
        lines = []
        for cells in reader:
            if cells:
                lines.append(_line(reader.line_num, columns, cells, zone, default_start))
            if len(lines) > MOST_LINES:
                raise RateFileUnreadable(
                    f"The file has more than {MOST_LINES:,} lines: split it by destination."
                )
    except csv.Error as error:
        raise RateFileUnreadable(f"Line {reader.line_num} is not CSV: {error}.") from error
    if not lines:
        raise RateFileUnreadable("The file has a header and no lines.")
    return _refuse_repeated(lines)


def plan_rows(lines: Iterable[FileLine], stored: Iterable[StoredRate]) -> list[PlannedRow]:
    """What each line does to a table that holds the stored rates."""
    by_prefix: dict[str, list[StoredRate]] = {}
    for rate in stored:
        if _is_plain(rate.terms):
            by_prefix.setdefault(rate.terms.prefix, []).append(rate)
    return [_plan(line, by_prefix.get(line.prefix, [])) for line in lines]


def _plan(line: FileLine, rates: list[StoredRate]) -> PlannedRow:
    terms = line.terms
    if terms is None:
        return PlannedRow(line, RowClass.ERROR)
    start = terms.effective_from
    in_force = [
        rate
        for rate in rates
        if rate.terms.effective_from <= start
        and (rate.terms.effective_to is None or rate.terms.effective_to > start)
    ]
    if not in_force:
        return PlannedRow(line, RowClass.NEW)
    before = max(in_force, key=lambda rate: (rate.terms.effective_from, rate.id))
    is_same_start = before.terms.effective_from == start
    return PlannedRow(
        line,
        _compare(before.terms, terms, is_same_start=is_same_start),
        before=before.terms,
        replaces=before.id if is_same_start else None,
    )


def _compare(before: RateTerms, after: RateTerms, *, is_same_start: bool) -> RowClass:
    if after.rate != before.rate:
        return RowClass.INCREASED if after.rate > before.rate else RowClass.DECREASED
    # An empty destination is looked up when the rate is written; it says nothing against a name.
    named = replace(after, destination=after.destination or before.destination)
    if not is_same_start:
        named = replace(named, effective_from=before.effective_from)
        if named.effective_to is None:
            named = replace(named, effective_to=before.effective_to)
    return RowClass.UNCHANGED if named == before else RowClass.CHANGED


def _is_plain(terms: RateTerms) -> bool:
    """Whether a line can mean the rate: it says nothing of the columns that no file has."""
    return terms.status != "stashed" and not (
        terms.tag
        or terms.origin_prefix
        or terms.steps
        or terms.time_profile_id
        or terms.policy != "regular"
        or terms.min_digits is not None
        or terms.max_digits is not None
    )


def _header(cells: list[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    if not columns:
        raise RateFileUnreadable("The file is empty.")
    for column in columns:
        if column not in COLUMNS:
            raise RateFileUnreadable(
                f"Line 1 names a column '{column}' that no rate has. Columns: {', '.join(COLUMNS)}."
            )
        if columns.count(column) > 1:
            raise RateFileUnreadable(f"Line 1 names the column '{column}' twice.")
    for column in ("prefix", "rate"):
        if column not in columns:
            raise RateFileUnreadable(f"Line 1 lacks the column '{column}'.")
    return columns


def _line(
    number: int, columns: list[str], cells: list[str], zone: ZoneInfo, default_start: datetime
) -> FileLine:
    texts = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
    prefix = texts.get("prefix", "")
    if len(cells) != len(columns):
        why = f"{len(cells)} cells where the header has {len(columns)}"
        return FileLine(number, prefix, None, "", why)
    values: dict[str, object] = {"effective_from": default_start}
    for column, text in texts.items():
        if text or column in ("prefix", "rate"):
            try:
                values[column] = COLUMNS[column](text, zone)
            except ValueError as error:
                return FileLine(number, prefix, None, column, str(error))
    try:
        terms = RateTerms(**values)  # type: ignore[arg-type]  # each column has its parser
    except RateRefused as refusal:
        return FileLine(number, prefix, None, refusal.column, str(refusal))
    return FileLine(number, prefix, terms)


def _refuse_repeated(lines: list[FileLine]) -> list[FileLine]:
    first: dict[tuple[str, datetime], int] = {}
    return [_refuse_second(line, first) for line in lines]


def _refuse_second(line: FileLine, first: dict[tuple[str, datetime], int]) -> FileLine:
    if line.terms is None:
        return line
    number = first.setdefault((line.prefix, line.terms.effective_from), line.number)
    if number == line.number:
        return line
    why = f"line {number} has the same prefix and start"
    return FileLine(line.number, line.prefix, None, "prefix", why)


def _text(text: str, _: ZoneInfo) -> str:
    return text


def _amount(text: str, _: ZoneInfo) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"'{text}' is not a number; write it as 0.0125")
    return Decimal(text)


def _whole(text: str, _: ZoneInfo) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"'{text}' is not a whole number")
    return int(text)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"'{text}' is not a time; write it as 2026-10-31T00:00") from error
    return instant.replace(tzinfo=zone) if instant.tzinfo is None else instant


COLUMNS: Mapping[str, Callable[[str, ZoneInfo], object]] = {
    "prefix": _text,
    "destination": _text,
    "rate": _amount,
    "effective_from": _instant,
    "effective_to": _instant,
    "initial_rate": _amount,
    "connection_fee": _amount,
    "minimum": _whole,
    "increment": _whole,
    "grace": _whole,
    "min_cost": _amount,
    "max_cost": _amount,
    "attempt_fee": _amount,
    "status": _text,
}
"""The columns of a file, each with what reads its cells; exports have the same."""

assert COLUMNS.keys() <= {field.name for field in fields(RateTerms)}
