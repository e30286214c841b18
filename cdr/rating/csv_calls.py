"""CALLS.csv: calls in, their prices out, in the same order."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TextIO
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from catalogue.rules.tags import split_tags
from cdr.rating.choice import TagColumn
from cdr.rating.compiled import CompiledTable
from cdr.rating.csv_cells import (
    CsvLines,
    CsvRefused,
    parse_instant,
    parse_volume,
    parse_whole_units,
)
from cdr.rating.csv_rates import Deck
from cdr.rating.numbers import align, normalise
from cdr.rating.scale import COST_SCALE, COST_SCALE_DIGITS
from cdr.rules.cost import Reason
from cdr.rules.instants import to_microseconds

REQUIRED_COLUMNS = frozenset({"id", "table", "started_at", "destination_number", "volume"})
KNOWN_COLUMNS = REQUIRED_COLUMNS | {"caller_number", "tags", "included"}
OUTPUT_COLUMNS = (
    "id",
    "table",
    "prefix",
    "destination",
    "billed",
    "cost",
    "additive_cost",
    "reason",
)

LINES_AT_ONCE = 50_000

_NOT_RATED = {Reason.UNRATED, Reason.BLOCKED, Reason.OVERFLOW}


@dataclass(slots=True)
class _Calls:
    """Some calls of one table as columns, with their places in the chunk."""

    places: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    started_at: list[int] = field(default_factory=list)
    volumes: list[int] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    included: list[int] = field(default_factory=list)


def rate_calls(deck: Deck, stream: Iterable[bytes], file: str, output: TextIO) -> int:
    """Rate every call of a calls file and write one line for each; returns how many.

    A fractional volume is rounded up to the next second; a time without an offset is in the time
    zone of the call's table. `output` holds part of the answer when this raises.

    :raises CsvRefused: an unknown column or a bad value.
    """
    lines = CsvLines(stream, file, known=KNOWN_COLUMNS, required=REQUIRED_COLUMNS)
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(OUTPUT_COLUMNS)
    rated = 0
    source = iter(lines)
    while chunk := list(islice(source, LINES_AT_ONCE)):
        writer.writerows(_rate_chunk(deck, file, chunk))
        rated += len(chunk)
    return rated


def _rate_chunk(
    deck: Deck, file: str, chunk: list[tuple[int, dict[str, str]]]
) -> Iterator[list[str]]:
    by_table: dict[str, _Calls] = {}
    for place, (line, cells) in enumerate(chunk):
        _append_call(deck, by_table, place, _Cells(file, line, cells))
    answers: list[list[str]] = [[]] * len(chunk)
    for name, calls in by_table.items():
        for place, answer in zip(calls.places, _rate_table(deck.table(name), calls), strict=True):
            answers[place] = answer
    for (_, cells), answer in zip(chunk, answers, strict=True):
        yield [cells["id"], cells["table"], *answer]


@dataclass(frozen=True, slots=True)
class _Cells:
    file: str
    line: int
    cells: dict[str, str]

    def refuse(self, column: str, why: str) -> CsvRefused:
        return CsvRefused(self.file, self.line, column, why)


def _append_call(deck: Deck, by_table: dict[str, _Calls], place: int, call: _Cells) -> None:
    cells = call.cells
    column = "table"
    try:
        zone = ZoneInfo(deck.table(cells["table"]).table.timezone)
        column = "started_at"
        started_at = to_microseconds(parse_instant(cells["started_at"], zone))
        column = "volume"
        volume = parse_volume(cells["volume"])
        column = "included"
        included = parse_whole_units(cells["included"]) if cells.get("included") else 0
    except ValueError as error:
        raise call.refuse(column, str(error)) from error
    calls = by_table.setdefault(cells["table"], _Calls())
    calls.places.append(place)
    calls.numbers.append(cells["destination_number"])
    calls.started_at.append(started_at)
    calls.volumes.append(volume)
    calls.callers.append(cells.get("caller_number", ""))
    calls.tags.append(cells.get("tags", ""))
    calls.included.append(included)


def _rate_table(compiled: CompiledTable, calls: _Calls) -> Iterator[list[str]]:
    callers = pl.Series(calls.callers, dtype=pl.String)
    batch = compiled.rate(
        align(normalise(pl.Series(calls.numbers, dtype=pl.String))),
        np.array(calls.started_at, dtype=np.int64),
        np.array(calls.volumes, dtype=np.int64),
        caller=align(normalise(callers)) if compiled.needs_caller else None,
        tags=_tag_column(calls.tags) if any(calls.tags) else None,
        included=np.array(calls.included, dtype=np.int64) if any(calls.included) else None,
    )
    columns = (batch.billed, batch.cost, batch.additive_cost, batch.reason)
    prefixes = compiled.rates.prefixes(batch.rate_index)
    destinations = compiled.rates.destinations(batch.rate_index)
    found = zip(prefixes, destinations, *(column.tolist() for column in columns), strict=True)
    for prefix, destination, billed, cost, on_top, code in found:
        if code in _NOT_RATED:
            yield [prefix, destination, "", "", "", Reason(code).name.lower()]
        else:
            costs = [format_cost(cost), format_cost(on_top)]
            yield [prefix, destination, str(billed), *costs, ""]


def _tag_column(cells: list[str]) -> TagColumn:
    """The tags of each cell, parted by commas or semicolons."""
    places: dict[str, int] = {}
    codes = np.array([places.setdefault(cell, len(places)) for cell in cells], dtype=np.int64)
    return TagColumn(codes, [split_tags(cell) for cell in places])


def format_cost(scaled: int) -> str:
    """A cost in units of 10^-8 as a plain decimal without trailing zeros: `0.816667`, `-0.6`."""
    whole, fraction = divmod(abs(scaled), COST_SCALE)
    sign = "-" if scaled < 0 else ""
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:0{COST_SCALE_DIGITS}d}".rstrip("0")
