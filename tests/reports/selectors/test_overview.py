from datetime import date
from decimal import Decimal

import pytest

from billing.models import BillRun
from billing.services import bill_run_work
from billing.services.bill_runs import (
    approve_bill_run,
    create_partial_run,
    start_calculation,
    start_issuing,
)
from billing.services.discarding import discard_estimates
from common.periods import month
from common.scope import Scope
from customers.models import Customer
from reports.selectors.customer_money import unbilled
from reports.selectors.overview import unbilled_by_currency
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.billing import (
    IN_NOVEMBER,
    OCTOBER,
    calculate_run,
    issue_run,
    item_ids,
    make_charge,
    make_usage,
)

pytestmark = pytest.mark.django_db
SEPTEMBER = month(2026, 9)


@pytest.fixture
def provider() -> Provider:
    """Next to one that has usage of its own."""
    make_usage(make_customer(make_provider()), "99")
    return make_provider()


@pytest.fixture
def two(provider: Provider) -> list[Customer]:
    """They owe 10 and 20 for calls of 15 October."""
    customers = [make_customer(provider) for _ in range(2)]
    make_usage(customers[0], "10")
    make_usage(customers[1], "20")
    return customers


def told(provider: Provider) -> dict[str, Decimal]:
    """What the first page says; the report, which reads everything, must say the same."""
    scope = Scope.system(provider.pk)
    sums: dict[str, Decimal] = {}
    for row in unbilled(scope, OCTOBER):
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.unbilled_amount
    found = unbilled_by_currency(scope)
    assert found == sums
    return found


def issue(run: BillRun) -> None:
    start_issuing(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    bill_run_work.issue(run_id=run.pk, item_ids=item_ids(run), at=IN_NOVEMBER)
    run.refresh_from_db()
    assert run.state == BillRun.State.ISSUED


def discard_one_and_issue(run: BillRun, customer: Customer) -> None:
    item = run.items.get(customer=customer)
    discard_estimates(run_id=run.pk, item_ids=[item.pk], at=IN_NOVEMBER, actor_id=None)
    approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    issue(run)


class TestUnbilledByCurrency:
    def test_is_nothing_after_a_run_of_everybody(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        before = told(provider)

        issue_run(provider)

        assert before == {"EUR": Decimal(30)}
        assert told(provider) == {}

    def test_keeps_what_a_run_for_chosen_customers_left(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        run = create_partial_run(
            provider=provider,
            period=OCTOBER,
            customer_ids=[two[0].pk],
            at=IN_NOVEMBER,
            actor_id=None,
        )
        start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        bill_run_work.calculate(run_id=run.pk, item_ids=item_ids(run), at=IN_NOVEMBER)
        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        issue(run)

        assert told(provider) == {"EUR": Decimal(20)}

    def test_keeps_what_was_discarded(self, provider: Provider, two: list[Customer]) -> None:
        discard_one_and_issue(calculate_run(provider), two[1])

        assert told(provider) == {"EUR": Decimal(20)}

    def test_keeps_what_came_to_nothing(self, provider: Provider, two: list[Customer]) -> None:
        make_charge(two[1], "-25")

        issue_run(provider)

        assert told(provider) == {"EUR": Decimal(-5)}

    def test_keeps_what_waits_on_the_estimates_of_an_earlier_run(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        make_usage(two[0], "4", day=date(2026, 9, 9))
        calculate_run(provider, SEPTEMBER)

        issue_run(provider)

        assert told(provider) == {"EUR": Decimal(4)}

    def test_keeps_what_came_late(self, provider: Provider, two: list[Customer]) -> None:
        issue_run(provider)

        make_usage(two[0], "3", created_at=IN_NOVEMBER)
        make_usage(two[1], "2", day=date(2026, 11, 1))

        assert told(provider) == {"EUR": Decimal(5)}
