"""Money in: a customer pays several invoices at once, finance records what came by bank."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from billing.models import Invoice
from customers.models import Customer
from payments.services.sandbox import Card
from tests.e2e.background import Background, Calendar
from tests.e2e.steps import facts, fill, follow, pay_by_card, press
from tests.e2e.visits import Visit
from tests.e2e.world import NOVEMBER_3, make_aurora, make_colleague
from tests.factories import make_customer, make_team_member
from tests.factories.payments import make_invoice
from tests.payments.books import assert_books_agree, wallet

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture
def customer(calendar: Calendar) -> Customer:
    """Nordwind, which owes 100, 60 and 50 EUR, and has a wallet that is empty."""
    calendar.go_to(NOVEMBER_3)
    customer = make_customer(make_aurora().provider, organisation="Nordwind Logistics GmbH")
    for days, amount in ((60, "100.00"), (30, "60.00"), (1, "50.00")):
        issued_at = NOVEMBER_3 - timedelta(days=days)
        make_invoice(customer, amount, issued_at=issued_at, number=f"A-{amount[:-3]}")
    return customer


def still_due(customer: Customer) -> dict[str, Decimal]:
    rows = Invoice.objects.filter(customer=customer).order_by("pk")
    return {str(invoice.number): invoice.due_amount for invoice in rows}


def dues(*amounts: int) -> dict[str, Decimal]:
    return dict(zip(("A-100", "A-60", "A-50"), map(Decimal, amounts), strict=True))


class TestACustomerPayingInBulk:
    @SCRIPT
    def test_spreads_a_top_up_over_invoices(
        self, visit: Visits, customer: Customer, background: Background, script: bool
    ) -> None:
        window = visit(
            make_team_member(customer, "BILLING", email="carla@nordwind.example"),
            java_script_enabled=script,
        )
        page = window.open("/account/wallet/")
        follow(page, "Pay")
        fill(page, {"Amount in EUR": "180"})
        press(page, "Continue")

        expect(page.get_by_label("Invoice A-100")).to_have_value("100.00")
        expect(page.get_by_label("Invoice A-60")).to_have_value("60.00")
        expect(page.get_by_label("Invoice A-50")).to_have_value("20.00")
        expect(page.get_by_text("60.00 EUR left, due")).to_be_visible()
        fill(page, {"Invoice A-60": "25", "Invoice A-50": "50"})
        window.illustrate("wallet-distribution")
        press(page, "Continue")
        stated = facts(page)
        press(page, "Go on to payment")
        pay_by_card(page, Card.SUCCESS)
        expect(page.get_by_text("We wait for the payment company")).to_be_visible()
        background.do_all()
        if not script:
            page.reload()

        expect(page.get_by_text("Paid", exact=True)).to_be_visible()
        assert (stated["Amount"], stated["To invoices"]) == ("180.00 EUR", "175.00 EUR")
        assert stated["To your wallet"] == "5.00 EUR"
        assert facts(page, "What it settles") == {
            "Invoice A-100": "100.00 EUR",
            "Invoice A-60": "25.00 EUR",
            "Invoice A-50": "50.00 EUR",
        }
        assert still_due(customer) == dues(0, 35, 0)
        assert wallet(customer) == 5
        assert_books_agree(customer.provider_id)

    def test_is_told_what_is_wrong_and_keeps_what_was_typed(
        self, visit: Visits, customer: Customer
    ) -> None:
        window = visit(make_team_member(customer))
        page = window.open("/account/wallet/pay/invoices/?amount=80")
        fill(page, {"Invoice A-100": "80", "Invoice A-60": "61"})
        press(page, "Continue")

        expect(page.get_by_text("No more than what is left of the invoice.")).to_be_visible()
        expect(page.get_by_label("Invoice A-60")).to_have_value("61")
        assert still_due(customer) == dues(100, 60, 50)


class TestFinance:
    @SCRIPT
    def test_records_a_bank_transfer_and_takes_it_back(
        self, visit: Visits, customer: Customer, background: Background, script: bool
    ) -> None:
        staff = make_colleague(customer.provider, "Finance")
        window = visit(staff, java_script_enabled=script)
        page = window.open("/console/payments/")
        follow(page, "Record payment")
        fill(page, {"Customer number": str(customer.number), "Amount received": "130"})
        press(page, "Continue")
        fill(page, {"Reference": "Statement 17", "Invoice A-60": "0", "Invoice A-50": "30"})
        window.illustrate("payment-distribution")
        press(page, "Continue")
        stated = facts(page)
        window.illustrate("payment-review")
        press(page, "Record the payment")

        expect(page.get_by_role("status")).to_contain_text("Recorded under receipt")
        assert (stated["Amount"], stated["Settles invoices"]) == ("130.00 EUR", "130.00 EUR")
        assert stated["Stays in the wallet"] == "0.00 EUR"
        assert still_due(customer) == dues(0, 60, 20)
        self._reverse(page)
        background.do_all()
        assert still_due(customer) == dues(100, 60, 50)
        assert wallet(customer) == 0
        assert_books_agree(customer.provider_id)

    def _reverse(self, page: Page) -> None:
        follow(page, "Reverse")
        fill(page, {"Reason": "The bank called it back"})
        press(page, "Continue")
        expect(page.get_by_role("cell", name="100.00 EUR")).to_be_visible()
        assert facts(page)["Reopened on invoices"] == "130.00 EUR"
        press(page, "Reverse the payment")
        expect(page.get_by_role("status")).to_contain_text("was reversed")
