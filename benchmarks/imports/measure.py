"""Measure the import by a number of worker processes."""

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from benchmarks.imports.copying import copy_again, dump_chunks
from benchmarks.imports.options import world_parser
from benchmarks.imports.tables import checkpoint, empty_all, empty_rated
from benchmarks.imports.workers import cpu_seconds, parent_of, running_workers
from benchmarks.imports.world import AT, make_world, random_accounts, write_calls
from cdr.models import Leg, Source, XdrFile
from cdr.services.intake import receive_file

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Figures:
    """What was measured; memory is the greatest of one worker process.

    The CPU time per xDR, of workers and of PostgreSQL, tells what the rates would be on a machine
    that does nothing else.
    """

    xdrs: int
    legs_per_xdr: float
    workers: int
    xdrs_per_second: int
    copy_only_xdrs_per_second: int
    ratio: float
    worker_peak_mib: int
    worker_cpu_microseconds: float
    postgres_cpu_microseconds: float
    copy_only_cpu_microseconds: float
    prefixes_per_table: int
    customers: int


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
    parser = world_parser()
    parser.add_argument("--workers", type=int, default=2)
    print(json.dumps(asdict(measure(parser.parse_args()))))


def measure(options: argparse.Namespace) -> Figures:
    call_command("migrate", verbosity=0)
    source = make_world(options.prefixes, options.customers)
    path = options.folder / "calls.csv"
    write_calls(path, random_accounts(options.lines, options.customers))
    run = measure_workers(options.workers, source, path)
    lines = options.lines
    return Figures(
        xdrs=lines,
        legs_per_xdr=round(Leg.objects.count() / lines, 3),
        workers=options.workers,
        xdrs_per_second=round(lines / run.seconds),
        copy_only_xdrs_per_second=round(lines / run.copy_seconds),
        ratio=round(run.copy_seconds / run.seconds, 3),
        worker_peak_mib=run.peak_mib,
        worker_cpu_microseconds=round(run.worker_cpu / lines * 1e6, 1),
        postgres_cpu_microseconds=round(run.postgres_cpu / lines * 1e6, 1),
        copy_only_cpu_microseconds=round(run.copy_cpu / lines * 1e6, 1),
        prefixes_per_table=options.prefixes,
        customers=options.customers,
    )


def measure_workers(count: int, source: Source, path: Path) -> Run:
    """The second of two imports, and a COPY of its rows, each from a checkpoint on.

    After the first the workers have compiled the tables, and PostgreSQL writes its WAL into files
    used before, as it does in a database at work.
    """
    server = postmaster_pid()
    with running_workers(path.parent, count) as workers:
        empty_all()
        import_file(source, path)
        empty_all()
        checkpoint()
        worker_before, server_before = workers.cpu_seconds(), cpu_seconds(server)
        seconds = import_file(source, path)
        worker_cpu = workers.cpu_seconds() - worker_before
        server_cpu = cpu_seconds(server) - server_before
        peak = workers.peak_mib()
    chunks = dump_chunks(path.parent)
    empty_rated()
    checkpoint()
    server_before = cpu_seconds(server)
    copied = copy_again(os.environ["DATABASE_URL"], chunks, count)
    copy_cpu = cpu_seconds(server) - server_before
    return Run(seconds, copied, worker_cpu, server_cpu, copy_cpu, peak)


def postmaster_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return parent_of(cursor.fetchone()[0])


def import_file(source: Source, path: Path) -> float:
    """Seconds from opening the file to the commit of its last chunk."""
    clock = time.perf_counter()
    with path.open("rb") as content:
        file = receive_file(content=content, name=path.name, source=source, at=AT, actor_id=None)
    while file.state != XdrFile.State.DONE:
        time.sleep(POLL_SECONDS)
        file.refresh_from_db()
    return time.perf_counter() - clock
