"""RATES.csv: rate tables and their rates, compiled for rating."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from catalogue.rules.prefixes import parse_prefixes
from cdr.rating.columns import RateColumns
from cdr.rating.compiled import CompiledTable, compile_table
from cdr.rating.csv_cells import (
    CsvLines,
    CsvRefused,
    parse_amount,
    parse_choice,
    parse_instant,
    parse_whole,
)
from cdr.rules.instants import BEGINNING
from cdr.rules.rates import (
    Boundary,
    FeeDue,
    IncrementBase,
    InvalidRate,
    ParentRefused,
    Policy,
    Rate,
    RateStatus,
    RateTable,
    Rounding,
)

TABLE_COLUMNS: dict[str, Callable[[str], object]] = {
    "parent": str,
    "currency": str,
    "timezone": str,
    "rounding": partial(parse_choice, Rounding),
    "decimals": parse_whole,
    "increment_base": partial(parse_choice, IncrementBase),
    "boundary": partial(parse_choice, Boundary),
    "connection_fee_due": partial(parse_choice, FeeDue),
}

RATE_COLUMNS: dict[str, Callable[[str], object]] = {
    "destination": str,
    "rate": parse_amount,
    "initial_rate": parse_amount,
    "connection_fee": parse_amount,
    "minimum": parse_whole,
    "increment": parse_whole,
    "grace": parse_whole,
    "steps": str,
    "min_cost": parse_amount,
    "max_cost": parse_amount,
    "attempt_fee": parse_amount,
    "time_profile": str,
    "policy": partial(parse_choice, Policy),
    "tag": str,
    "origin_prefix": str,
    "min_digits": parse_whole,
    "max_digits": parse_whole,
    "status": partial(parse_choice, RateStatus),
}

KNOWN_COLUMNS = frozenset(
    ["table", "prefix", "effective_from", "effective_to", *TABLE_COLUMNS, *RATE_COLUMNS]
)


@dataclass(frozen=True, slots=True)
class Deck:
    """The compiled tables of one file by name; `named` is false where it has no table column."""

    tables: dict[str, CompiledTable]
    named: bool

    def table(self, name: str) -> CompiledTable:
        """The table of that name; the only one, whatever the name, where the file names none.

        :raises ValueError: no such table.
        """
        found = self.tables.get(name if self.named else "")
        if found is None:
            raise ValueError(f"no rate table {name!r} in the rates file")
        return found


@dataclass(frozen=True, slots=True)
class _Line:
    file: str
    number: int
    cells: dict[str, str]

    def refuse(self, column: str, why: str) -> CsvRefused:
        return CsvRefused(self.file, self.number, column, why)

    def parse(self, column: str, parser: Callable[[str], Any]) -> Any:
        try:
            return parser(self.cells[column])
        except ValueError as error:
            raise self.refuse(column, str(error)) from error


def read_deck(stream: Iterable[bytes], file: str) -> Deck:
    """Read and compile every table of a rates file.

    A later line wins over an earlier one of the same prefix and start. Table-level cells left
    blank say nothing. A time without an offset is in the table's time zone, UTC by default.

    :raises CsvRefused: an unknown column, a bad value, cells of a table that disagree, or a parent
        that is not in the file, has another currency or is searched already.
    """
    lines = CsvLines(stream, file, known=KNOWN_COLUMNS, required=frozenset({"prefix"}))
    if not {"rate", "steps"} & set(lines.columns):
        raise CsvRefused(file, 1, "rate", "required column is missing")
    by_table: dict[str, list[_Line]] = {}
    for number, cells in lines:
        by_table.setdefault(cells.get("table", ""), []).append(_Line(file, number, cells))
    named = "table" in lines.columns
    if not named:
        by_table.setdefault("", [])
    read = {name: _read_table_and_rates(name, members) for name, members in by_table.items()}
    tables = {name: _compile(read, name) for name in read}
    return Deck(tables, named)


@dataclass(frozen=True, slots=True)
class _ReadTable:
    table: RateTable
    rates: RateColumns
    parent_line: _Line | None


def _read_table_and_rates(name: str, lines: list[_Line]) -> _ReadTable:
    table, stated_by = _read_table(name, lines)
    zone = ZoneInfo(table.timezone)
    rates: list[Rate] = []
    for line in lines:
        rates.extend(_read_rates(line, zone, first_id=len(rates) + 1))
    return _ReadTable(table, RateColumns.of(rates), stated_by.get("parent"))


def _compile(tables: dict[str, _ReadTable], name: str) -> CompiledTable:
    """Compile a table with its parents, each of which must be in the file."""
    chain = [tables[name]]
    seen = {name}
    while (line := chain[-1].parent_line) is not None:
        parent = chain[-1].table.parent
        if parent not in tables:
            raise line.refuse("parent", f"no rate table {parent!r} in the rates file")
        if parent in seen:
            raise line.refuse("parent", f"{parent!r} is searched before {line.cells['table']!r}")
        seen.add(parent)
        chain.append(tables[parent])
    try:
        parents = [(each.table, each.rates) for each in chain[1:]]
        return compile_table(chain[0].table, chain[0].rates, parents)
    except ParentRefused as error:
        line = chain[0].parent_line
        raise line.refuse("parent", str(error)) if line else error from error


def _read_table(name: str, lines: list[_Line]) -> tuple[RateTable, dict[str, _Line]]:
    stated: dict[str, Any] = {}
    stated_by: dict[str, _Line] = {}
    for line in lines:
        for column, parser in TABLE_COLUMNS.items():
            if not line.cells.get(column):
                continue
            value = line.parse(column, parser)
            if stated.setdefault(column, value) != value:
                first = stated_by[column]
                why = f"{str(value)!r} differs from {str(stated[column])!r} on line {first.number}"
                raise line.refuse(column, f"{why} of the same table")
            stated_by.setdefault(column, line)
    try:
        table = RateTable(name=name, **stated)
    except InvalidRate as error:
        raise stated_by[error.column].refuse(error.column, str(error)) from error
    return table, stated_by


def _read_rates(line: _Line, zone: ZoneInfo, *, first_id: int) -> list[Rate]:
    """The rates of one line: one for each prefix its prefix cell stands for."""
    cells = line.cells
    values: dict[str, Any] = {
        column: line.parse(column, parser)
        for column, parser in RATE_COLUMNS.items()
        if cells.get(column)
    }
    if "steps" not in values and "rate" not in values:
        raise line.refuse("rate", "a rate is required")
    values.setdefault("rate", parse_amount("0"))  # a rate in steps has no price of its own
    values["effective_from"] = BEGINNING
    for column in ("effective_from", "effective_to"):
        if cells.get(column):
            values[column] = line.parse(column, partial(parse_instant, zone=zone))
    prefixes: tuple[str, ...] = line.parse("prefix", parse_prefixes)
    try:
        return [Rate(id=first_id + i, prefix=p, **values) for i, p in enumerate(prefixes)]
    except InvalidRate as error:
        raise line.refuse(error.column, str(error)) from error
