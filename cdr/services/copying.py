"""Writing columns to PostgreSQL by COPY."""

from collections.abc import Sequence
from io import BytesIO

import polars as pl
from django.db import connection

_BYTES_AT_ONCE = 1 << 20
_STAMP = "%Y-%m-%d %H:%M:%S%.6f+00"


def copy_rows(table: str, rows: pl.DataFrame, *, texts: Sequence[str]) -> None:
    """Append `rows` to the table's columns of the same names.

    Null is NULL, save in `texts`: columns that may hold empty texts but no NULL.
    """
    if rows.is_empty():
        return
    never_null = f", FORCE_NOT_NULL ({', '.join(texts)})" if texts else ""
    command = f"COPY {table} ({', '.join(rows.columns)}) FROM STDIN (FORMAT csv{never_null})"
    encoded = BytesIO()
    rows.write_csv(encoded, include_header=False)
    encoded.seek(0)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(command, encoded, _BYTES_AT_ONCE)


def timestamps(microseconds: pl.Series) -> pl.Series:
    """Instants, given in microseconds UTC, as PostgreSQL reads them; null stays null.

    Each distinct one is written once: a second of traffic holds many starts.
    """
    distinct = microseconds.unique().to_frame("instant")
    texts = distinct.with_columns(
        text=pl.from_epoch("instant", time_unit="us").dt.to_string(_STAMP)
    )
    found = microseconds.to_frame("instant").join(
        texts, on="instant", how="left", maintain_order="left"
    )
    return found["text"]


def amounts(costs: str) -> pl.Expr:
    """The column `costs`, whole numbers of 10^-8, as exact decimals."""
    unit = pl.lit("0.00000001").cast(pl.Decimal(38, 8))
    return pl.col(costs).cast(pl.Decimal(38, 0)) * unit
