"""Trying how a source reads lines that somebody pasted, without keeping anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from cdr.importers.chunks import ParsedChunk, sample_chunk
from cdr.importers.formats import ADAPTERS
from cdr.importers.layout import STAMPS
from cdr.rules.column_mapping import ColumnMapping
from cdr.rules.instants import from_microseconds
from cdr.services.mediation import normalise_numbers
from cdr.services.sources import SourceTerms

MOST_SHOWN = 50
"""Lines of a sample that are read and shown."""


@dataclass(frozen=True, slots=True)
class SampleLine:
    """A line of a sample: the record it holds, or why it holds none.

    A record has the texts and instants of an xDR, duration_seconds, volume and normalised_number
    (None for no number that could be rated).
    """

    number: int
    raw: str
    record: Mapping[str, Any] | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What became of the lines; `fault` is why a file with this beginning would be refused."""

    lines: tuple[SampleLine, ...]
    fault: str = ""

    @property
    def record_count(self) -> int:
        return sum(line.record is not None for line in self.lines)

    @property
    def fault_count(self) -> int:
        return sum(bool(line.fault) for line in self.lines)


def try_sample(text: str, source: SourceTerms, *, mapping: ColumnMapping | None) -> Sample:
    """Read the first MOST_SHOWN lines of `text` as the source would, with that mapping of columns.

    Blank lines and headers are left out.
    """
    adapter = ADAPTERS[source.format]
    header_lines = adapter.header_lines(mapping)
    chunk, header = sample_chunk(text, lines=MOST_SHOWN + header_lines, header_lines=header_lines)
    reading = source.reading("\n".join(header), mapping)
    fault = adapter.fault(reading)
    if fault is not None:
        return Sample((), f"A file that begins so is refused: {fault}.")
    parsed = adapter.parse(chunk.content, first_line=chunk.first_line, reading=reading)
    return Sample(tuple(_lines(parsed, source)))


def _lines(parsed: ParsedChunk, source: SourceTerms) -> list[SampleLine]:
    answered = pl.col("answered_at").is_not_null()
    records = parsed.records.with_columns(
        volume=pl.when(answered).then("billable_seconds").otherwise(0)
    )
    understood = normalise_numbers(records, source)
    good = [
        SampleLine(row["line_number"], row["raw"], record=_record(row))
        for row in understood.iter_rows(named=True)
    ]
    bad = [SampleLine(number, raw, fault=why) for number, raw, why in parsed.rejected.iter_rows()]
    return sorted([*good, *bad], key=lambda line: line.number)


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    instants: dict[str, datetime | None] = {
        name: None if row[name] is None else from_microseconds(row[name]) for name in STAMPS
    }
    return {**row, **instants}
