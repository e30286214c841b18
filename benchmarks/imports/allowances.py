"""Measure the same import without allowances and with one for every customer."""

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from django.core.management import call_command
from django.db.models import Sum

from benchmarks.imports.measure import import_file, postmaster_pid
from benchmarks.imports.options import world_parser
from benchmarks.imports.tables import checkpoint, empty_all
from benchmarks.imports.workers import cpu_seconds, running_workers
from benchmarks.imports.world import AT, START, make_world, random_accounts, write_calls
from cdr.models import AllowanceCounter, AllowanceUse, Leg, Source
from cdr.services.chunks import rate_chunk
from cdr.services.intake import receive_file
from cdr.services.rerating import ask_for_rerating, plan_rerating
from cdr.services.rerating_slices import work_on_slice
from cdr.services.splitting import split_file
from customers.models import Customer
from subscriptions.models import Subscription
from tests import factories
from tests.factories.catalogue import make_allowance

ROUNDS = 2
USUAL_SECONDS = 180


@dataclass(frozen=True)
class Figures:
    """Microseconds of processor time per xDR, and what was included of the volume.

    `two_gain` is how many times as fast two workers are as one, on the clock on the wall; `load`
    is that of the machine, which lessens it.
    """

    xdrs: int
    customers: int
    worker_without: float
    worker_with: float
    postgres_without: float
    postgres_with: float
    two_gain_without: float
    two_gain_with: float
    order_worker: float
    included_legs: int
    uses: int
    load: float


def main() -> None:
    print(json.dumps(asdict(measure(world_parser(lines=200_000).parse_args())), indent=2))


def measure(options: argparse.Namespace) -> Figures:
    call_command("migrate", verbosity=0)
    source = make_world(options.prefixes, options.customers)
    path = options.folder / "calls.csv"
    write_calls(path, random_accounts(options.lines, options.customers))
    import_once(source, path)
    without, gain_without = least(source, path), gain_of_two(source, path)
    give_allowances(source, options.lines // options.customers * USUAL_SECONDS // 2)
    including, gain_with = least(source, path), gain_of_two(source, path)
    order = dry_run(source)
    check()
    share = 1e6 / options.lines
    return Figures(
        xdrs=options.lines,
        customers=options.customers,
        worker_without=round(without[0] * share, 2),
        worker_with=round(including[0] * share, 2),
        postgres_without=round(without[1] * share, 2),
        postgres_with=round(including[1] * share, 2),
        two_gain_without=round(gain_without, 2),
        two_gain_with=round(gain_with, 2),
        order_worker=round(order * share, 2),
        included_legs=Leg.objects.filter(included_volume__gt=0).count(),
        uses=AllowanceUse.objects.count(),
        load=round(os.getloadavg()[0], 1),
    )


def least(source: Source, path: Path) -> tuple[float, float]:
    """Processor seconds of this process and of PostgreSQL."""
    runs = [import_once(source, path) for _ in range(ROUNDS)]
    return min(worker for worker, _ in runs), min(server for _, server in runs)


def import_once(source: Source, path: Path) -> tuple[float, float]:
    empty_all()
    server = postmaster_pid()
    with path.open("rb") as content:
        file = receive_file(content=content, name=path.name, source=source, at=AT, actor_id=None)
    split_file(file_id=file.pk, at=AT)
    chunk_ids = list(file.chunks.order_by("number").values_list("pk", flat=True))
    worker_before, server_before = time.process_time(), cpu_seconds(server)
    for chunk_id in chunk_ids:
        rate_chunk(chunk_id=chunk_id, at=AT)
    return time.process_time() - worker_before, cpu_seconds(server) - server_before


def gain_of_two(source: Source, path: Path) -> float:
    """How many times as fast the file is imported by two workers as by one."""
    one, two = (min(timed(source, path, workers)) for workers in (1, 2))
    return one / two


def timed(source: Source, path: Path, workers: int) -> list[float]:
    """Seconds of imports by so many workers, after one that compiles the tables."""
    with running_workers(path.parent, workers):
        runs = []
        for _ in range(1 + ROUNDS):
            empty_all()
            checkpoint()
            runs.append(import_file(source, path))
    return runs[1:]


def give_allowances(source: Source, volume: int) -> None:
    flat = factories.make_product(source.provider, kind="RECURRING")
    monthly = {"product": flat, "price": Decimal(10), "price_period": "MONTH"}
    item = factories.make_catalogue(source.provider, [monthly]).items.get()
    make_allowance(item, source.product, volume=volume, rolls_over=True, priority=2)
    make_allowance(item, source.product, volume=volume // 10, destinations=["10"])
    Subscription.objects.bulk_create(
        Subscription(
            provider=source.provider,
            customer=customer,
            product=flat,
            item=item,
            currency=item.currency,
            price=item.price,
            price_period=item.price_period,
            state=Subscription.State.ACTIVE,
            start_date=date(2026, 1, 1),
            created_at=factories.LONG_AGO,
        )
        for customer in Customer.objects.filter(provider=source.provider)
    )


def dry_run(source: Source) -> float:
    rerating = ask_for_rerating(
        provider_id=source.provider_id,
        reason="The benchmark's",
        started_from=START,
        started_to=START + timedelta(days=20),
        at=AT,
        actor_id=None,
    )
    plan_rerating(rerating_id=rerating.pk, at=AT)
    before = time.process_time()
    for slice_id in rerating.slices.order_by("number").values_list("pk", flat=True):
        work_on_slice(slice_id=slice_id, at=AT)
    return time.process_time() - before


def check() -> None:
    """Legs, uses and counters must say the same."""
    legs = Leg.objects.aggregate(sum=Sum("included_volume"))["sum"]
    uses = AllowanceUse.objects.aggregate(sum=Sum("volume"))["sum"]
    counters = AllowanceCounter.objects.aggregate(sum=Sum("used_volume"))["sum"]
    assert legs == uses == counters, f"legs {legs}, uses {uses}, counters {counters}"
