"""Workers that are killed and brokers that forget, in the middle of a bill run: really done."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from billing.models import BilledUsage, BillRun, BillRunItem, Invoice, NumberSeries
from billing.services.bill_runs import (
    approve_bill_run,
    create_bill_run,
    queue_open_runs,
    start_calculation,
    start_issuing,
)
from cdr.models import LegKind, PartyKind, UsageCharge
from common.scope import Scope
from ledger.models import Transfer
from ledger.selectors import ledger_faults
from tenancy.models import Provider
from tests.factories import LONG_AGO, make_customer, make_provider, make_tax_profile
from tests.factories.billing import IN_NOVEMBER, OCTOBER, make_chunk
from tests.race import race
from tests.workers import forget_queued_work, start_worker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS = 400


@pytest.fixture
def provider(transactional_db: None) -> Iterator[Provider]:
    """Customer n owes n cents each for calls to two destinations; a tenth of it in tax."""
    forget_queued_work()
    provider = make_provider()
    make_tax_profile(provider, "10")
    chunk = make_chunk(provider)
    customers = [make_customer(provider) for _ in range(CUSTOMERS)]
    UsageCharge.objects.bulk_create(
        UsageCharge(
            provider=provider,
            chunk=chunk,
            kind=LegKind.CUSTOMER,
            payer_kind=PartyKind.CUSTOMER,
            payer_id=customer.pk,
            payee_kind=PartyKind.PROVIDER,
            payee_id=0,
            product=chunk.file.source.product,
            day=OCTOBER.from_date,
            destination=destination,
            currency="EUR",
            call_count=1,
            volume=60,
            billed_volume=60,
            amount=Decimal(cents) / 100,
            created_at=LONG_AGO,
        )
        for cents, customer in enumerate(customers, start=1)
        for destination in ("Austria", "Belgium")
    )
    yield provider
    forget_queued_work()


def start_run(provider: Provider) -> BillRun:
    run = create_bill_run(provider=provider, period=OCTOBER, at=IN_NOVEMBER, actor_id=None)
    return start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)


def start_issue(run: BillRun) -> None:
    approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    start_issuing(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)


def reaches(run: BillRun, state: BillRun.State) -> Callable[[], bool]:
    def reached() -> bool:
        run.refresh_from_db()
        return run.state == state

    return reached


def kill_halfway(run: BillRun, folder: Path, state: BillRunItem.State, next_state: str) -> None:
    """Kill a worker when some items of the run are done and others are not."""
    worker = start_worker(folder, children=2)
    try:
        wait_for(lambda: run.items.filter(state=state).exists(), "the first batch", 60)
    finally:
        worker.kill()
    run.refresh_from_db()
    assert run.state != next_state, "the run was over before the worker was killed"


def finish(run: BillRun, folder: Path, state: BillRun.State) -> None:
    """A new worker, and the sweep, as the dead worker's messages are with nobody."""
    worker = start_worker(folder, children=2)
    try:
        queue_open_runs(at=IN_NOVEMBER)
        wait_for(reaches(run, state), state, 90)
    finally:
        worker.stop()


def check_issued(provider: Provider) -> None:
    """Every figure as if nothing had happened."""
    invoices = Invoice.objects.filter(provider=provider).order_by("number")
    assert [row.number for row in invoices] == [
        f"INV-2026-{number:06}" for number in range(1, CUSTOMERS + 1)
    ]
    assert len({row.customer_id for row in invoices}) == CUSTOMERS
    assert sorted(row.net_amount for row in invoices) == [
        Decimal(2 * cents) / 100 for cents in range(1, CUSTOMERS + 1)
    ]
    assert NumberSeries.objects.get().next_number == CUSTOMERS + 1
    assert BilledUsage.objects.count() == 2 * CUSTOMERS
    taxed = invoices.filter(tax_amount__gt=0).count()
    assert Transfer.objects.count() == CUSTOMERS + taxed
    assert not ledger_faults(Scope.system(provider.pk))


class TestKillingAWorker:
    def test_in_the_middle_of_calculating_and_of_issuing_changes_no_figure(
        self, provider: Provider, tmp_path: Path
    ) -> None:
        run = start_run(provider)
        kill_halfway(run, tmp_path, BillRunItem.State.ESTIMATED, BillRun.State.REVIEW)
        finish(run, tmp_path, BillRun.State.REVIEW)
        start_issue(run)
        kill_halfway(run, tmp_path, BillRunItem.State.ISSUED, BillRun.State.ISSUED)

        finish(run, tmp_path, BillRun.State.ISSUED)

        check_issued(provider)


class TestLosingTheBroker:
    def test_with_all_queued_work_is_mended_by_the_sweep(
        self, provider: Provider, tmp_path: Path
    ) -> None:
        run = start_run(provider)
        forget_queued_work()
        finish(run, tmp_path, BillRun.State.REVIEW)
        start_issue(run)
        forget_queued_work()

        finish(run, tmp_path, BillRun.State.ISSUED)

        check_issued(provider)


class TestTwoBillRunsAtOnce:
    def test_are_one(self, provider: Provider, tmp_path: Path) -> None:
        race(*[lambda: start_run(provider)] * 2)
        run = BillRun.objects.get()
        finish(run, tmp_path, BillRun.State.REVIEW)
        outcomes = race(*[lambda: start_issue(run)] * 2)

        finish(run, tmp_path, BillRun.State.ISSUED)

        assert len([outcome for outcome in outcomes if outcome is None]) == 1
        check_issued(provider)
