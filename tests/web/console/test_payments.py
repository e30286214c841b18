from http import HTTPStatus

import pytest
from django.test import Client

from billing.models import Invoice
from common.money import ZERO
from payments.models import Payment
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import AT, assert_books_agree, pay_offline, wallet
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
ROOT = "/console/payments/"


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


class TestTransactions:
    def test_shows_the_providers_payments_and_no_others(
        self, finance: Client, provider: Provider
    ) -> None:
        own = pay_offline(make_customer(provider, organisation="Nordwind"), "30.00")
        other = pay_offline(make_customer(make_provider()), "40.00")

        text = page(finance, ROOT)

        assert f'<a href="{ROOT}{own.pk}/">{own.order_number}</a>' in text
        assert "Nordwind" in text
        assert other.order_number not in text

    def test_finds_by_mode_state_and_reference(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        cheque = pay_offline(customer, "30.00", mode=Payment.Mode.CHEQUE, reference="CH-17")
        cash = pay_offline(customer, "40.00", mode=Payment.Mode.CASH)

        text = page(finance, f"{ROOT}?q=ch-17&mode=CHEQUE&state=SUCCEEDED")

        assert cheque.order_number in text
        assert cash.order_number not in text

    def test_exports_what_is_filtered(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        cheque = pay_offline(customer, "30.00", mode=Payment.Mode.CHEQUE, reference="=1+1")
        pay_offline(customer, "40.00", mode=Payment.Mode.CASH)

        heading, row = page(finance, f"{ROOT}?mode=CHEQUE&format=csv").splitlines()

        assert heading.startswith("Payment,Customer,State,Mode,Reference,Receipt,")
        assert row.startswith(f"{cheque.order_number},{customer.name},")
        assert "'=1+1" in row
        assert row.endswith(",30.0000,EUR")

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, finance: Client, provider: Provider
    ) -> None:
        pay_offline(make_customer(provider), "30.00")
        for_one = query_count(finance, ROOT)
        for _ in range(4):
            pay_offline(make_customer(provider), "30.00")

        assert query_count(finance, ROOT) == for_one

    @pytest.mark.parametrize("role", ["Product", "Marketing", "Service", "Accounts & Orders"])
    def test_is_not_for_who_has_no_business_with_money(self, provider: Provider, role: str) -> None:
        assert as_role(provider, role).get(ROOT).status_code == HTTPStatus.FORBIDDEN


class TestAPayment:
    def test_shows_what_it_settled_and_what_is_left(
        self, finance: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        invoice = make_invoice(customer, "20.00", issued_at=AT)
        payment = pay_offline(customer, "50.00")

        text = page(finance, f"{ROOT}{payment.pk}/")

        assert f'<a href="/console/billing/invoices/{invoice.pk}/">{invoice.number}</a>' in text
        assert '30.00 <span class="currency">EUR' in text
        assert payment.receipt_number in text

    def test_has_its_receipt(self, finance: Client, provider: Provider) -> None:
        payment = pay_offline(make_customer(provider), "50.00")

        answer = finance.get(f"{ROOT}{payment.pk}/receipt/")

        assert answer.content.startswith(b"%PDF-")
        assert f'"{payment.receipt_number}.pdf"' in answer["Content-Disposition"]

    @pytest.mark.parametrize("below", ["", "receipt/", "reverse/"])
    def test_of_another_provider_does_not_exist(self, finance: Client, below: str) -> None:
        other = pay_offline(make_customer(make_provider()), "50.00")

        answer = finance.get(f"{ROOT}{other.pk}/{below}")

        assert answer.status_code == HTTPStatus.NOT_FOUND


class TestReversing:
    def test_states_the_amounts_first_and_writes_nothing(
        self, finance: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        invoice = make_invoice(customer, "20.00", issued_at=AT)
        payment = pay_offline(customer, "50.00")

        answer = finance.post(f"{ROOT}{payment.pk}/reverse/", {"reason": "Bounced"})

        text = answer.content.decode()
        assert '20.00 <span class="currency">EUR' in text
        assert '30.00 <span class="currency">EUR' in text
        assert str(invoice.number) in text
        payment.refresh_from_db()
        assert payment.state == Payment.State.SUCCEEDED

    def test_takes_the_money_back_and_reopens_the_invoice(
        self, finance: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        invoice = make_invoice(customer, "20.00", issued_at=AT)
        payment = pay_offline(customer, "50.00")

        to = confirm(finance, f"{ROOT}{payment.pk}/reverse/", reason="Bounced")

        invoice.refresh_from_db()
        assert to == f"{ROOT}{payment.pk}/"
        assert (invoice.state, invoice.settled_amount) == (Invoice.State.ISSUED, ZERO)
        assert wallet(customer) == ZERO
        assert_books_agree(provider.pk)
        assert "This payment was reversed" in page(finance, to)

    def test_happens_once(self, finance: Client, provider: Provider) -> None:
        payment = pay_offline(make_customer(provider), "50.00")
        confirm(finance, f"{ROOT}{payment.pk}/reverse/", reason="Bounced")

        text = refused(
            finance, f"{ROOT}{payment.pk}/reverse/", reason="Bounced again", _confirmed="1"
        )

        assert "is reversed" in text
        assert "Bounced again" in text
        assert_books_agree(provider.pk)

    def test_needs_a_reason(self, finance: Client, provider: Provider) -> None:
        payment = pay_offline(make_customer(provider), "50.00")

        text = refused(finance, f"{ROOT}{payment.pk}/reverse/", reason="", _confirmed="1")

        assert "This field is required." in text
        payment.refresh_from_db()
        assert payment.state == Payment.State.SUCCEEDED

    def test_is_not_for_readers(self, provider: Provider) -> None:
        payment = pay_offline(make_customer(provider), "50.00")
        reader = as_role(provider, "Read-only")

        answer = reader.post(f"{ROOT}{payment.pk}/reverse/", {"reason": "x", "_confirmed": "1"})

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "Reverse" not in page(reader, f"{ROOT}{payment.pk}/")
