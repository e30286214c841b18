"""Approving some estimates of a run, discarding others, and runs for chosen customers."""

from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from billing.models import BilledUsage, BillRun, BillRunItem, Invoice
from billing.selectors.bill_runs import run_progress, run_totals
from billing.selectors.changes import biggest_changes
from billing.services import bill_run_work
from billing.services.bill_runs import (
    BillRunNotCalculable,
    CustomersNotBillable,
    NothingToApprove,
    approve_bill_run,
    create_partial_run,
    retry_failed,
    start_calculation,
    start_issuing,
)
from billing.services.discarding import (
    BillRunAtWork,
    BillRunIssuedInPart,
    NothingToDiscard,
    discard_bill_run,
    discard_estimates,
)
from common.periods import month
from common.scope import Scope
from customers.models import Customer
from payments.selectors.service_balance import first_unbilled_day
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.billing import (
    IN_NOVEMBER,
    OCTOBER,
    calculate_run,
    invoice_of,
    issue_run,
    item_ids,
    make_charge,
    make_usage,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def two(provider: Provider) -> list[Customer]:
    customers = [make_customer(provider) for _ in range(2)]
    for customer in customers:
        make_usage(customer, "10.00")
    return customers


def item_of(customer: Customer, run: BillRun) -> BillRunItem:
    return run.items.get(customer=customer)


def approve(run: BillRun, *customers: Customer) -> BillRun:
    chosen = [item_of(customer, run).pk for customer in customers]
    return approve_bill_run(run_id=run.pk, item_ids=chosen, at=IN_NOVEMBER, actor_id=None)


def discard(run: BillRun, *customers: Customer) -> BillRun:
    chosen = [item_of(customer, run).pk for customer in customers]
    return discard_estimates(run_id=run.pk, item_ids=chosen, at=IN_NOVEMBER, actor_id=None)


def issue(run: BillRun) -> None:
    start_issuing(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    bill_run_work.issue(run_id=run.pk, item_ids=item_ids(run), at=IN_NOVEMBER)
    run.refresh_from_db()


def partial(provider: Provider, *customers: Customer) -> BillRun:
    return create_partial_run(
        provider=provider,
        period=OCTOBER,
        customer_ids=[customer.pk for customer in customers],
        at=IN_NOVEMBER,
        actor_id=None,
    )


def calculate(run: BillRun) -> None:
    start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    bill_run_work.calculate(run_id=run.pk, item_ids=item_ids(run), at=IN_NOVEMBER)
    run.refresh_from_db()


class TestApprovingSome:
    def test_issues_those_and_goes_back_to_review(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = calculate_run(provider)

        approve(run, two[0])
        issue(run)

        assert run.state == BillRun.State.REVIEW
        assert invoice_of(two[0]).state == Invoice.State.ISSUED
        assert invoice_of(two[1]).state == Invoice.State.ESTIMATE

    def test_leaves_the_rest_to_be_approved_later(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = calculate_run(provider)
        approve(run, two[0])
        issue(run)

        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        issue(run)

        assert run.state == BillRun.State.ISSUED
        assert [invoice_of(customer).number for customer in two] == [
            "INV-2026-000001",
            "INV-2026-000002",
        ]

    def test_can_add_to_what_is_approved(self, provider: Provider, two: list[Customer]) -> None:
        run = calculate_run(provider)

        approve(run, two[0])
        approve(run, two[1])

        seen = run_progress(Scope.system(provider.pk), run.pk)
        assert (seen.state, seen.approved, seen.estimated) == ("APPROVED", 2, 0)

    def test_refuses_what_waits_no_more(self, provider: Provider, two: list[Customer]) -> None:
        run = calculate_run(provider)
        approve(run, two[0])

        with refused(NothingToApprove):
            approve(run, two[0])

    def test_refuses_items_of_another_run(self, provider: Provider, two: list[Customer]) -> None:
        run = calculate_run(provider)
        other = make_provider()
        make_usage(make_customer(other), "5.00")
        foreign = calculate_run(other)

        with refused(NothingToApprove):
            approve_bill_run(
                run_id=run.pk, item_ids=item_ids(foreign), at=IN_NOVEMBER, actor_id=None
            )

    def test_sums_what_is_approved(self, provider: Provider, two: list[Customer]) -> None:
        run = calculate_run(provider)
        approve(run, two[0])

        [total] = run_totals(
            Scope.system(provider.pk), run.pk, item_states=[BillRunItem.State.APPROVED]
        )

        assert (total.count, total.net_amount) == (1, Decimal(10))


class TestDiscarding:
    def test_leaves_charges_unbilled_for_another_run(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = calculate_run(provider)

        discard(run, two[0])

        assert not Invoice.objects.filter(customer=two[0]).exists()
        assert BilledUsage.objects.count() == 1
        assert item_of(two[0], run).state == BillRunItem.State.DISCARDED
        later = partial(provider, two[0])
        calculate(later)
        assert invoice_of(two[0]).net_amount == 10

    def test_lasts_when_the_run_is_calculated_again(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = calculate_run(provider)
        discard(run, two[0])

        calculate(run)

        assert not Invoice.objects.filter(customer=two[0]).exists()
        assert invoice_of(two[1]).net_amount == 10

    def test_takes_back_an_approval(self, provider: Provider, two: list[Customer]) -> None:
        run = calculate_run(provider)
        approve(run, two[0])

        discard(run, two[0])

        run.refresh_from_db()
        assert run.state == BillRun.State.REVIEW
        assert Entry.objects.get(action="bill_run.estimates_discarded").after == {
            "estimates": "1",
            "payers": "1",
        }

    def test_refuses_what_is_issued(self, provider: Provider, two: list[Customer]) -> None:
        run = calculate_run(provider)
        approve(run, two[0])
        issue(run)

        with refused(NothingToDiscard):
            discard(run, two[0])

    def test_is_refused_while_workers_are_busy(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = calculate_run(provider)
        start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        with refused(BillRunAtWork):
            discard(run, two[0])
        with refused(BillRunAtWork):
            discard_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)


class TestDiscardingARun:
    def test_is_as_if_it_had_never_been(self, provider: Provider, two: list[Customer]) -> None:
        run = calculate_run(provider)

        discard_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        assert not BillRun.objects.exists()
        assert not Invoice.objects.exists()
        assert not BilledUsage.objects.exists()
        assert Entry.objects.filter(action="bill_run.discarded").count() == 1
        assert issue_run(provider).state == BillRun.State.ISSUED
        assert invoice_of(two[0]).number == "INV-2026-000001"

    def test_is_refused_once_something_is_issued(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = calculate_run(provider)
        approve(run, two[0])
        issue(run)

        with refused(BillRunIssuedInPart):
            discard_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)


class TestARunForChosenCustomers:
    def test_bills_nobody_else(self, provider: Provider, two: list[Customer]) -> None:
        run = partial(provider, two[1])

        calculate(run)
        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        issue(run)

        assert run.state == BillRun.State.ISSUED
        assert invoice_of(two[1]).state == Invoice.State.ISSUED
        assert not Invoice.objects.filter(customer=two[0]).exists()

    def test_does_not_end_the_period_for_everybody(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = partial(provider, two[1])
        calculate(run)
        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        issue(run)
        before = first_unbilled_day(Scope.system(provider.pk))

        whole = issue_run(provider)

        assert before < OCTOBER.from_date
        assert whole.state == BillRun.State.ISSUED
        assert Invoice.objects.filter(customer=two[1]).count() == 1
        assert invoice_of(two[0]).state == Invoice.State.ISSUED

    def test_may_be_one_of_several(self, provider: Provider, two: list[Customer]) -> None:
        assert partial(provider, two[0]) != partial(provider, two[0])

    @pytest.mark.parametrize("fields", [{"is_billable": False}, {"state": Customer.State.DRAFT}])
    def test_refuses_who_is_not_billed(
        self, provider: Provider, two: list[Customer], fields: dict[str, Any]
    ) -> None:
        not_billed = make_customer(provider, **fields)

        with refused(CustomersNotBillable, match="1 of 2 are not"):
            partial(provider, two[0], not_billed)

    def test_refuses_customers_of_another_provider(self, provider: Provider) -> None:
        foreign = make_customer(make_provider())

        with refused(CustomersNotBillable):
            partial(provider, foreign)

    def test_refuses_nobody_at_all(self, provider: Provider) -> None:
        with refused(CustomersNotBillable):
            partial(provider)


class TestRetryingFailedPayers:
    def test_calculates_them_alone(self, provider: Provider, two: list[Customer]) -> None:
        run = calculate_run(provider)
        sound, failed = item_of(two[0], run), item_of(two[1], run)
        BillRunItem.objects.filter(pk=failed.pk).update(
            state=BillRunItem.State.FAILED, error="Out of luck"
        )
        kept = invoice_of(two[0])

        retry_failed(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        bill_run_work.calculate(run_id=run.pk, item_ids=[sound.pk, failed.pk], at=IN_NOVEMBER)

        run.refresh_from_db()
        failed.refresh_from_db()
        assert run.state == BillRun.State.REVIEW
        assert (failed.state, failed.error) == (BillRunItem.State.ESTIMATED, "")
        assert invoice_of(two[0]) == kept

    def test_is_refused_once_the_run_is_approved(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = calculate_run(provider)
        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        with refused(BillRunNotCalculable):
            retry_failed(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)


class TestTheBiggestChanges:
    def test_compare_with_the_previous_invoice_the_biggest_first(self, provider: Provider) -> None:
        grown, shrunk, same, new, gone = (make_customer(provider) for _ in range(5))
        before = {grown: "10.00", shrunk: "80.00", same: "20.00", gone: "5.00"}
        for customer, amount in before.items():
            make_usage(customer, amount, day=OCTOBER.from_date.replace(month=9))
        issue_run(provider, month(2026, 9))
        for customer, amount in {
            grown: "12.00",
            shrunk: "30.00",
            same: "20.00",
            new: "9.00",
        }.items():
            make_charge(customer, amount)
        run = calculate_run(provider)

        changes = biggest_changes(Scope.system(provider.pk), run)

        assert [change.payer for change in changes] == [shrunk, new, gone, grown]
        assert [
            (int(change.before_amount), int(change.now_amount), int(change.difference_amount))
            for change in changes
        ] == [(80, 30, -50), (0, 9, 9), (5, 0, -5), (10, 12, 2)]

    def test_keep_currencies_apart(self, provider: Provider) -> None:
        euros, dollars = make_customer(provider), make_customer(provider, currency="USD")
        make_charge(euros, "10.00")
        make_charge(dollars, "900.00")
        run = calculate_run(provider)

        changes = biggest_changes(Scope.system(provider.pk), run, most=1)

        assert [(change.currency, change.payer) for change in changes] == [
            ("EUR", euros),
            ("USD", dollars),
        ]
