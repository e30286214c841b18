"""Measure a dry run over all stored xDRs, applying it, and a dry run that finds no change."""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from benchmarks.imports.measure import POLL_SECONDS, import_file, postmaster_pid
from benchmarks.imports.options import world_parser
from benchmarks.imports.workers import Workers, cpu_seconds, running_workers
from benchmarks.imports.world import AT, START, make_world, random_accounts, write_calls
from catalogue.models import RateTable
from cdr.models import Leg, LegKind, ReplacedLeg, Rerating, Source, UsageCharge
from cdr.services.rerating import apply_rerating, ask_for_rerating
from customers.models import Customer
from tests.factories.allowances import give_minutes

WORKERS = 2
INCLUDED_SECONDS = 60_000


@dataclass(frozen=True)
class Step:
    """What a step took: on the wall's clock, which other programs lengthen, and of processors.

    `cpu_seconds` is of the workers and of PostgreSQL together: as long as one processor computes.
    """

    seconds: float
    cpu_seconds: float
    worker_cpu_seconds: float
    postgres_cpu_seconds: float


@dataclass(frozen=True)
class Figures:
    xdrs: int
    customers: int
    importing: Step
    dry_run: Step
    applying: Step
    dry_run_of_no_change: Step
    peak_mib: int
    changed: int
    usage_charges: int
    load: float


def main() -> None:
    parser = world_parser()
    parser.add_argument("--one-customer", action="store_true")
    print(json.dumps(asdict(measure(parser.parse_args())), indent=2))


def measure(options: argparse.Namespace) -> Figures:
    call_command("migrate", verbosity=0)
    customers = 1 if options.one_customer else options.customers
    source = make_world(options.prefixes, customers)
    if options.one_customer:
        give_minutes(Customer.objects.get(), source.product, INCLUDED_SECONDS)
    path = options.folder / "calls.csv"
    write_calls(path, random_accounts(options.lines, customers))
    with running_workers(options.folder, WORKERS) as workers:
        importing = timed(workers, lambda: import_file(source, path))
        for table in RateTable.objects.order_by("pk"):
            raise_prices(table)
        rerating = ask(source)
        dry_run = timed(workers, lambda: wait_for(rerating, Rerating.State.MEASURED))
        apply_rerating(rerating_id=rerating.pk, at=AT, actor_id=None)
        applying = timed(workers, lambda: wait_for(rerating, Rerating.State.APPLIED))
        peak = workers.peak_mib()
        check(rerating)
        again = ask(source)
        of_no_change = timed(workers, lambda: wait_for(again, Rerating.State.MEASURED))
    return Figures(
        xdrs=options.lines,
        customers=customers,
        importing=importing,
        dry_run=dry_run,
        applying=applying,
        dry_run_of_no_change=of_no_change,
        peak_mib=peak,
        changed=ReplacedLeg.objects.count(),
        usage_charges=UsageCharge.objects.filter(rerating=rerating).count(),
        load=round(os.getloadavg()[0], 1),
    )


def timed(workers: Workers, work: Callable[[], object]) -> Step:
    """What it took, from now to the end of `work`, which waits for what was asked for."""
    server = postmaster_pid()
    clock, worker, postgres = time.perf_counter(), workers.cpu_seconds(), cpu_seconds(server)
    work()
    seconds = time.perf_counter() - clock
    worker, postgres = workers.cpu_seconds() - worker, cpu_seconds(server) - postgres
    return Step(*(round(each, 1) for each in (seconds, worker + postgres, worker, postgres)))


def ask(source: Source) -> Rerating:
    """A dry run of all that was imported."""
    return ask_for_rerating(
        provider_id=source.provider_id,
        reason="The benchmark's",
        started_from=START,
        started_to=START + timedelta(days=30),
        at=AT,
        actor_id=None,
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
    deltas = rerating.deltas.filter(kind=LegKind.CUSTOMER)
    after = deltas.aggregate(sum=Sum("after_amount"))["sum"]
    assert owed == legs == after, f"charged {owed}, legs {legs}, measured {after}"
