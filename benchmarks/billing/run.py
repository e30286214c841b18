"""The measuring itself, once the settings name the engines."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from django.core.management import call_command
from django.db import connection

from billing.models import BillRun, Invoice, InvoiceLine
from billing.services.bill_runs import (
    approve_bill_run,
    create_bill_run,
    start_calculation,
    start_issuing,
)
from cdr.models import LegKind, PartyKind, UsageCharge
from common.periods import month
from customers.models import Customer
from tests import factories
from tests.factories.billing import make_chunk

ROOT = Path(__file__).resolve().parents[2]
DESTINATIONS = [f"Destination {number}" for number in range(1, 9)]
DAYS = (date(2026, 10, 5), date(2026, 10, 15), date(2026, 10, 25))
IN_NOVEMBER = datetime(2026, 11, 3, tzinfo=UTC)
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Figures:
    """What was billed, how long each step took, and the invoices a second over both.

    CPU time is that of the workers and of PostgreSQL: other processes cannot take from it.
    """

    customers: int
    usage_charges: int
    lines: int
    workers: int
    calculate_seconds: float
    issue_seconds: float
    invoices_per_second: int
    cpu_milliseconds_per_invoice: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.bill_run")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(json.dumps(asdict(measure(options.folder, options.customers, options.workers))))


def measure(folder: Path, customers: int, workers: int) -> Figures:
    call_command("migrate", verbosity=0)
    warm_run, run = make_world("warm", 40), make_world("bench", customers)
    with running_workers(folder, workers) as worker:
        bill(worker, warm_run)
        cpu = cpu_seconds(folder, worker)
        calculating, issuing = bill(worker, run)
        cpu = cpu_seconds(folder, worker) - cpu
    issued = Invoice.objects.filter(bill_run_item__run=run, number__isnull=False).count()
    assert issued == customers
    return Figures(
        customers=customers,
        usage_charges=UsageCharge.objects.filter(provider=run.provider).count(),
        lines=InvoiceLine.objects.filter(provider=run.provider).count(),
        workers=workers,
        calculate_seconds=round(calculating, 2),
        issue_seconds=round(issuing, 2),
        invoices_per_second=round(issued / (calculating + issuing)),
        cpu_milliseconds_per_invoice=round(cpu / issued * 1000, 2),
    )


def bill(worker: Any, run: BillRun) -> tuple[float, float]:
    """Seconds to calculate and to issue a run."""
    steps = {"at": IN_NOVEMBER, "actor_id": None}
    calculating = timed(worker, start_calculation, run, BillRun.State.REVIEW, **steps)
    approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    return calculating, timed(worker, start_issuing, run, BillRun.State.ISSUED, **steps)


def cpu_seconds(folder: Path, worker: subprocess.Popen[bytes]) -> float:
    """CPU time so far of the workers and of PostgreSQL, whose processes all live on."""
    server = int((folder / "postgres/data/postmaster.pid").read_text().split()[0])
    processes = [
        process
        for pid in (worker.pid, server)
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    ]
    times = [process.cpu_times() for process in processes]
    return float(sum(spent.user + spent.system for spent in times))


def make_world(slug: str, customers: int) -> BillRun:
    """A run over customers who all owe something."""
    provider = factories.make_provider(slug)
    factories.make_tax_profile(provider, "19")
    chunk = make_chunk(provider)
    made = Customer.objects.bulk_create(
        Customer(
            provider=provider,
            number=number,
            organisation=f"Customer {number}",
            first_name="Carl",
            last_name="Customer",
            email=f"customer{number}@example.com",
            address="Nebenstrasse 2\n10117 Berlin",
            country="DE",
            currency="EUR",
            state=Customer.State.ACTIVE,
            channel=Customer.Channel.API,
            created_at=factories.LONG_AGO,
        )
        for number in range(1, customers + 1)
    )
    UsageCharge.objects.bulk_create(
        [
            UsageCharge(
                provider=provider,
                chunk=chunk,
                kind=LegKind.CUSTOMER,
                payer_kind=PartyKind.CUSTOMER,
                payer_id=customer.pk,
                payee_kind=PartyKind.PROVIDER,
                payee_id=0,
                product=chunk.file.source.product,
                day=day,
                destination=destination,
                currency="EUR",
                call_count=7,
                volume=420,
                billed_volume=420,
                amount=Decimal("1.23456"),
                created_at=factories.LONG_AGO,
            )
            for day in DAYS
            for customer in made
            for destination in DESTINATIONS
        ],
        batch_size=5_000,
    )
    vacuum()
    return create_bill_run(provider=provider, period=month(2026, 10), at=IN_NOVEMBER, actor_id=None)


def vacuum() -> None:
    """Statistics as the server's own autovacuum would have made them by the end of a month."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def timed(worker: Any, start: Any, run: Any, state: str, **arguments: Any) -> float:
    """Seconds from starting a step to the run reaching `state`."""
    clock = time.perf_counter()
    start(run_id=run.pk, **arguments)
    while run.state != state:
        time.sleep(POLL_SECONDS)
        run.refresh_from_db()
        assert run.state != "FAILED", run.error
        assert worker.poll() is None, "the worker ended"
    return time.perf_counter() - clock


@contextmanager
def running_workers(folder: Path, count: int) -> Iterator[subprocess.Popen[bytes]]:
    log = (folder / "worker.log").open("ab")
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", "billing", f"-c{count}"],
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait()
