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

from benchmarks.pipeline.copying import copy_again, dump_chunks
from benchmarks.pipeline.tables import count_rated, empty_all
from benchmarks.pipeline.workers import running_workers
from benchmarks.pipeline.world import AT, make_world, write_calls
from cdr.models import Source, XdrFile
from cdr.services.intake import receive_file

POLL_SECONDS = 0.02
CHUNKS_TO_WARM_UP = 6


@dataclass(frozen=True)
class Figures:
    """Rates are xDRs per second; memory is the greatest of one worker process."""

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
    peak_worker_mib: int


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
    write_calls(path, options.lines, options.customers)
    one, one_copied, one_peak = measure_workers(1, source, path)
    two, two_copied, two_peak = measure_workers(2, source, path)
    return Figures(
        lines=options.lines,
        prefixes_per_table=options.prefixes,
        customers=options.customers,
        rows_per_xdr=round(count_rated() / options.lines, 3),
        one_worker=round(options.lines / one),
        copy_only_one=round(options.lines / one_copied),
        ratio_one=round(one_copied / one, 3),
        two_workers=round(options.lines / two),
        copy_only_two=round(options.lines / two_copied),
        ratio_two=round(two_copied / two, 3),
        peak_worker_mib=max(one_peak, two_peak),
    )


def measure_workers(count: int, source: Source, path: Path) -> tuple[float, float, int]:
    """Seconds of the import, seconds of its COPYs alone, and the peak memory in MiB."""
    with running_workers(path.parent, count) as workers:
        empty_all()
        import_file(source, beginning_of(path))
        empty_all()
        seconds = import_file(source, path)
        peak = workers.peak_mib()
    copied = copy_again(os.environ["DATABASE_URL"], dump_chunks(path.parent), count)
    return seconds, copied, peak


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
