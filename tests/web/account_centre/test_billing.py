from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing.models import Invoice
from billing.services.credit_notes import credit_in_full
from billing.services.documents import store_invoice_document
from common import clock
from customers.models import Customer
from tests.factories import make_customer
from tests.factories.billing import invoice_of, issue_run, make_charge, make_usage
from tests.factories.documents import WHY, given_up
from tests.factories.payments import make_invoice
from tests.payments.books import pay_offline
from tests.web.account_centre.pages import IN_OCTOBER, page, words_of

pytestmark = pytest.mark.django_db


class TestTheListOfInvoices:
    def test_shows_ones_own_with_what_is_left_to_pay(
        self, admin: Client, customer: Customer
    ) -> None:
        invoice = make_invoice(customer, "1180.00", issued_at=IN_OCTOBER)
        pay_offline(customer, "180.00")
        neighbour = make_customer(customer.provider)
        other = make_invoice(neighbour, "77.00", issued_at=IN_OCTOBER)

        text = words_of(admin, "/account/invoices/")

        assert f"{invoice.number} Part paid" in text
        assert "1,180.00 EUR 1,000.00 EUR" in text
        assert str(other.number) not in text

    def test_filters_by_state_and_day(self, admin: Client, customer: Customer) -> None:
        paid = make_invoice(customer, "10.00", issued_at=IN_OCTOBER)
        pay_offline(customer, "10.00")
        open_one = make_invoice(customer, "20.00", issued_at=datetime(2026, 11, 5, 12, tzinfo=UTC))

        by_state = page(admin, "/account/invoices/?state=PAID")
        by_day = page(admin, "/account/invoices/?since=2026-11-01")

        assert str(paid.number) in by_state
        assert str(open_one.number) not in by_state
        assert str(open_one.number) in by_day
        assert str(paid.number) not in by_day

    def test_is_a_file_of_exactly_what_is_filtered(self, admin: Client, customer: Customer) -> None:
        invoice = make_invoice(customer, "10.00", issued_at=IN_OCTOBER)
        make_invoice(customer, "20.00", issued_at=IN_OCTOBER)

        text = admin.get(f"/account/invoices/?q={invoice.number}&format=csv").content.decode()

        assert text.splitlines()[1:] == [
            f"{invoice.number},Issued,2026-10-05,2026-10-19,10.0000,EUR,10.0000,EUR"
        ]

    def test_asks_as_many_queries_for_many_as_for_one(
        self,
        admin: Client,
        customer: Customer,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(20):
            make_invoice(customer, "10.00", issued_at=IN_OCTOBER)

        with django_assert_max_num_queries(40):
            page(admin, "/account/invoices/")

    def test_says_what_will_be_there(self, admin: Client) -> None:
        assert "No invoices yet" in page(admin, "/account/invoices/")

    def test_is_not_for_technical_people(self, technical: Client) -> None:
        assert technical.get("/account/invoices/").status_code == HTTPStatus.FORBIDDEN


class TestAnInvoice:
    def test_shows_lines_taxes_and_what_settled_it(self, admin: Client, customer: Customer) -> None:
        make_usage(customer, "30.00", destination="Atlantis", call_count=7)
        make_charge(customer, "20.00")
        issue_run(customer.provider)
        invoice = invoice_of(customer)
        payment = pay_offline(customer, "10.00")

        text = words_of(admin, f"/account/invoices/{invoice.pk}/")

        assert "Atlantis 7 60 seconds 30.00 EUR" in text
        assert "Period 1 Oct 2026 to 31 Oct 2026" in text
        assert "Installation" in text
        assert "Left to pay 40.00 EUR" in text
        assert f"Payment {payment}" in text

    def test_can_be_saved_as_pdf_before_and_after_it_is_stored(
        self, admin: Client, customer: Customer
    ) -> None:
        make_charge(customer, "20.00")
        issue_run(customer.provider)
        invoice = invoice_of(customer)
        address = f"/account/invoices/{invoice.pk}/pdf/"

        before = admin.get(address)
        store_invoice_document(
            provider_id=invoice.provider_id, invoice_id=invoice.pk, at=clock.now()
        )
        after = admin.get(address)

        assert before.headers["Content-Type"] == "application/pdf"
        assert before.content.startswith(b"%PDF-")
        assert after.content == Invoice.objects.get(pk=invoice.pk).document.pdf

    def test_without_a_pdf_says_so_instead_of_showing_one(
        self, admin: Client, customer: Customer
    ) -> None:
        make_charge(customer, "20.00")
        issue_run(customer.provider)
        invoice = invoice_of(customer)
        given_up(invoice)

        answer = admin.get(f"/account/invoices/{invoice.pk}/pdf/?download")

        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        text = answer.content.decode()
        assert "This document is not there yet" in text
        assert WHY not in text

    @pytest.mark.parametrize("tail", ["", "pdf/", "pay/", "usage.csv"])
    def test_of_a_neighbour_is_not_found(
        self, admin: Client, customer: Customer, tail: str
    ) -> None:
        neighbour = make_customer(customer.provider)
        invoice = make_invoice(neighbour, "77.00", issued_at=IN_OCTOBER)

        response = admin.get(f"/account/invoices/{invoice.pk}/{tail}")

        assert response.status_code == HTTPStatus.NOT_FOUND

    def test_that_is_paid_offers_no_payment(self, admin: Client, customer: Customer) -> None:
        invoice = make_invoice(customer, "10.00", issued_at=IN_OCTOBER)
        pay_offline(customer, "10.00")

        assert "/pay/" not in page(admin, f"/account/invoices/{invoice.pk}/")
        response = admin.get(f"/account/invoices/{invoice.pk}/pay/")
        assert response.status_code == HTTPStatus.FOUND

    def test_cannot_be_posted_to(self, admin: Client, customer: Customer) -> None:
        invoice = make_invoice(customer, "10.00", issued_at=IN_OCTOBER)

        response = admin.post(f"/account/invoices/{invoice.pk}/")

        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED


class TestCreditNotes:
    def test_are_listed_and_shown_with_their_invoice(
        self, admin: Client, customer: Customer
    ) -> None:
        make_charge(customer, "20.00")
        issue_run(customer.provider)
        invoice = invoice_of(customer)
        note = credit_in_full(
            invoice_id=invoice.pk, reason="Never installed", at=clock.now(), actor_id=None
        )

        listed = words_of(admin, "/account/credit-notes/")
        shown = words_of(admin, f"/account/credit-notes/{note.pk}/")
        pdf = admin.get(f"/account/credit-notes/{note.pk}/pdf/")

        assert f"{note.number} {invoice.number}" in listed
        assert "Never installed" in shown
        assert "Total 20.00 EUR" in shown
        assert pdf.content.startswith(b"%PDF-")

    def test_of_a_neighbour_are_not_found(self, admin: Client, customer: Customer) -> None:
        neighbour = make_customer(customer.provider)
        invoice = make_invoice(neighbour, "77.00", issued_at=IN_OCTOBER)
        note = credit_in_full(invoice_id=invoice.pk, reason="No", at=clock.now(), actor_id=None)

        for tail in ("", "pdf/"):
            response = admin.get(f"/account/credit-notes/{note.pk}/{tail}")
            assert response.status_code == HTTPStatus.NOT_FOUND
