from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from customers.models import Customer
from tests.factories.payments import make_invoice
from tests.factories.subscriptions import make_offer, make_subscription
from tests.payments.books import pay_offline
from tests.web.account_centre.pages import IN_OCTOBER, words_of

pytestmark = pytest.mark.django_db


class TestTheHomePage:
    def test_shows_how_the_account_stands(self, admin: Client, customer: Customer) -> None:
        customer.credit_limit = Decimal(500)
        customer.save()
        invoice = make_invoice(customer, "50.00", issued_at=IN_OCTOBER)
        pay_offline(customer, "20.00")
        make_subscription(customer, make_offer(customer.provider), date(2026, 1, 1), quantity=2)

        text = words_of(admin, "/account/")

        assert "Service balance 470.00 EUR" in text
        assert "Due on invoices 30.00 EUR" in text
        assert f"Invoice {invoice.number} , due" in text
        assert "43.20 EUR" in text
        assert "An invoice is overdue" in text

    def test_shows_technical_people_no_money(self, technical: Client, customer: Customer) -> None:
        make_invoice(customer, "50.00", issued_at=IN_OCTOBER)

        text = words_of(technical, "/account/")

        assert "Calls by day" in text
        assert "50.00" not in text
        assert "Service balance" not in text
        assert "Invoices and credit notes" not in text
