"""Short ways to parse text in tests, and to show what came of it."""

from typing import Any

import polars as pl

from cdr.importers.chunks import ParsedChunk
from cdr.importers.formats import ADAPTERS
from cdr.importers.reading import Reading


def parse(format_: str, text: str, reading: Reading) -> ParsedChunk:
    return ADAPTERS[format_].parse(text.encode(), first_line=1, reading=reading)


def column(parsed: ParsedChunk, name: str) -> list[Any]:
    """A column of the records; instants as UTC times of day."""
    values = parsed.records[name]
    if name.endswith("_at"):
        return pl.from_epoch(values, time_unit="us").dt.strftime("%d %H:%M:%S").to_list()
    return values.to_list()


def reasons(parsed: ParsedChunk) -> list[str]:
    found: list[str] = parsed.rejected["reason"].to_list()
    return found
