"""Measure a dry run over all stored xDRs, and applying it."""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from benchmarks.imports.measure import POLL_SECONDS, import_file
from benchmarks.imports.workers import running_workers
from benchmarks.imports.world import AT, START, make_world, random_accounts, write_calls
from catalogue.models import RateTable
from cdr.models import Leg, LegKind, ReplacedLeg, Rerating, UsageCharge
from cdr.services.rerating import apply_rerating, ask_for_rerating

WORKERS = 2


@dataclass(frozen=True)
class Figures:
    """Seconds of the clock on the wall; what others do on the machine lengthens them."""

    xdrs: int
    seconds: float
    dry_run_seconds: float
    applying_seconds: float
    import_seconds: float
    peak_mib: int
    changed: int
    usage_charges: int


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
    with running_workers(options.folder, WORKERS) as workers:
        import_seconds = import_file(source, path)
        raise_prices(RateTable.objects.order_by("pk")[0])
        clock = time.perf_counter()
        rerating = ask_for_rerating(
            provider_id=source.provider_id,
            reason="The benchmark's",
            started_from=START,
            started_to=START + timedelta(days=30),
            at=AT,
            actor_id=None,
        )
        wait_for(rerating, Rerating.State.MEASURED)
        dry_run_seconds = time.perf_counter() - clock
        clock = time.perf_counter()
        apply_rerating(rerating_id=rerating.pk, at=AT, actor_id=None)
        wait_for(rerating, Rerating.State.APPLIED)
        applying_seconds = time.perf_counter() - clock
        peak = workers.peak_mib()
    check(rerating)
    return Figures(
        xdrs=options.lines,
        seconds=round(dry_run_seconds + applying_seconds, 1),
        dry_run_seconds=round(dry_run_seconds, 1),
        applying_seconds=round(applying_seconds, 1),
        import_seconds=round(import_seconds, 1),
        peak_mib=peak,
        changed=ReplacedLeg.objects.count(),
        usage_charges=UsageCharge.objects.filter(rerating=rerating).count(),
    )


def raise_prices(table: RateTable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE catalogue_rate SET rate = rate * 1.1 WHERE rate_table_id = %s", [table.pk]
        )


def wait_for(rerating: Rerating, state: Rerating.State) -> None:
    while rerating.state != state:
        time.sleep(POLL_SECONDS)
        rerating.refresh_from_db()


def check(rerating: Rerating) -> None:
    """What was measured must be what customers are charged now."""
    owed = UsageCharge.objects.filter(kind=LegKind.CUSTOMER).aggregate(sum=Sum("amount"))["sum"]
    legs = Leg.objects.filter(kind=LegKind.CUSTOMER).aggregate(sum=Sum("amount"))["sum"]
    after = rerating.deltas.aggregate(sum=Sum("after_amount"))["sum"]
    assert owed == legs == after, f"charged {owed}, legs {legs}, measured {after}"
