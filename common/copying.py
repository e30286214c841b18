"""Columns to and from PostgreSQL by COPY, which only the owner's role may use."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

import polars as pl
from django.db import connection

_BYTES_AT_ONCE = 1 << 20


def copy_rows(table: str, rows: pl.DataFrame, *, texts: Sequence[str]) -> None:
    """Append `rows` to the table's columns of the same names.

    Null is NULL, save in `texts`: columns that may hold empty texts but no NULL.
    """
    if rows.is_empty():
        return
    never_null = f", FORCE_NOT_NULL ({', '.join(texts)})" if texts else ""
    encoded = BytesIO()
    rows.write_csv(encoded, include_header=False)
    copy_encoded(table, rows.columns, f"FORMAT csv{never_null}", encoded)


def copy_encoded(table: str, columns: Sequence[str], options: str, encoded: BytesIO) -> None:
    """Append what is encoded as COPY's `options` say to the table's columns."""
    encoded.seek(0)
    command = f"COPY {table} ({', '.join(columns)}) FROM STDIN ({options})"
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(command, encoded, _BYTES_AT_ONCE)


def copied_rows(
    sql: str, parameters: Sequence[Any] | Mapping[str, Any], schema: Mapping[str, Any]
) -> pl.DataFrame:
    """What a query answers, as columns; NULL is null, an empty text perhaps too."""
    with TemporaryFile() as copied, connection.cursor() as cursor:
        with connection.wrap_database_errors:
            statement = cursor.mogrify(sql, parameters).decode()
            cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT csv)", copied)
        if not copied.tell():
            return pl.DataFrame(schema=dict(schema))
        copied.seek(0)
        return pl.read_csv(copied, has_header=False, schema=dict(schema))


def timestamps(microseconds: pl.Series) -> pl.Series:
    """Instants, given in microseconds UTC, as PostgreSQL reads them; null stays null."""
    instant = pl.from_epoch("instant", time_unit="us")
    return by_distinct(microseconds, instant.dt.to_string("%Y-%m-%d %H:%M:%S%.6f+00"))


def by_distinct(microseconds: pl.Series, answer: pl.Expr) -> pl.Series:
    """The answer for each `instant`, worked out once: a second of traffic holds many starts."""
    distinct = microseconds.unique().to_frame("instant").with_columns(answer.alias("answer"))
    found = microseconds.to_frame("instant").join(
        distinct, on="instant", how="left", maintain_order="left"
    )
    return found["answer"]


def amounts(costs: str) -> pl.Expr:
    """The column `costs`, whole numbers of 10^-8, as exact decimals."""
    unit = pl.lit("0.00000001").cast(pl.Decimal(38, 8))
    return pl.col(costs).cast(pl.Decimal(38, 0)) * unit
