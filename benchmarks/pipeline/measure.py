"""Measure the import with one and with two worker processes."""

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from benchmarks.pipeline.copying import copy_again, dump_chunks
from benchmarks.pipeline.tables import count_rated, empty_all, empty_rated
from benchmarks.pipeline.workers import cpu_seconds, parent_of, running_workers
from benchmarks.pipeline.world import AT, make_world, random_accounts, write_calls
from cdr.models import Source, XdrFile
from cdr.services.intake import receive_file

POLL_SECONDS = 0.02
CHUNKS_TO_WARM_UP = 6


@dataclass(frozen=True)
class Figures:
    """Rates are xDRs per second; memory is the greatest of one worker process.

    The CPU time per xDR, of workers and of PostgreSQL, tells what the rates would be on a machine
    that does nothing else.
    """

    lines: int
    prefixes_per_table: int
    customers: int
    rows_per_xdr: float
    one_worker: int
    copy_only_one: int
    ratio_one: float
    two_workers: int
    copy_only_two: int
    ratio_two: float
    worker_cpu_microseconds: float
    postgres_cpu_microseconds: float
    copy_only_cpu_microseconds: float
    peak_worker_mib: int


@dataclass(frozen=True)
class Run:
    """What one import took, and the COPY of its rows alone: in seconds, and in CPU seconds."""

    seconds: float
    copy_seconds: float
    worker_cpu: float
    postgres_cpu: float
    copy_cpu: float
    peak_mib: int


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--prefixes", type=int, default=60_000)
    parser.add_argument("--customers", type=int, default=2_000)
    print(json.dumps(asdict(measure(parser.parse_args())), indent=2))


def measure(options: argparse.Namespace) -> Figures:
    call_command("migrate", verbosity=0)
    source = make_world(options.prefixes, options.customers)
    path = options.folder / "calls.csv"
    write_calls(path, random_accounts(options.lines, options.customers))
    one, two = (measure_workers(count, source, path) for count in (1, 2))
    lines = options.lines
    return Figures(
        lines=lines,
        prefixes_per_table=options.prefixes,
        customers=options.customers,
        rows_per_xdr=round(count_rated() / lines, 3),
        one_worker=round(lines / one.seconds),
        copy_only_one=round(lines / one.copy_seconds),
        ratio_one=round(one.copy_seconds / one.seconds, 3),
        two_workers=round(lines / two.seconds),
        copy_only_two=round(lines / two.copy_seconds),
        ratio_two=round(two.copy_seconds / two.seconds, 3),
        worker_cpu_microseconds=round(two.worker_cpu / lines * 1e6, 1),
        postgres_cpu_microseconds=round(two.postgres_cpu / lines * 1e6, 1),
        copy_only_cpu_microseconds=round(two.copy_cpu / lines * 1e6, 1),
        peak_worker_mib=max(one.peak_mib, two.peak_mib),
    )


def measure_workers(count: int, source: Source, path: Path) -> Run:
    server = postmaster_pid()
    with running_workers(path.parent, count) as workers:
        empty_all()
        import_file(source, beginning_of(path))
        empty_all()
        worker_before, server_before = workers.cpu_seconds(), cpu_seconds(server)
        seconds = import_file(source, path)
        worker_cpu = workers.cpu_seconds() - worker_before
        server_cpu = cpu_seconds(server) - server_before
        peak = workers.peak_mib()
    chunks = dump_chunks(path.parent)
    empty_rated()
    server_before = cpu_seconds(server)
    copied = copy_again(os.environ["DATABASE_URL"], chunks, count)
    copy_cpu = cpu_seconds(server) - server_before
    return Run(seconds, copied, worker_cpu, server_cpu, copy_cpu, peak)


def postmaster_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return parent_of(cursor.fetchone()[0])


def beginning_of(path: Path) -> Path:
    """A few chunks, for every process to compile the tables before the clock runs."""
    short = path.with_name(f"warm-up-{time.monotonic_ns()}.csv")
    with path.open("rb") as whole, short.open("wb") as part:
        part.writelines(islice(whole, CHUNKS_TO_WARM_UP * settings.XDR_CHUNK_LINES))
    return short


def import_file(source: Source, path: Path) -> float:
    """Seconds from opening the file to the commit of its last chunk."""
    clock = time.perf_counter()
    with path.open("rb") as content:
        file = receive_file(content=content, name=path.name, source=source, at=AT, actor_id=None)
    while file.state != XdrFile.State.DONE:
        time.sleep(POLL_SECONDS)
        file.refresh_from_db()
    return time.perf_counter() - clock
