from datetime import date
from decimal import Decimal

import pytest

from billing.models import BillRun
from billing.selectors.bill_runs import compared_totals
from billing.services import bill_run_work
from billing.services.bill_runs import create_partial_run, start_calculation
from common.periods import Period, month
from common.scope import Scope
from customers.models import Customer
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.billing import (
    IN_NOVEMBER,
    OCTOBER,
    calculate_run,
    issue_run,
    item_ids,
    make_usage,
)

pytestmark = pytest.mark.django_db
SEPTEMBER = month(2026, 9)


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def two(provider: Provider) -> list[Customer]:
    """In September they used for 100 and 20, in October for 110 and 25."""
    customers = [make_customer(provider) for _ in range(2)]
    for customer, september, october in zip(customers, ("100", "20"), ("110", "25"), strict=True):
        make_usage(customer, september, day=date(2026, 9, 9))
        make_usage(customer, october)
    return customers


def calculate_some(provider: Provider, period: Period, customer: Customer) -> BillRun:
    run = create_partial_run(
        provider=provider,
        period=period,
        customer_ids=[customer.pk],
        at=IN_NOVEMBER,
        actor_id=None,
    )
    start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    bill_run_work.calculate(run_id=run.pk, item_ids=item_ids(run), at=IN_NOVEMBER)
    return run


def nets(run: BillRun) -> list[tuple[str, Decimal, Decimal]]:
    """Currency, net before and now."""
    rows = compared_totals(Scope.system(run.provider_id), run)
    return [(row.total.currency, row.before.net_amount, row.total.net_amount) for row in rows]


class TestComparedTotals:
    def test_stand_beside_all_runs_of_the_period_before(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        calculate_some(provider, SEPTEMBER, two[1])
        issue_run(provider, SEPTEMBER)

        run = calculate_run(provider)

        assert nets(run) == [("EUR", Decimal(120), Decimal(135))]

    def test_of_chosen_customers_stand_beside_their_own(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        issue_run(provider, SEPTEMBER)

        run = calculate_some(provider, OCTOBER, two[1])

        assert nets(run) == [("EUR", Decimal(20), Decimal(25))]

    def test_tell_a_currency_that_is_gone(self, provider: Provider, two: list[Customer]) -> None:
        make_usage(two[0], "7", currency="USD", day=date(2026, 9, 9))
        issue_run(provider, SEPTEMBER)

        run = calculate_run(provider)

        assert nets(run) == [
            ("EUR", Decimal(120), Decimal(135)),
            ("USD", Decimal(7), Decimal(0)),
        ]

    def test_are_nothing_before_there_are_estimates(
        self, provider: Provider, two: list[Customer]
    ) -> None:
        issue_run(provider, SEPTEMBER)
        run = BillRun.objects.create(
            provider=provider,
            period_from=OCTOBER.from_date,
            period_to=OCTOBER.to_date,
            created_at=IN_NOVEMBER,
        )

        assert nets(run) == []
