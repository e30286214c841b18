"""The sample file of each format, and how its source reads it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import cdr.importers
from cdr.importers.chunks import ParsedChunk, first_lines
from cdr.importers.formats import ADAPTERS
from cdr.importers.reading import Reading
from cdr.rules.column_mapping import ColumnMapping, TimeFormat

BERLIN = ZoneInfo("Europe/Berlin")
MAPPING = ColumnMapping(
    columns={
        "started_at": "Datum",
        "caller_number": "Von",
        "destination_number": "Nach",
        "volume": "Dauer",
        "account_code": "Kunde",
        "call_id": "Ruf-ID",
    },
    separator=";",
    time_format=TimeFormat.DAY_FIRST_DOTS,
    decimal_sign=",",
)
_ROOT = Path(cdr.importers.__path__[0])
SAMPLES = {
    format_: next((_ROOT / format_.replace("-", "_")).glob("sample.*")) for format_ in ADAPTERS
}


def mapping_of(format_: str) -> ColumnMapping | None:
    return MAPPING if format_ == "mapped-csv" else None


def reading_of(format_: str, header: list[str] | None = None) -> Reading:
    """As a source in Berlin reads its sample, or a file with another header."""
    mapping = mapping_of(format_)
    if header is None:
        header = first_lines(SAMPLES[format_], ADAPTERS[format_].header_lines(mapping))
    return Reading(BERLIN, header=header, mapping=mapping)


def parse_sample(format_: str) -> ParsedChunk:
    content = SAMPLES[format_].read_bytes()
    return ADAPTERS[format_].parse(content, first_line=1, reading=reading_of(format_))
