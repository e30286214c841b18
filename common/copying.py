"""Columns to and from PostgreSQL: many rows by COPY, which may only be used by the owner's role."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import chain
from tempfile import TemporaryFile
from typing import Any

import polars as pl
from django.db import connection
from psycopg2 import DatabaseError

from common.statements import execute

FEW_ROWS = 2_000
"""So few are inserted. A web request may write no more: row-level security refuses it COPY."""

FEW_INSTANTS = 100
"""So few are answered one by one: to begin with, Polars takes as long as Python for all of them."""

_BYTES_AT_ONCE = 1 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def copy_rows(table: str, rows: pl.DataFrame, *, texts: Sequence[str]) -> None:
    """Append `rows` to the table's columns of the same names.

    Null is NULL, save in `texts`: columns that may hold empty texts but no NULL.
    """
    if rows.is_empty():
        return
    if len(rows) <= FEW_ROWS:
        columns = rows.to_dict()
        cells = [
            ["" if cell is None else cell for cell in column] if name in texts else column.to_list()
            for name, column in columns.items()
        ]
        insert_rows(table, rows.columns, list(zip(*cells, strict=True)))
        return
    never_null = f", FORCE_NOT_NULL ({', '.join(texts)})" if texts else ""
    encoded = BytesIO()
    rows.write_csv(encoded, include_header=False)
    encoded.seek(0)
    copy_encoded(table, rows.columns, f"FORMAT csv{never_null}", encoded)


def insert_rows(table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Append a few rows by one statement, under whichever role."""
    row = f"({', '.join(['%s'] * len(columns))})"
    values = ", ".join([row] * len(rows))
    command = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}"  # noqa: S608
    execute(command, list(chain.from_iterable(rows)))


class Pieces:
    """What COPY reads piece by piece, each made when PostgreSQL has taken the one before."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.fault: BaseException | None = None
        """What kept a piece from being made, of which psycopg2 makes an error of the database."""

    def read(self, _: int) -> bytes:
        """The next piece, however long; empty at the end."""
        try:
            return next(self._pieces, b"")
        except BaseException as fault:
            self.fault = fault
            raise


def copy_encoded(
    table: str, columns: Sequence[str], options: str, encoded: BytesIO | Pieces
) -> None:
    """Append what is encoded as COPY's `options` say to the table's columns."""
    command = f"COPY {table} ({', '.join(columns)}) FROM STDIN ({options})"
    with connection.cursor() as cursor, connection.wrap_database_errors:
        try:
            cursor.copy_expert(command, encoded, _BYTES_AT_ONCE)
        except DatabaseError:
            if isinstance(encoded, Pieces) and encoded.fault is not None:
                raise encoded.fault from None
            raise


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
    return by_distinct(
        microseconds,
        instant.dt.to_string("%Y-%m-%d %H:%M:%S%.6f+00"),
        lambda at: f"{at:%Y-%m-%d %H:%M:%S.%f}+00",
        pl.String(),
    )


def by_distinct(
    microseconds: pl.Series,
    answer: pl.Expr,
    answer_one: Callable[[datetime], object],
    kind: pl.DataType,
) -> pl.Series:
    """The answer for each `instant`, worked out once: a second of traffic holds many starts.

    `answer_one` gives the same answer, of the type `kind`, for one instant in UTC.
    """
    if len(microseconds) <= FEW_INSTANTS:
        answers = [
            None if at is None else answer_one(_EPOCH + timedelta(microseconds=at))
            for at in microseconds.to_list()
        ]
        return pl.Series("answer", answers, kind)
    distinct = microseconds.unique().to_frame("instant").with_columns(answer.alias("answer"))
    found = microseconds.to_frame("instant").join(
        distinct, on="instant", how="left", maintain_order="left"
    )
    return found["answer"]


def amounts(costs: str) -> pl.Expr:
    """The column `costs`, whole numbers of 10^-8, as exact decimals."""
    unit = pl.lit("0.00000001").cast(pl.Decimal(38, 8))
    return pl.col(costs).cast(pl.Decimal(38, 0)) * unit
