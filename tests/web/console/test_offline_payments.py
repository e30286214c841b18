import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from billing.models import Invoice
from common.clock import now
from common.money import ZERO
from customers.models import Customer
from payments.models import Payment
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import assert_books_agree, wallet
from tests.web.console.pages import as_role, confirm, page, refused

pytestmark = pytest.mark.django_db
START = "/console/payments/new/"
DUES = ("449949.28", "65177718.90", "6523665.40")


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


def owing(provider: Provider) -> tuple[Customer, list[Invoice]]:
    customer = make_customer(provider)
    first = datetime(2026, 7, 1, 12, tzinfo=UTC)
    invoices = [
        make_invoice(customer, due, issued_at=first + timedelta(days=31 * month))
        for month, due in enumerate(DUES)
    ]
    return customer, invoices


def address(customer: Customer, amount: str = "679000.00") -> str:
    return f"/console/customers/{customer.pk}/payments/new/?amount={amount}"


def typed(invoices: list[Invoice], *shares: str, **fields: Any) -> dict[str, Any]:
    values = {
        "amount": "679000.00",
        "mode": "CHEQUE",
        "reference": "CH-17",
        "narration": "By courier",
        "transaction_date": "2026-11-02",
        "posting_date": "2026-11-03",
    }
    given = {f"invoice_{row.pk}": share for row, share in zip(invoices, shares, strict=True)}
    return values | given | fields


class TestTheFirstStep:
    def test_finds_the_customer_by_number(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)

        answer = finance.post(START, {"customer": customer.number, "amount": "679000.00"})

        assert answer["Location"] == address(customer)

    def test_says_where_there_is_no_such_customer(
        self, finance: Client, provider: Provider
    ) -> None:
        other = make_customer(make_provider())

        text = refused(finance, START, customer=other.number, amount="10.00")

        assert f"There is no customer {other.number}" in text
        assert 'value="10.00"' in text

    def test_of_a_customers_own_page_asks_for_the_amount_only(
        self, finance: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        own = f"/console/customers/{customer.pk}/payments/new/"

        answer = finance.post(own, {"amount": "679000.00"})
        text = refused(finance, own, amount="0")

        assert answer["Location"] == address(customer)
        assert "above zero" in text

    def test_is_a_step_from_the_customer(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)

        text = page(finance, f"/console/customers/{customer.pk}/")

        assert f'href="/console/customers/{customer.pk}/payments/new/"' in text


class TestTheDistribution:
    def test_is_filled_in_the_oldest_first(self, finance: Client, provider: Provider) -> None:
        customer, invoices = owing(provider)

        text = page(finance, address(customer))

        for invoice, share in zip(invoices, ("449949.28", "229050.72", "0.00"), strict=True):
            [field] = [part for part in text.split("<input") if f'"invoice_{invoice.pk}"' in part]
            assert f'value="{share}"' in field

    def test_is_reviewed_with_all_amounts_before_anything_is_written(
        self, finance: Client, provider: Provider
    ) -> None:
        customer, invoices = owing(provider)

        answer = finance.post(address(customer), typed(invoices, "1.00", "", "600000.00"))

        text = answer.content.decode()
        assert answer.status_code == HTTPStatus.OK
        assert '600,001.00 <span class="currency">EUR' in text
        assert '78,999.00 <span class="currency">EUR' in text
        assert '5,923,665.40 <span class="currency">EUR' in text
        assert not Payment.objects.exists()

    def test_settles_as_it_was_edited(self, finance: Client, provider: Provider) -> None:
        customer, invoices = owing(provider)

        to = confirm(finance, address(customer), **typed(invoices, "1.00", "", "600000.00"))

        payment = Payment.objects.get()
        assert to == f"/console/payments/{payment.pk}/"
        assert (payment.mode, payment.reference) == (Payment.Mode.CHEQUE, "CH-17")
        settled = [Invoice.objects.get(pk=invoice.pk).settled_amount for invoice in invoices]
        assert settled == [Decimal("1.00"), ZERO, Decimal("600000.00")]
        assert wallet(customer) == Decimal("78999.00")
        assert_books_agree(provider.pk)
        assert f"Recorded under receipt {payment.receipt_number}" in page(finance, to)

    def test_can_be_changed_after_the_review(self, finance: Client, provider: Provider) -> None:
        customer, invoices = owing(provider)

        answer = finance.post(address(customer), typed(invoices, "1.00", "2.00", "3.00", _back="1"))

        text = answer.content.decode()
        assert 'value="2.00"' in text
        assert "By courier" in text
        assert not Payment.objects.exists()

    @pytest.mark.parametrize(
        ("shares", "message"),
        [
            (("449949.29", "", ""), "less than the 449,949.29 EUR meant for it"),
            (("400000.00", "400000.00", ""), "800,000.00 EUR is distributed"),
            (("-1.00", "", ""), "greater than or equal to 0"),
            (("1.001", "", ""), "no more than 2 decimal places"),
            (("one", "", ""), "Enter a number."),
        ],
    )
    def test_that_does_not_fit_is_refused(
        self, finance: Client, provider: Provider, shares: tuple[str, ...], message: str
    ) -> None:
        customer, invoices = owing(provider)

        text = refused(finance, address(customer), **typed(invoices, *shares))

        assert message in text
        assert f'value="{shares[0]}"' in text
        assert "By courier" in text
        assert not Payment.objects.exists()

    def test_of_a_day_to_come_is_refused(self, finance: Client, provider: Provider) -> None:
        customer, invoices = owing(provider)
        to_come = (now() + timedelta(days=2)).date().isoformat()

        text = refused(
            finance,
            address(customer),
            **typed(invoices, "1.00", "", "", posting_date=to_come, _confirmed="1"),
        )

        assert f"{to_come} is in the future" in text
        assert not Payment.objects.exists()

    def test_is_not_shown_for_another_providers_customer(self, finance: Client) -> None:
        customer, _ = owing(make_provider())

        assert finance.get(address(customer)).status_code == HTTPStatus.NOT_FOUND

    def test_is_not_for_readers(self, provider: Provider) -> None:
        customer, _ = owing(provider)

        answer = as_role(provider, "Read-only").get(address(customer))

        assert answer.status_code == HTTPStatus.FORBIDDEN


class TestARecordSentTwice:
    def test_is_asked_again_for_what_is_an_advance(
        self, finance: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        sent = typed([])
        reviewed = finance.post(address(customer), sent).content.decode()
        [stated] = re.findall(r'name="_stated" value="(.+?)"', reviewed)

        confirm(finance, address(customer), **sent, _stated=stated)
        text = refused(finance, address(customer), **sent, _stated=stated, _confirmed="1")

        assert "This has changed since you saw it" in text
        assert '1,358,000.00 <span class="currency">EUR' in text
        assert Payment.objects.count() == 1
        assert wallet(customer) == Decimal("679000.00")
