"""Tables as Parquet files, streamed both ways, with a manifest that tells whether they are whole.

Nothing here knows what the tables are about. Memory stays bounded whatever their size: rows pass
through a text file beside the Parquet file, which is gone afterwards.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import polars as pl
from django.db import connection

from common.errors import DomainError

_BYTES_AT_ONCE = 1 << 20
_INSTANT = "timestamp with time zone"
_PLAIN: Mapping[str, Any] = {
    "bigint": pl.Int64,
    "integer": pl.Int32,
    "smallint": pl.Int16,
}


class ArchiveDamaged(DomainError):
    """A file is not there, or is not what the manifest says."""


def write_table(table: str, path: Path) -> dict[str, Any]:
    """Write all rows of a table to a Parquet file; what the manifest says of it.

    That is the file's name, size and SHA-256, the columns with their types, the number of rows, and
    a checksum of the rows that does not depend on their order (`table_checksum`).
    """
    columns = _columns_of(table)
    with _text_file(path) as text:
        _copy(f"COPY {table} ({', '.join(columns)}) TO STDOUT (FORMAT csv, HEADER)", text)
        rows = pl.scan_csv(
            text.name,
            schema={name: _PLAIN.get(kind, pl.String) for name, kind in columns.items()},
        )
        rows.with_columns(_typed(columns)).sink_parquet(path, compression="zstd")
    sync(path)
    count, checksum = table_checksum(table, list(columns))
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": _sha256(path),
        "columns": columns,
        "rows": count,
        "checksum": checksum,
    }


def read_table(table: str, folder: Path, entry: Mapping[str, Any]) -> None:
    """Append the rows of a Parquet file, which `write_table` described by `entry`, to a table.

    :raises ArchiveDamaged: if the file is missing, is another, or gives other rows.
    """
    path = folder / entry["file"]
    if not path.is_file() or _sha256(path) != entry["sha256"]:
        raise ArchiveDamaged(f"{path} is missing or is not the file that was written.")
    columns: dict[str, str] = entry["columns"]
    texts = [name for name, kind in columns.items() if _is_text(kind)]
    never_null = f", FORCE_NOT_NULL ({', '.join(texts)})" if texts else ""
    with _text_file(path) as text:
        rows = pl.scan_parquet(path).select(list(columns)).with_columns(_as_text(columns))
        rows.sink_csv(text.name, include_header=False)
        names = ", ".join(columns)
        _copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv{never_null})", text)
    if table_checksum(table, list(columns)) != (entry["rows"], entry["checksum"]):
        raise ArchiveDamaged(f"The rows of {path} are not those that were written.")


def table_checksum(table: str, columns: list[str]) -> tuple[int, str]:
    """How many rows a table has, and the sum of their hashes."""
    row = f"hashtextextended(ROW({', '.join(columns)})::text, 0)::numeric"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), coalesce(sum({row}), 0)::text FROM {table}"  # noqa: S608  # names of ours
        )
        count, checksum = cursor.fetchone()
    return count, checksum


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, outlast a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _columns_of(table: str) -> dict[str, str]:
    """The columns in order, with their types as PostgreSQL writes them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [table],
        )
        found = cursor.fetchall()
    # A text file does not tell an empty text from none.
    assert all(is_never_null for _, kind, is_never_null in found if kind not in _PLAIN), table
    return {name: kind for name, kind, _ in found}


def _is_text(kind: str) -> bool:
    return kind.startswith("character varying") or kind == "text"


def _typed(columns: Mapping[str, str]) -> list[pl.Expr]:
    """What is not as it is read: empty texts, instants, and exact decimals."""
    typed = []
    for name, kind in columns.items():
        if _is_text(kind):
            typed.append(pl.col(name).fill_null(""))
        elif kind == _INSTANT:
            typed.append(pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us"))
        elif kind.startswith("numeric("):
            precision, scale = map(int, kind.removeprefix("numeric(").rstrip(")").split(","))
            typed.append(pl.col(name).cast(pl.Decimal(precision, scale)))
    return typed


def _as_text(columns: Mapping[str, str]) -> list[pl.Expr]:
    return [
        pl.col(name).dt.to_string("%Y-%m-%d %H:%M:%S%.6f+00")
        for name, kind in columns.items()
        if kind == _INSTANT
    ]


@contextmanager
def _text_file(path: Path) -> Iterator[Any]:
    with NamedTemporaryFile(dir=path.parent, suffix=".csv") as text:
        yield text


def _copy(command: str, text: Any) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(command, text, _BYTES_AT_ONCE)
    text.flush()


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
