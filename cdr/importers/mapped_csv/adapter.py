"""Delimited text of which the provider has said, in the console, which column is what.

Columns are named by the header or numbered from 1; the mapping (`cdr.rules.column_mapping`) says
how fields are parted and how times and volumes are written. Local times are of the source's zone.
Where there is no column of answers, what has a volume was answered when it started.
"""

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import ParsedChunk, split_lines, without_header
from cdr.importers.clocks import Clock, EpochClock, LocalClock, OffsetClock
from cdr.importers.csv_fields import split_fields
from cdr.importers.headers import read_header
from cdr.importers.layout import TEXTS, Layout, parsed_chunk
from cdr.importers.measures import MAX_VOLUME, ClockTime, Decimals, Measure
from cdr.importers.reading import Reading
from cdr.importers.rejecting import rejected_whole
from cdr.rules.column_mapping import STAMP_COLUMNS, ColumnMapping, TimeFormat, VolumeUnit

NO_MAPPING = "its source does not say yet which column is what"

_FORMATS = {
    TimeFormat.YEAR_FIRST: ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"),
    TimeFormat.YEAR_FIRST_SLASHES: ("%Y/%m/%d %H:%M:%S%.f",),
    TimeFormat.DAY_FIRST_DOTS: ("%d.%m.%Y %H:%M:%S%.f",),
    TimeFormat.DAY_FIRST_SLASHES: ("%d/%m/%Y %H:%M:%S%.f",),
    TimeFormat.DAY_FIRST_DASHES: ("%d-%m-%Y %H:%M:%S%.f",),
    TimeFormat.MONTH_FIRST: ("%m/%d/%Y %H:%M:%S%.f",),
    TimeFormat.MONTH_FIRST_TWELVE_HOURS: ("%m/%d/%Y %I:%M:%S %p",),
    TimeFormat.COMPACT: ("%Y%m%d%H%M%S",),
}
_FACTORS = {
    VolumeUnit.SECONDS: (1, 1),
    VolumeUnit.MILLISECONDS: (1, 1000),
    VolumeUnit.MINUTES: (60, 1),
    VolumeUnit.UNITS: (1, 1),
    VolumeUnit.THOUSANDS: (1000, 1),
    VolumeUnit.KIBI: (1024, 1),
}


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says."""
    mapping = reading.mapping
    lines = split_lines(chunk, first_line=first_line)
    fault = _fault(reading)
    if mapping is None or fault is not None:
        return rejected_whole(lines, fault or NO_MAPPING)
    lines = without_header(lines, reading.header)
    fields, misshapen = split_fields(
        lines.readable,
        {f"read_{name}": place for name, place in _positions(mapping, reading).items()},
        widths=_widths(mapping, reading),
        separator=mapping.separator,
    )
    return parsed_chunk(lines, fields, misshapen, _layout(mapping), reading)


def _positions(mapping: ColumnMapping, reading: Reading) -> dict[str, int]:
    if not mapping.has_header:
        return {name: int(column) - 1 for name, column in mapping.columns.items()}
    return read_header(reading.header, separator=mapping.separator).places(mapping.columns)


def _widths(mapping: ColumnMapping, reading: Reading) -> list[int] | None:
    if not mapping.has_header:
        return None
    return [read_header(reading.header, separator=mapping.separator).width]


def _layout(mapping: ColumnMapping) -> Layout:
    return Layout(
        texts={name: f"read_{name}" for name in TEXTS if name in mapping.columns},
        stamps={name: f"read_{name}" for name in STAMP_COLUMNS if name in mapping.columns},
        clock=_clock(mapping.time_format),
        billable="read_volume" if "volume" in mapping.columns else None,
        measure=_measure(mapping),
        is_time=mapping.volume_unit.is_time,
        places={f"read_{name}": f"column {column}" for name, column in mapping.columns.items()},
    )


def _clock(time_format: TimeFormat) -> Clock:
    match time_format:
        case TimeFormat.OFFSET:
            return OffsetClock(example=time_format)
        case TimeFormat.EPOCH_SECONDS:
            return EpochClock(1_000_000, time_format)
        case TimeFormat.EPOCH_MILLISECONDS:
            return EpochClock(1000, time_format)
        case _:
            return LocalClock(_FORMATS[time_format], time_format)


def _measure(mapping: ColumnMapping) -> Measure:
    if mapping.volume_unit is VolumeUnit.CLOCK:
        return ClockTime(sign=mapping.decimal_sign)
    units, per_unit = _FACTORS[mapping.volume_unit]
    sign = mapping.decimal_sign
    if mapping.volume_unit.is_time:
        return Decimals(units, per_unit, sign)
    return Decimals(units, per_unit, sign, most=MAX_VOLUME)


def _header_lines(mapping: ColumnMapping | None) -> int:
    return int(mapping is not None and mapping.has_header)


def _fault(reading: Reading) -> str | None:
    """Why no line of a file with this header can be read."""
    mapping = reading.mapping
    if mapping is None:
        return NO_MAPPING
    if not mapping.has_header:
        return None
    header = read_header(reading.header, separator=mapping.separator)
    return header.lacks([(column,) for column in mapping.columns.values()])


ADAPTER = Adapter(parse, header_lines=_header_lines, fault=_fault)
