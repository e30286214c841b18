from datetime import date, timedelta
from decimal import Decimal

import pytest

from common.scope import Scope
from customers.models import Customer
from reports.selectors.customer_money import credit_exposure, unbilled, wallet_holdings
from reports.selectors.receivables import aged_receivables
from subscriptions.models import Charge
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.billing import OCTOBER, calculate_run, issue_run, make_charge, make_usage
from tests.factories.payments import make_invoice
from tests.factories.payouts import day, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    """Brought by reseller 4; its neighbour, of another provider, has run up the same."""
    provider = make_provider()
    neighbour = make_customer(make_provider())
    make_usage(neighbour, "99")
    make_charge(neighbour, "99")
    return make_customer(
        provider, make_reseller(provider, number=4), number=7, credit_limit=Decimal(100)
    )


def scope(customer: Customer) -> Scope:
    return Scope.system(customer.provider_id)


class TestUnbilled:
    def test_adds_up_charges_and_usage_by_currency(self, customer: Customer) -> None:
        make_usage(customer, "1.25", day=date(2026, 10, 3), call_count=4)
        make_usage(customer, "2", day=date(2026, 10, 9), call_count=2)
        make_charge(customer, "10", period_from=date(2026, 10, 1))
        make_charge(customer, "20", kind=Charge.Kind.RECURRING)
        make_usage(customer, "3", currency="USD", day=date(2026, 9, 9))

        euro, dollar = unbilled(scope(customer), OCTOBER)

        assert (euro.customer_number, euro.reseller_number, euro.currency) == (7, 4, "EUR")
        assert (euro.recurring_amount, euro.one_time_amount) == (Decimal(20), Decimal(10))
        assert (euro.usage_amount, euro.call_count) == (Decimal("3.25"), 6)
        assert (euro.unbilled_amount, euro.oldest_date) == (Decimal("33.25"), date(2026, 10, 1))
        assert (dollar.unbilled_amount, dollar.oldest_date) == (Decimal(3), date(2026, 9, 9))

    def test_counts_what_an_estimate_has_until_it_is_issued(self, customer: Customer) -> None:
        make_usage(customer, "5")
        make_charge(customer, "7")

        calculate_run(customer.provider)
        [estimated] = unbilled(scope(customer), OCTOBER)

        assert estimated.unbilled_amount == 12

    def test_leaves_out_what_was_invoiced(self, customer: Customer) -> None:
        make_usage(customer, "5")
        make_charge(customer, "7")
        issue_run(customer.provider)

        make_usage(customer, "3")

        assert [row.unbilled_amount for row in unbilled(scope(customer), OCTOBER)] == [3]

    def test_leaves_out_who_is_never_billed(self, customer: Customer) -> None:
        Customer.objects.update(is_billable=False)
        make_usage(customer, "5")

        assert unbilled(scope(customer), OCTOBER) == []


class TestCreditExposure:
    def test_is_limit_less_what_is_run_up_plus_the_wallet(self, customer: Customer) -> None:
        make_invoice(customer, "40", issued_at=day(10, 1))
        make_usage(customer, "30.5")
        # 10 more than is due.
        pay(make_customer(customer.provider, number=8, credit_limit=0), "10", at=day(10, 2))

        tight, loose = credit_exposure(scope(customer), OCTOBER)

        assert (tight.customer_number, tight.balance_amount) == (8, Decimal(10))
        assert (tight.credit_limit_amount, tight.wallet_amount) == (Decimal(0), Decimal(10))
        assert (loose.customer_number, loose.balance_amount) == (7, Decimal("29.5"))
        assert (loose.receivable_amount, loose.unbilled_amount) == (Decimal(40), Decimal("30.5"))


class TestWalletHoldings:
    def test_are_those_of_the_day(self, customer: Customer) -> None:
        pay(customer, "25", at=day(10, 20))
        pay(customer, "5", at=day(11, 2))

        [row] = wallet_holdings(scope(customer), OCTOBER)

        assert (row.customer_number, row.held_amount, row.currency) == (7, Decimal(25), "EUR")


class TestAgedReceivables:
    def test_go_by_the_last_day_to_pay(self, customer: Customer) -> None:
        last = OCTOBER.last_date
        for days_late, gross in ((0, 1), (1, 2), (30, 4), (31, 8), (60, 16), (61, 32), (91, 64)):
            due = last - timedelta(days=days_late)
            make_invoice(customer, str(gross), issued_at=day(7, 1), due_date=due)
        make_invoice(customer, "128", issued_at=day(11, 1))

        [row] = aged_receivables(scope(customer), OCTOBER)

        assert [
            row.not_due_amount,
            row.days_1_to_30_amount,
            row.days_31_to_60_amount,
            row.days_61_to_90_amount,
            row.older_amount,
            row.due_amount,
        ] == [1, 6, 24, 32, 64, 127]
        assert (row.customer_number, row.invoice_count) == (7, 7)
