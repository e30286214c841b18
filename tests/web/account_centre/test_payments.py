from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import Settings

from common import clock
from customers.models import Customer
from payments.models import Payment, SandboxCheckout
from tests.factories import make_customer
from tests.factories.payments import make_invoice
from tests.payments.books import pay_offline, start_bulk
from tests.web.account_centre.pages import IN_OCTOBER, page, words_of

pytestmark = pytest.mark.django_db
CONFIRM = {"_confirmed": "1"}


class TestPayingAnInvoice:
    def test_states_the_amount_and_moves_nothing_yet(
        self, admin: Client, customer: Customer
    ) -> None:
        invoice = make_invoice(customer, "1180.00", issued_at=IN_OCTOBER)
        pay_offline(customer, "180.00")

        text = words_of(admin, f"/account/invoices/{invoice.pk}/pay/")

        assert "Left to pay 1,000.00 EUR" in text
        assert not Payment.objects.filter(mode=Payment.Mode.GATEWAY).exists()

    def test_records_a_pending_payment_before_the_gateway(
        self, billing: Client, customer: Customer
    ) -> None:
        invoice = make_invoice(customer, "1180.00", issued_at=IN_OCTOBER)

        response = billing.post(f"/account/invoices/{invoice.pk}/pay/", CONFIRM)

        payment = Payment.objects.get()
        order = SandboxCheckout.objects.get()
        assert payment.state == Payment.State.PENDING
        assert (payment.amount, payment.way) == (invoice.due_amount, Payment.Way.INVOICE)
        assert response.status_code == HTTPStatus.FOUND
        assert response.headers["Location"].endswith(f"/sandbox/aurora/{order.reference}/")
        assert order.return_url.endswith("/account/wallet/payments/return/")

    def test_is_not_for_technical_people(self, technical: Client, customer: Customer) -> None:
        invoice = make_invoice(customer, "1180.00", issued_at=IN_OCTOBER)

        response = technical.post(f"/account/invoices/{invoice.pk}/pay/", CONFIRM)

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not Payment.objects.exists()

    def test_is_not_offered_without_a_gateway(
        self, admin: Client, customer: Customer, settings: Settings
    ) -> None:
        settings.SANDBOX_GATEWAY = False
        invoice = make_invoice(customer, "1180.00", issued_at=IN_OCTOBER)

        text = page(admin, f"/account/invoices/{invoice.pk}/pay/")
        admin.post(f"/account/invoices/{invoice.pk}/pay/", CONFIRM)

        assert "You cannot pay online at present" in text
        assert not Payment.objects.exists()


class TestAPayment:
    def test_is_found_by_the_order_number_on_the_way_back(
        self, admin: Client, customer: Customer
    ) -> None:
        payment = start_bulk(customer, "80.00", at=clock.now())

        response = admin.get(
            "/account/wallet/payments/return/", {"order": payment.order_number}, follow=True
        )

        assert response.redirect_chain == [
            (f"/account/wallet/payments/{payment.pk}/", HTTPStatus.FOUND)
        ]
        assert "We wait for the payment company" in response.content.decode()
        assert "Sandbox payments, with test cards" in response.content.decode()

    def test_of_a_neighbour_is_not_found(self, admin: Client, customer: Customer) -> None:
        payment = start_bulk(make_customer(customer.provider), "80.00", at=clock.now())
        base = "/account/wallet/payments/"

        back = admin.get(f"{base}return/", {"order": payment.order_number})
        others = [admin.get(f"{base}{payment.pk}/{tail}") for tail in ("", "state/", "receipt/")]

        assert {answer.status_code for answer in (back, *others)} == {HTTPStatus.NOT_FOUND}

    def test_asks_for_its_state_only_while_it_is_pending(
        self, admin: Client, customer: Customer
    ) -> None:
        pending = start_bulk(customer, "80.00", at=clock.now())
        paid = pay_offline(customer, "80.00")

        waiting = admin.get(f"/account/wallet/payments/{pending.pk}/state/")
        ended = admin.get(f"/account/wallet/payments/{paid.pk}/state/")

        assert 'hx-trigger="every 2s"' in waiting.content.decode()
        assert "HX-Refresh" not in waiting.headers
        assert "hx-get" not in ended.content.decode()
        assert ended.headers["HX-Refresh"] == "true"

    def test_shows_what_it_settled_and_has_a_receipt(
        self, admin: Client, customer: Customer
    ) -> None:
        invoice = make_invoice(customer, "50.00", issued_at=IN_OCTOBER)
        payment = pay_offline(customer, "80.00")

        text = words_of(admin, f"/account/wallet/payments/{payment.pk}/")
        receipt = admin.get(f"/account/wallet/payments/{payment.pk}/receipt/")

        assert f"Invoice {invoice.number} 50.00 EUR" in text
        assert payment.receipt_number in text
        assert "Paid by bank transfer" in text
        assert receipt.content.startswith(b"%PDF-")

    def test_that_is_pending_has_no_receipt(self, admin: Client, customer: Customer) -> None:
        payment = start_bulk(customer, "80.00", at=clock.now())

        response = admin.get(f"/account/wallet/payments/{payment.pk}/receipt/")

        assert response.status_code == HTTPStatus.NOT_FOUND
