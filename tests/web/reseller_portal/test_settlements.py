"""Settlement invoices in the portal: addressed to a reseller, or issued in its name."""

from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing.models import Invoice
from billing.services.credit_notes import credit_amount
from billing.services.documents import store_invoice_document
from common import clock
from customers.models import Customer
from resellers.models import Reseller
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_reseller_user,
    make_tax_profile,
)
from tests.factories.billing import invoice_of, issue_run, make_charge, make_chunk, make_usage
from tests.factories.documents import given_up
from tests.web.reseller_portal.pages import page, words_of

pytestmark = pytest.mark.django_db


class TestTheListOfSettlementInvoices:
    def test_has_those_addressed_to_oneself(self, viewer: Client, payer: Reseller) -> None:
        below = make_reseller(payer.provider, payer)
        customer = make_customer(payer.provider, payer)
        make_usage(payer, "30.00")
        make_usage(below, "20.00")
        make_charge(customer, "40.00")
        issue_run(payer.provider)

        file = viewer.get("/reseller/invoices/?format=csv").content.decode()

        assert [line.split(",")[0] for line in file.splitlines()[1:]] == [invoice_of(payer).number]
        text = words_of(viewer, "/reseller/invoices/")
        assert f"{invoice_of(payer).number} Aurora" in text
        assert "30.00 EUR" in text
        assert "40.00" not in text

    def test_filters_by_state_and_number(self, viewer: Client, payer: Reseller) -> None:
        make_usage(payer, "30.00")
        issue_run(payer.provider)
        number = str(invoice_of(payer).number)

        assert number in page(viewer, f"/reseller/invoices/?q={number}")
        assert number in page(viewer, "/reseller/invoices/?state=ISSUED")
        assert "Nothing matches" in page(viewer, "/reseller/invoices/?state=PAID")

    def test_asks_no_query_for_each(
        self, viewer: Client, payer: Reseller, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for currency in ("EUR", "USD", "CHF", "GBP", "SEK", "NOK", "DKK", "PLN"):
            make_usage(payer, "30.00", currency=currency)
        issue_run(payer.provider)

        with django_assert_max_num_queries(40):
            page(viewer, "/reseller/invoices/")

    def test_says_what_will_be_there(self, viewer: Client, payer: Reseller) -> None:
        assert "No settlement invoices yet" in page(viewer, "/reseller/invoices/")


class TestTheDocument:
    def test_can_be_saved_before_and_after_it_is_stored(
        self, viewer: Client, payer: Reseller
    ) -> None:
        make_usage(payer, "30.00")
        issue_run(payer.provider)
        invoice = invoice_of(payer)
        address = f"/reseller/invoices/{invoice.pk}/pdf/"

        before = viewer.get(address)
        store_invoice_document(
            provider_id=invoice.provider_id, invoice_id=invoice.pk, at=clock.now()
        )
        after = viewer.get(address)

        assert before.headers["Content-Type"] == "application/pdf"
        assert before.content.startswith(b"%PDF-")
        assert after.content == Invoice.objects.get(pk=invoice.pk).document.pdf
        assert address in page(viewer, f"/reseller/invoices/{invoice.pk}/")

    def test_that_could_not_be_made_says_so(self, viewer: Client, payer: Reseller) -> None:
        make_usage(payer, "30.00")
        issue_run(payer.provider)
        invoice = invoice_of(payer)
        given_up(invoice)

        answer = viewer.get(f"/reseller/invoices/{invoice.pk}/pdf/")

        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "This document is not there yet" in answer.content.decode()


class TestASettlementInvoice:
    def test_shows_who_owes_what_for_which_usage(self, viewer: Client, payer: Reseller) -> None:
        make_tax_profile(payer.provider, "19")
        product = make_product(payer.provider, name="Voice", volume_unit="second")
        chunk = make_chunk(payer.provider, product)
        make_usage(payer, "30.00", chunk=chunk, call_count=3, billed_volume=180)
        issue_run(payer.provider)
        invoice = invoice_of(payer)

        text = words_of(viewer, f"/reseller/invoices/{invoice.pk}/")

        assert f"Settlement invoice {invoice.number} Issued" in text
        assert "Period 1 Oct 2026 to 31 Oct 2026" in text
        assert "Billed by Aurora GmbH Billed to Meridian" in text
        assert "Germany Voice 3 180 second 30.00 EUR Sum 30.00 EUR" in text
        assert "Net 30.00 EUR VAT 19 % (19 %) 5.70 EUR Total 35.70 EUR" in text
        assert f'href="/reseller/invoices/{invoice.pk}/"' in page(viewer, "/reseller/invoices/")

    @pytest.mark.parametrize("page_of_it", ["", "pdf/"])
    def test_of_anybody_else_is_not_found(
        self, viewer: Client, payer: Reseller, page_of_it: str
    ) -> None:
        below = make_reseller(payer.provider, payer)
        others = [
            make_reseller(payer.provider),
            make_reseller(payer.provider, below),
            make_reseller(make_provider()),
        ]
        customer = make_customer(payer.provider, payer)
        make_charge(customer, "40.00")
        for other in others:
            make_usage(other, "20.00")
        for provider in (payer.provider, others[2].provider):
            issue_run(provider)

        payers: list[Reseller | Customer] = [*others, customer]
        for row in payers:
            response = viewer.get(f"/reseller/invoices/{invoice_of(row).pk}/{page_of_it}")
            assert response.status_code == HTTPStatus.NOT_FOUND


class TestWhatSubResellersOwe:
    @pytest.fixture
    def below(self, meridian: Reseller) -> Reseller:
        """A reseller in billing mode below Meridian, which is not."""
        below = make_reseller(meridian.provider, meridian, organisation="Solstice")
        make_billing_mode(below, make_rate_table(make_product(meridian.provider)))
        return below

    def test_is_summed_by_month_and_listed_as_invoiced(
        self, viewer: Client, meridian: Reseller, below: Reseller
    ) -> None:
        sibling = make_reseller(meridian.provider)
        make_usage(below, "20.00", call_count=2)
        make_usage(make_reseller(meridian.provider, below), "66.00")
        make_usage(sibling, "67.00")
        issue_run(meridian.provider)
        invoice = invoice_of(below)

        text = words_of(viewer, "/reseller/owed/")

        assert "October 2026 2 20.00 EUR" in text
        assert f"{invoice.number} Solstice Issued" in text
        assert "66.00" not in text
        assert "67.00" not in text
        one = words_of(viewer, f"/reseller/invoices/{invoice.pk}/")
        assert "Billed by Meridian Billed to Solstice" in one
        assert viewer.get(f"/reseller/invoices/{invoice.pk}/pdf/").content.startswith(b"%PDF-")
        assert str(invoice.number) not in page(viewer, "/reseller/invoices/")

    def test_shows_what_was_taken_back_to_who_is_owed_it_and_who_owes_it(
        self, viewer: Client, below: Reseller
    ) -> None:
        debtor = Client()
        debtor.force_login(make_reseller_user(below))
        make_usage(below, "20.00")
        issue_run(below.provider)
        invoice = invoice_of(below)
        note = credit_amount(
            invoice_id=invoice.pk,
            gross_amount=Decimal("5.00"),
            reason="Calls that failed",
            at=clock.now(),
            actor_id=None,
        )

        for client in (viewer, debtor):
            text = words_of(client, f"/reseller/invoices/{invoice.pk}/")
            assert str(note) in text
            assert "Credited 5.00 EUR" in text

    def test_says_what_will_be_there(self, viewer: Client, below: Reseller) -> None:
        text = page(viewer, "/reseller/owed/")

        assert "No usage in the last year" in text
        assert "No settlement invoices yet" in text

    def test_is_not_shown_to_who_owes_it(self, client: Client, below: Reseller) -> None:
        client.force_login(make_reseller_user(below))
        make_usage(below, "20.00")
        issue_run(below.provider)
        invoice = invoice_of(below)

        assert "Nothing" in words_of(client, "/reseller/owed/?q=x")
        assert str(invoice.number) not in page(client, "/reseller/owed/")
        assert str(invoice.number) in page(client, "/reseller/invoices/")
