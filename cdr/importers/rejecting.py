"""Refusing all lines of a file for one reason."""

import polars as pl

from cdr.importers.chunks import Lines, ParsedChunk
from cdr.importers.layout import STAMPS, TEXTS

_RECORDS = {
    "line_number": pl.Int64,
    "raw": pl.String,
    **dict.fromkeys(TEXTS, pl.String),
    **dict.fromkeys(STAMPS, pl.Int64),
    "duration_seconds": pl.Int64,
    "billable_seconds": pl.Int64,
}


def rejected_whole(lines: Lines, reason: str) -> ParsedChunk:
    """No record, and each line that is not blank rejected."""
    all_lines = lines.readable.with_columns(pl.lit(reason).alias("reason"))
    rejected = pl.concat([lines.rejected, all_lines]).sort("line_number")
    return ParsedChunk(pl.DataFrame(schema=_RECORDS), rejected, lines.blank_count)
