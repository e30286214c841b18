"""Writing columns to PostgreSQL: many rows by COPY, a few by INSERT."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rules.instants import from_microseconds
from common.copying import FEW_ROWS, by_distinct, copy_encoded, insert_rows

# So many rows stay in a core's cache while their cells are filled in, and what all rows have alike
# stays in its place for the next so many.
_ROWS_AT_ONCE = 4_096
_BINARY_START = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_BINARY_END = struct.pack(">h", -1)
_AMOUNT_DECIMALS = 8
# PostgreSQL counts microseconds from the year 2000.
_POSTGRES_EPOCH = 946_684_800_000_000


class Binary(Enum):
    """Types of COPY's binary format whose values all take the same room."""

    SMALLINT = auto()
    BIGINT = auto()
    TIMESTAMPTZ = auto()
    """From microseconds since 1970."""
    AMOUNT = auto()
    """numeric with eight decimals, from whole numbers of 10^-8 below 10^18."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of one binary type: an array, or one value for all rows."""

    kind: Binary
    values: NDArray[np.generic] | int


def copy_binary(table: str, columns: Mapping[str, Column], count: int) -> None:
    """Append `count` rows without any null to the table's columns.

    For rows of numbers alone this is several times as fast as text, on both ends.
    """
    if not count:
        return
    if count <= FEW_ROWS:
        cells = [_plain_cells(column, count) for column in columns.values()]
        insert_rows(table, list(columns), list(zip(*cells, strict=True)))
        return
    copy_encoded(table, list(columns), "FORMAT binary", _encoded(columns, count))


def _plain_cells(column: Column, count: int) -> list[Any]:
    values = column.values
    cells = values.tolist() if isinstance(values, np.ndarray) else [values] * count
    match column.kind:
        case Binary.TIMESTAMPTZ:
            return [from_microseconds(cell) for cell in cells]
        case Binary.AMOUNT:
            return [Decimal(cell).scaleb(-_AMOUNT_DECIMALS) for cell in cells]
        case _:
            return cells


def _encoded(columns: Mapping[str, Column], count: int) -> BytesIO:
    """The rows as COPY's binary format has them, between its start and its end."""
    layout, cells = _cells(columns)
    rows = np.empty(_ROWS_AT_ONCE, dtype=layout)
    varying = []
    for cell, values in cells.items():
        if isinstance(values, np.ndarray):
            varying.append((rows[cell], values))
        else:
            rows[cell] = values
    encoded = BytesIO()
    encoded.write(_BINARY_START)
    for first in range(0, count, _ROWS_AT_ONCE):
        some = min(_ROWS_AT_ONCE, count - first)
        for room, values in varying:
            room[:some] = values[first : first + some]
        encoded.write(rows[:some].data)
    encoded.write(_BINARY_END)
    return encoded


def _cells(
    columns: Mapping[str, Column],
) -> tuple[list[tuple[str, str]], dict[str, NDArray[np.generic] | int]]:
    """What a row is made of: the number of fields, then the length and the value of each."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    cells: dict[str, NDArray[np.generic] | int] = {"fields": len(columns)}
    for name, column in columns.items():
        parts = _PARTS[column.kind]
        layout.append((f"{name} length", ">i4"))
        layout += [(f"{name} {part}", kind) for part, kind in parts]
        cells[f"{name} length"] = sum(np.dtype(kind).itemsize for _, kind in parts)
        cells |= {f"{name} {part}": values for part, values in _values(column).items()}
    return layout, cells


_PARTS: Mapping[Binary, Sequence[tuple[str, str]]] = {
    Binary.SMALLINT: [("value", ">i2")],
    Binary.BIGINT: [("value", ">i8")],
    Binary.TIMESTAMPTZ: [("value", ">i8")],
    # Digits to the base of ten thousand, the first of them worth 10^8: five hold 10^18 * 10^-8.
    Binary.AMOUNT: [
        *(("digits", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">i2")),
        *((f"digit {place}", ">i2") for place in range(5)),
    ],
}


def _values(column: Column) -> dict[str, NDArray[np.generic] | int]:
    values = column.values
    if column.kind is Binary.TIMESTAMPTZ:
        return {"value": values - _POSTGRES_EPOCH}
    if column.kind is Binary.AMOUNT:
        return _amount_parts(np.asarray(values, dtype=np.int64))
    return {"value": values}


def _amount_parts(scaled: NDArray[np.int64]) -> dict[str, NDArray[np.generic] | int]:
    negative = 0x4000
    parts: dict[str, NDArray[np.generic] | int] = {"digits": 5, "weight": 2, "scale": 8}
    parts["sign"] = np.where(scaled < 0, negative, 0)
    rest = np.abs(scaled)
    for place in reversed(range(5)):
        above = rest // 10_000
        parts[f"digit {place}"] = rest - above * 10_000
        rest = above
    return parts


def days(microseconds: pl.Series, zone: str) -> pl.Series:
    """The calendar day of each instant in a time zone."""
    instant = pl.from_epoch("instant", time_unit="us").dt.replace_time_zone("UTC")
    return by_distinct(
        microseconds,
        instant.dt.convert_time_zone(zone).dt.date(),
        lambda at: at.astimezone(ZoneInfo(zone)).date(),
        pl.Date(),
    )
