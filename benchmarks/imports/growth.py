"""Measure importing a million xDRs after another, and what the store of them takes."""

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from benchmarks.imports.measure import import_file, postmaster_pid
from benchmarks.imports.workers import Workers, cpu_seconds, running_workers
from benchmarks.imports.world import (
    CALLS_PER_SECOND,
    START,
    make_world,
    random_accounts,
    write_calls,
)
from catalogue.models import RateTable
from cdr.models import Source
from cdr.partitions import PARTITIONED
from cdr.services.archives import write_table

LINES = 1_000_000
STORED = ("cdr_xdr", "cdr_leg", "cdr_usagecharge")
SIZES = """
    SELECT sum(pg_table_size(part)), sum(pg_indexes_size(part)) FROM (
        SELECT relid FROM pg_partition_tree(%s::regclass) UNION SELECT %s::regclass
    ) AS parts(part)
"""


@dataclass(frozen=True)
class Point:
    """What the import of a million took when as many millions were stored after it.

    Processor time in microseconds, and bytes of WAL, each for one xDR with its legs. Pages that are
    changed for the first time since a checkpoint are put into the WAL whole (`full_page_images`).
    `load` is of the machine, which tells what `xdrs_per_second` is worth.
    """

    millions_stored: int
    worker_cpu: float
    postgres_cpu: float
    wal_bytes: int
    full_page_images: int
    xdrs_per_second: int
    load: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--millions", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--prefixes", type=int, default=60_000)
    parser.add_argument("--customers", type=int, default=2_000)
    print(json.dumps(measure(parser.parse_args()), indent=1))


def measure(options: argparse.Namespace) -> dict[str, object]:
    call_command("migrate", verbosity=0)
    source = make_world(options.prefixes, options.customers)
    with running_workers(options.folder, options.workers) as workers:
        warm_up(source, options)
        points = list(imported(source, workers, options))
        peak = workers.peak_mib()
    xdrs = count("cdr_xdr")
    half = max(len(points) // 2, 1)
    return {
        "points": [asdict(point) for point in points],
        "cpu_later_to_earlier": round(cpu(points[-half:]) / cpu(points[:half]), 3),
        "worker_peak_mib": peak,
        "rows_per_xdr": {table: round(count(table) / xdrs, 3) for table in STORED},
        "bytes_per_xdr": {table: stored_bytes(table, xdrs) for table in STORED},
        "parquet_bytes_per_xdr": archived_bytes(options.folder),
        "rates": sum(table.rates.count() for table in RateTable.objects.all()),
    }


def cpu(points: list[Point]) -> float:
    """Microseconds of all processes for one xDR, on the average."""
    return sum(point.worker_cpu + point.postgres_cpu for point in points) / len(points)


def warm_up(source: Source, options: argparse.Namespace) -> None:
    """A few chunks, for every process to compile the tables before anything is measured."""
    path = options.folder / "warm-up.csv"
    early = START - timedelta(hours=1)
    write_calls(path, random_accounts(300_000, options.customers), start=early)
    import_file(source, path)


def imported(source: Source, workers: Workers, options: argparse.Namespace) -> Iterator[Point]:
    path, server = options.folder / "calls.csv", postmaster_pid()
    for number in range(options.millions):
        start = START + number * timedelta(seconds=LINES / CALLS_PER_SECOND)
        write_calls(path, random_accounts(LINES, options.customers), start=start)
        worker_before, server_before = workers.cpu_seconds(), cpu_seconds(server)
        wal_before, images_before = written_wal()
        seconds = import_file(source, path)
        wal, images = written_wal()
        yield Point(
            millions_stored=number + 1,
            worker_cpu=round((workers.cpu_seconds() - worker_before) / LINES * 1e6, 2),
            postgres_cpu=round((cpu_seconds(server) - server_before) / LINES * 1e6, 2),
            wal_bytes=round((wal - wal_before) / LINES),
            full_page_images=images - images_before,
            xdrs_per_second=round(LINES / seconds),
            load=round(os.getloadavg()[0], 1),
        )


def written_wal() -> tuple[int, int]:
    """Bytes of WAL that the server has ever written, and whole pages among them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (pg_current_wal_lsn() - '0/0')::bigint, wal_fpi FROM pg_stat_wal")
        position, images = cursor.fetchone()
    return int(position), int(images)


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def stored_bytes(table: str, xdrs: int) -> dict[str, int]:
    """Of the table and its indexes, for one xDR."""
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [table, table])
        size, indexes = cursor.fetchone()
    return {"table": round(size / xdrs), "indexes": round(indexes / xdrs)}


def archived_bytes(folder: Path) -> dict[str, int]:
    """What the first million's rows take as Parquet files, as a retired month is written."""
    until = START + timedelta(seconds=LINES / CALLS_PER_SECOND)
    taken = {}
    with connection.cursor() as cursor:
        for table in PARTITIONED:
            rows = f"SELECT * FROM {table} WHERE started_at >= %s AND started_at < %s"
            cursor.execute(f"CREATE TABLE archived (LIKE {table} INCLUDING DEFAULTS)")
            cursor.execute(f"INSERT INTO archived {rows}", [START, until])
            entry = write_table("archived", folder / f"{table}.parquet")
            taken[table] = round(entry["bytes"] / LINES)
            cursor.execute("DROP TABLE archived")
    return taken
