"""Writing columns to PostgreSQL: many rows by COPY, a few by INSERT."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cdr.rules.instants import from_microseconds
from cdr.services.binary_rows import AMOUNT_DECIMALS, Binary, Column, encode_rows
from common.copying import FEW_ROWS, Pieces, by_distinct, copy_encoded, insert_rows


def copy_binary(table: str, columns: Mapping[str, Column], count: int) -> None:
    """Append `count` rows to the table's columns."""
    if not count:
        return
    if count <= FEW_ROWS:
        cells = [_plain_cells(column, count) for column in columns.values()]
        insert_rows(table, list(columns), list(zip(*cells, strict=True)))
        return
    names, encoded = encode_rows(columns, count)
    copy_encoded(table, names, "FORMAT binary", Pieces(encoded))


def _plain_cells(column: Column, count: int) -> list[Any]:
    values = column.values
    if isinstance(values, int):
        cells: list[Any] = [values] * count
    else:
        cells = values.to_list() if isinstance(values, pl.Series) else values.tolist()
    match column.kind:
        case Binary.TIMESTAMPTZ:
            return [from_microseconds(cell) for cell in cells]
        case Binary.AMOUNT | Binary.SUM:
            return [Decimal(cell).scaleb(-AMOUNT_DECIMALS) for cell in cells]
        case Binary.TEXT:
            return ["" if cell is None else cell for cell in cells]
        case _:
            return cells


def days(microseconds: pl.Series, zone: str) -> pl.Series:
    """The calendar day of each instant in a time zone."""
    instant = pl.from_epoch("instant", time_unit="us").dt.replace_time_zone("UTC")
    return by_distinct(
        microseconds,
        instant.dt.convert_time_zone(zone).dt.date(),
        lambda at: at.astimezone(ZoneInfo(zone)).date(),
        pl.Date(),
    )
