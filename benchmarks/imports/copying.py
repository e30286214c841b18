"""The rows of an import copied once more, with nothing but COPY."""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from django.db import connection

_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Copy:
    """One COPY of the import: a chunk's rows of a table, in the format the import used."""

    table: str
    format: str
    path: Path


def dump_chunks(folder: Path) -> list[list[Copy]]:
    """The stored rows, chunk by chunk, as files to copy from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cdr_xdrchunk ORDER BY number")
        chunk_ids = [chunk_id for (chunk_id,) in cursor.fetchall()]
        return [[_dump(cursor, folder, *part) for part in _parts(pk)] for pk in chunk_ids]


def _parts(chunk_id: int) -> list[tuple[str, str, str]]:
    first, last = chunk_id << 18, (chunk_id + 1) << 18
    return [
        ("cdr_xdr", "binary", f"chunk_id = {chunk_id}"),
        ("cdr_leg", "binary", f"xdr_id >= {first} AND xdr_id < {last}"),
        ("cdr_usagecharge", "binary", f"chunk_id = {chunk_id}"),
    ]


def _dump(cursor: object, folder: Path, table: str, format_: str, condition: str) -> Copy:
    path = folder / f"{table}-{time.monotonic_ns()}"
    query = f"COPY (SELECT * FROM {table} WHERE {condition}) TO STDOUT (FORMAT {format_})"
    with path.open("wb") as file:
        cursor.copy_expert(query, file)  # type: ignore[attr-defined]
    return Copy(table, format_, path)


def copy_again(url: str, chunks: list[list[Copy]], processes: int) -> float:
    """Seconds to copy all chunks, each in a transaction of its own, until all are on disk."""
    with ProcessPoolExecutor(processes) as pool:
        pool.map(time.sleep, [0.1] * processes)
        clock = time.perf_counter()
        list(pool.map(_copy_chunk, [url] * len(chunks), chunks))
        _wait_for_the_disk()
        return time.perf_counter() - clock


def _copy_chunk(url: str, copies: list[Copy]) -> None:
    with psycopg2.connect(url) as own, own.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        for copy in copies:
            with copy.path.open("rb") as rows:
                command = f"COPY {copy.table} FROM STDIN (FORMAT {copy.format})"
                cursor.copy_expert(command, rows, _BYTES_AT_ONCE)


def _wait_for_the_disk() -> None:
    """A commit like any other: it ends when all before it are on disk too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
