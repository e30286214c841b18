"""A bill run's way from draft to issued."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit.models import Entry
from billing.models import BillRun, BillRunItem, Invoice
from billing.services import bill_run_work
from billing.services.batches import BATCH_ITEMS
from billing.services.bill_runs import (
    BillRunNotApproved,
    BillRunNotCalculable,
    BillRunNotInReview,
    LedgerNotSound,
    PeriodNotOver,
    approve_bill_run,
    create_bill_run,
    start_calculation,
    start_issuing,
)
from common.periods import month
from customers.models import Customer
from tenancy.models import BillerEntity, Provider
from tests.factories import make_biller_entity, make_customer, make_provider, make_reseller
from tests.factories.billing import (
    IN_NOVEMBER,
    OCTOBER,
    calculate_run,
    invoice_of,
    issue_run,
    item_ids,
    make_charge,
    make_chunk,
    make_usage,
)
from tests.factories.subscriptions import make_offer, make_subscription
from tests.race import race
from tests.refusals import refused
from tests.tampering import tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def create(provider: Provider, at: datetime = IN_NOVEMBER) -> BillRun:
    return create_bill_run(provider=provider, period=OCTOBER, at=at, actor_id=None)


def batches(sent: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, int]]:
    """The tasks sent, with how many items or invoices each is about."""
    return [(name, len(kwargs.get("item_ids") or kwargs["invoice_ids"])) for name, kwargs in sent]


class TestCreatingABillRun:
    def test_makes_a_draft(self, provider: Provider) -> None:
        run = create(provider)

        assert run.state == BillRun.State.DRAFT
        assert (run.period_from, run.period_to) == (date(2026, 10, 1), date(2026, 11, 1))
        assert Entry.objects.get(action="bill_run.created").object_id == str(run.pk)

    def test_again_gives_the_one_there_is(self, provider: Provider) -> None:
        assert create(provider) == create(provider)
        assert Entry.objects.filter(action="bill_run.created").count() == 1

    def test_of_another_provider_or_period_makes_another(self, provider: Provider) -> None:
        september = create_bill_run(
            provider=provider, period=month(2026, 9), at=IN_NOVEMBER, actor_id=None
        )

        assert len({create(provider), create(make_provider()), september}) == 3

    @pytest.mark.parametrize(
        ("zone", "over_at"),
        [
            ("Europe/Berlin", datetime(2026, 10, 31, 23, tzinfo=UTC)),
            ("America/New_York", datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ],
    )
    def test_waits_for_the_period_to_end_where_the_provider_is(
        self, zone: str, over_at: datetime
    ) -> None:
        provider = make_provider(time_zone=zone)

        with refused(PeriodNotOver):
            create(provider, at=over_at.replace(minute=0, hour=over_at.hour - 1))
        assert create(provider, at=over_at).state == BillRun.State.DRAFT


@pytest.mark.django_db(transaction=True)
class TestCreatingABillRunTwiceAtOnce:
    def test_makes_one(self) -> None:
        provider = make_provider()

        runs = race(*[lambda: create(provider)] * 4)

        assert len({run.pk for run in runs if isinstance(run, BillRun)}) == 1
        assert BillRun.objects.count() == 1


class TestTheCustomersOfARun:
    @pytest.mark.parametrize(
        ("state", "is_billable", "is_in"),
        [
            (Customer.State.ACTIVE, True, True),
            (Customer.State.RESTRICTED, True, True),
            (Customer.State.DISABLED, True, True),
            (Customer.State.DRAFT, True, False),
            (Customer.State.AWAITING_CONFIRMATION, True, False),
            (Customer.State.ACTIVE, False, False),
            (Customer.State.TERMINATED, True, True),
            (Customer.State.TERMINATED, False, False),
        ],
    )
    def test_are_those_who_are_served_and_billable(
        self, provider: Provider, state: str, is_billable: bool, is_in: bool
    ) -> None:
        customer = make_customer(provider, state=state, is_billable=is_billable)
        make_usage(customer, "1")

        calculate_run(provider)

        assert Invoice.objects.filter(customer=customer).exists() is is_in

    def test_are_without_a_terminated_one_that_owes_nothing(self, provider: Provider) -> None:
        terminated = make_customer(provider, state=Customer.State.TERMINATED)
        make_usage(terminated, "1", day=date(2026, 11, 1))

        assert not calculate_run(provider).items.exists()

    def test_are_with_a_terminated_one_that_owes_a_charge(self, provider: Provider) -> None:
        terminated = make_customer(provider, state=Customer.State.TERMINATED)
        make_charge(terminated, "5")

        calculate_run(provider)

        assert invoice_of(terminated).net_amount == 5

    def test_are_with_one_terminated_in_the_period_with_a_subscription(
        self, provider: Provider
    ) -> None:
        terminated = make_customer(
            provider,
            state=Customer.State.TERMINATED,
            terminated_at=datetime(2026, 10, 31, 12, tzinfo=UTC),
        )
        item = make_offer(provider, in_advance=False)
        make_subscription(terminated, item, date(2026, 10, 1))

        calculate_run(provider)

        assert invoice_of(terminated).net_amount == Decimal("21.60")

    def test_are_without_resellers_that_owe_nothing(self, provider: Provider) -> None:
        make_reseller(provider)

        assert not calculate_run(provider).items.exists()


class TestCalculating:
    def test_ends_in_review(self, provider: Provider) -> None:
        make_usage(make_customer(provider), "1")

        assert calculate_run(provider).state == BillRun.State.REVIEW

    def test_a_provider_without_customers_ends_in_review_too(self, provider: Provider) -> None:
        assert calculate_run(provider).state == BillRun.State.REVIEW

    def test_sends_the_work_in_batches(
        self,
        provider: Provider,
        sent: list[tuple[str, dict[str, Any]]],
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        for _ in range(BATCH_ITEMS + 1):
            make_customer(provider)
        run = create(provider)

        with django_capture_on_commit_callbacks(execute=True):
            start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        assert batches(sent) == [
            ("billing.calculate_items", BATCH_ITEMS),
            ("billing.calculate_items", 1),
        ]

    def test_goes_on_while_something_waits(self, provider: Provider) -> None:
        make_customer(provider)
        make_customer(provider)
        run = create(provider)
        start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        bill_run_work.calculate(run_id=run.pk, item_ids=item_ids(run)[:1], at=IN_NOVEMBER)

        run.refresh_from_db()
        assert run.state == BillRun.State.CALCULATING

    @pytest.mark.parametrize("state", ["APPROVED", "ISSUING", "ISSUED"])
    def test_is_refused_after_approval(self, provider: Provider, state: str) -> None:
        run = create(provider)
        BillRun.objects.update(state=state)

        with refused(BillRunNotCalculable):
            start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

    def test_adds_customers_that_came_since(self, provider: Provider) -> None:
        calculate_run(provider)
        customer = make_customer(provider)
        make_usage(customer, "1")

        calculate_run(provider)

        assert invoice_of(customer).net_amount == 1


class TestACustomerThatFails:
    @pytest.fixture
    def failing(self, provider: Provider) -> Customer:
        """Its biller entity asks for a rounding that does not exist."""
        broken = make_biller_entity(provider, is_default=False, rounding="SIDEWAYS")
        customer = make_customer(provider, biller_entity=broken)
        make_usage(customer, "1")
        return customer

    def test_stops_nobody_else_and_is_named(self, provider: Provider, failing: Customer) -> None:
        sound = make_customer(provider)
        make_usage(sound, "2")

        run = calculate_run(provider)

        item = run.items.get(customer=failing)
        assert item.state == BillRunItem.State.FAILED
        assert item.error == "ValueError: … is not a valid Rounding"
        assert not Invoice.objects.filter(customer=failing).exists()
        assert invoice_of(sound).net_amount == 2
        assert run.state == BillRun.State.REVIEW
        assert run.error == "1 of 2 payers failed; see their items."

    def test_is_calculated_by_the_next_calculation(
        self, provider: Provider, failing: Customer
    ) -> None:
        calculate_run(provider)
        BillerEntity.objects.filter(rounding="SIDEWAYS").update(rounding="HALF_UP")

        run = calculate_run(provider)

        assert invoice_of(failing).net_amount == 1
        assert (run.state, run.error) == (BillRun.State.REVIEW, "")
        assert run.items.get(customer=failing).error == ""

    def test_alone_fails_the_run(self, provider: Provider, failing: Customer) -> None:
        assert calculate_run(provider).state == BillRun.State.FAILED

    def test_leaves_the_run_failed_when_the_others_are_issued_and_then_is_issued_itself(
        self, provider: Provider, failing: Customer
    ) -> None:
        sound = make_customer(provider)
        make_usage(sound, "2")
        run = issue_run(provider)
        assert run.state == BillRun.State.FAILED
        first = invoice_of(sound)
        BillerEntity.objects.filter(rounding="SIDEWAYS").update(rounding="HALF_UP")

        run = issue_run(provider)

        assert (run.state, run.error) == (BillRun.State.ISSUED, "")
        assert invoice_of(failing).state == Invoice.State.ISSUED
        assert invoice_of(sound).number == first.number


class TestApproving:
    def test_is_recorded_with_who_and_when(self, provider: Provider) -> None:
        make_usage(make_customer(provider), "1")
        run = calculate_run(provider)

        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        run.refresh_from_db()
        assert (run.state, run.approved_at) == (BillRun.State.APPROVED, IN_NOVEMBER)
        assert Entry.objects.filter(action="bill_run.approved").count() == 1

    @pytest.mark.parametrize("state", ["DRAFT", "CALCULATING", "APPROVED", "ISSUED", "FAILED"])
    def test_is_refused_outside_review(self, provider: Provider, state: str) -> None:
        run = create(provider)
        BillRun.objects.update(state=state)

        with refused(BillRunNotInReview):
            approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

    def test_is_refused_while_the_books_do_not_add_up(self, provider: Provider) -> None:
        make_usage(make_customer(provider), "1")
        issue_run(provider, month(2026, 9))
        make_usage(make_customer(provider), "1")
        issue_run(provider)
        tamper("ledger_account", "UPDATE ledger_account SET balance = balance + 1")
        november = calculate_run(provider, month(2026, 11), datetime(2026, 12, 2, tzinfo=UTC))

        with refused(LedgerNotSound, "verify_ledger"):
            approve_bill_run(run_id=november.pk, at=IN_NOVEMBER, actor_id=None)


class TestIssuing:
    def test_is_refused_before_approval(self, provider: Provider) -> None:
        run = calculate_run(provider)

        with refused(BillRunNotApproved):
            start_issuing(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

    def test_keeps_its_date_when_it_is_resumed_on_another_day(self, provider: Provider) -> None:
        make_usage(make_customer(provider), "1")
        run = calculate_run(provider)
        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        start_issuing(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        later = datetime(2026, 11, 9, 12, tzinfo=UTC)
        run = start_issuing(run_id=run.pk, at=later, actor_id=None)

        assert run.issue_date == date(2026, 11, 3)

    def test_orders_the_documents_at_the_end(
        self,
        provider: Provider,
        sent: list[tuple[str, dict[str, Any]]],
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        chunk = make_chunk(provider)
        for _ in range(3):
            make_usage(make_customer(provider), "1", chunk=chunk)

        with django_capture_on_commit_callbacks(execute=True):
            issue_run(provider)

        assert batches(sent)[-1] == ("billing.render_documents", 3)
