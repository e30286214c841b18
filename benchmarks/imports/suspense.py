"""Measure the groups of what waits after an import, and correcting all of it."""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.core.management import call_command
from django.db import connection

from benchmarks.imports.measure import POLL_SECONDS, import_file
from benchmarks.imports.options import world_parser
from benchmarks.imports.suspense_pages import measure_pages
from benchmarks.imports.workers import running_workers
from benchmarks.imports.world import AT, make_world, random_accounts, write_calls
from cdr.models import Mending, Suspense, Xdr, XdrCorrection
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.selectors.suspense_groups import suspense_counts, suspense_groups
from cdr.services.mending import ask_for_mending
from common.scope import Scope

WORKERS = 2
TIMES = 5


@dataclass(frozen=True)
class Figures:
    """Of the clock on the wall, which what others do on the machine lengthens; `cpu` is not."""

    xdrs: int
    suspended: int
    groups: int
    groups_ms: float
    counts_ms: float
    pages_cpu_ms: dict[str, float]
    corrected: int
    corrected_per_second: int
    worker_cpu_seconds: float
    peak_mib: int
    load: float


def main() -> None:
    print(json.dumps(asdict(measure(world_parser().parse_args())), indent=2))


def measure(options: argparse.Namespace) -> Figures:
    call_command("migrate", verbosity=0)
    source = make_world(options.prefixes, options.customers)
    path = options.folder / "calls.csv"
    # Of five accounts the last is nobody's.
    write_calls(path, random_accounts(options.lines, options.customers * 5 // 4))
    scope, today = Scope.system(source.provider_id), AT.date()
    with running_workers(options.folder, WORKERS) as workers:
        import_file(source, path)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        waiting = Suspense.objects.filter(state=Suspense.State.OPEN).count()
        groups = suspense_groups(scope, today)
        assert sum(group.row_count for group in groups) == waiting
        groups_ms = fastest(lambda: suspense_groups(scope, today))
        counts_ms = fastest(lambda: suspense_counts(scope, today))
        pages = measure_pages(source.provider)
        clock, busy = time.perf_counter(), workers.cpu_seconds()
        mending = ask_for_mending(
            provider_id=source.provider_id,
            kind=Mending.Kind.CORRECT,
            choice=Choice(reason="unknown_customer"),
            change=Change(ChangeKind.SET, "account_code", "", "acc00000"),
            at=AT,
            actor_id=None,
        )
        while mending.state != Mending.State.DONE:
            time.sleep(POLL_SECONDS)
            mending.refresh_from_db()
        seconds, cpu_seconds = time.perf_counter() - clock, workers.cpu_seconds() - busy
        peak = workers.peak_mib()
    assert mending.freed_count == waiting == XdrCorrection.objects.count()
    assert not Xdr.objects.filter(result=Xdr.Result.SUSPENDED).exists()
    return Figures(
        xdrs=Xdr.objects.count(),
        suspended=waiting,
        groups=len(groups),
        groups_ms=round(groups_ms, 1),
        counts_ms=round(counts_ms, 1),
        pages_cpu_ms=pages,
        corrected=mending.freed_count,
        corrected_per_second=round(waiting / seconds),
        worker_cpu_seconds=round(cpu_seconds, 1),
        peak_mib=peak,
        load=round(os.getloadavg()[0], 1),
    )


def fastest(ask: Callable[[], object]) -> float:
    """Milliseconds of the fastest of TIMES."""
    taken = []
    for _ in range(TIMES):
        clock = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - clock)
    return min(taken) * 1000
