import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from io import StringIO

import pytest
from django.test import Client

from billing.models import Document, Invoice, InvoiceEmail
from billing.services.documents import store_invoice_document
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller, make_tax_profile
from tests.factories.billing import (
    IN_NOVEMBER,
    invoice_of,
    issue_run,
    make_charge,
    make_chunk,
    make_usage,
)
from tests.factories.payments import make_invoice
from tests.payments.books import pay_offline
from tests.web.console.pages import as_role, page, query_count, refused

pytestmark = pytest.mark.django_db
LONG_OVER = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAR_OFF = datetime(2090, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


def issued_invoice(provider: Provider) -> Invoice:
    """An invoice with everything that its document prints."""
    customer = make_customer(provider)
    make_charge(customer, "100")
    issue_run(provider)
    return invoice_of(customer)


class TestTheList:
    def test_shows_the_providers_invoices_and_no_others(
        self, finance: Client, provider: Provider
    ) -> None:
        own = make_invoice(
            make_customer(provider), "50.00", issued_at=FAR_OFF, buyer={"name": "Nordwind"}
        )
        other = make_invoice(make_customer(make_provider()), "60.00", issued_at=FAR_OFF)

        text = page(finance, "/console/billing/invoices/")

        assert f'<a href="/console/billing/invoices/{own.pk}/">{own.number}</a>' in text
        assert f'<a href="/console/customers/{own.customer_id}/">Nordwind</a>' in text
        assert str(other.number) not in text

    def test_filters_by_period_reseller_and_currency(
        self, finance: Client, provider: Provider
    ) -> None:
        reseller = make_reseller(provider)
        tagged = make_customer(provider, reseller)
        make_charge(tagged, "100")
        make_charge(make_customer(provider), "100")
        make_charge(make_customer(provider, currency="USD"), "100")
        issue_run(provider)
        own = invoice_of(tagged).number
        root = "/console/billing/invoices/"

        def shown(query: str) -> set[str]:
            rows = csv.DictReader(StringIO(page(finance, f"{root}?format=csv&{query}")))
            return {row["Number"] for row in rows}

        everything = shown("period=2026-10")
        assert len(everything) == 3
        assert shown("period=2026-11") == shown("period=soon") == set()
        assert shown(f"reseller={reseller.pk}") == {own}
        assert len(shown("currency=usd")) == 1

    def test_filters_by_what_is_overdue(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        late = make_invoice(customer, "50.00", issued_at=LONG_OVER)
        open_still = make_invoice(customer, "60.00", issued_at=FAR_OFF)

        text = page(finance, "/console/billing/invoices/?state=OVERDUE")

        assert str(late.number) in text
        assert str(open_still.number) not in text
        assert "badge-wrong" in text

    def test_filters_by_customer_and_dates(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        wanted = make_invoice(customer, "50.00", issued_at=IN_NOVEMBER)
        early = make_invoice(customer, "50.00", issued_at=LONG_OVER)
        others = make_invoice(make_customer(provider), "60.00", issued_at=IN_NOVEMBER)

        text = page(
            finance, f"/console/billing/invoices/?customer={customer.number}&since=2026-10-01"
        )

        assert str(wanted.number) in text
        assert str(early.number) not in text
        assert str(others.number) not in text

    def test_exports_what_is_filtered(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        late = make_invoice(customer, "50.00", issued_at=LONG_OVER, buyer={"name": "=1+1"})
        make_invoice(customer, "60.00", issued_at=FAR_OFF)

        text = page(finance, "/console/billing/invoices/?state=OVERDUE&format=csv")

        heading, row = text.splitlines()
        assert heading.startswith("Number,Customer or reseller,State,Issued,Due,Net,Net currency")
        assert row.startswith(f"{late.number},'=1+1,OVERDUE,2026-03-01,2026-03-15,50.0000,EUR")

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, finance: Client, provider: Provider
    ) -> None:
        make_invoice(make_customer(provider), "50.00", issued_at=LONG_OVER)
        for_one = query_count(finance, "/console/billing/invoices/")
        for _ in range(5):
            make_invoice(make_customer(provider), "50.00", issued_at=LONG_OVER)

        assert query_count(finance, "/console/billing/invoices/") == for_one

    def test_offers_no_writing(self, finance: Client) -> None:
        answer = finance.post("/console/billing/invoices/")

        assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED

    def test_is_not_for_the_product_team(self, provider: Provider) -> None:
        answer = as_role(provider, "Product").get("/console/billing/invoices/")

        assert answer.status_code == HTTPStatus.FORBIDDEN


class TestAnInvoice:
    def test_shows_lines_taxes_and_payments(self, finance: Client, provider: Provider) -> None:
        make_tax_profile(provider, "19")
        customer = make_customer(provider)
        make_charge(customer, "100", description="Installation of the line")
        issue_run(provider)
        invoice = invoice_of(customer)
        payment = pay_offline(customer, "19.00")

        text = page(finance, f"/console/billing/invoices/{invoice.pk}/")

        assert "Installation of the line" in text
        assert "VAT 19 %" in text
        assert '119.00 <span class="currency">EUR' in text
        assert '100.00 <span class="currency">EUR' in text
        assert payment.order_number in text
        assert invoice.due_amount == Decimal("119.00")

    def test_hides_the_ledger_from_who_may_not_see_money(self, provider: Provider) -> None:
        invoice = make_invoice(make_customer(provider), "50.00", issued_at=IN_NOVEMBER)
        address = f"/console/billing/invoices/{invoice.pk}/"

        assert "<h2>Ledger</h2>" in page(as_role(provider, "Finance"), address)
        assert "<h2>Ledger</h2>" not in page(as_role(provider, "Marketing"), address)

    def test_of_another_provider_does_not_exist(self, finance: Client) -> None:
        other = make_invoice(make_customer(make_provider()), "50.00", issued_at=IN_NOVEMBER)

        answer = finance.get(f"/console/billing/invoices/{other.pk}/")

        assert answer.status_code == HTTPStatus.NOT_FOUND


class TestThePdf:
    def test_is_the_one_that_was_kept(self, finance: Client, provider: Provider) -> None:
        invoice = issued_invoice(provider)
        store_invoice_document(provider_id=provider.pk, invoice_id=invoice.pk, at=IN_NOVEMBER)

        shown = finance.get(f"/console/billing/invoices/{invoice.pk}/pdf/")
        saved = finance.get(f"/console/billing/invoices/{invoice.pk}/pdf/?download")

        assert shown.content == Document.objects.get(invoice=invoice).pdf
        assert shown["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'
        assert saved["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'

    def test_is_rendered_where_none_is_kept_and_writes_nothing(
        self, finance: Client, provider: Provider
    ) -> None:
        invoice = issued_invoice(provider)

        shown = finance.get(f"/console/billing/invoices/{invoice.pk}/pdf/")

        assert shown.content.startswith(b"%PDF-")
        assert not Document.objects.exists()


class TestEmailing:
    def test_asks_for_the_address_and_queues(self, finance: Client, provider: Provider) -> None:
        invoice = issued_invoice(provider)
        assert invoice.customer is not None
        address = f"/console/billing/invoices/{invoice.pk}/email/"

        asked = page(finance, address)
        answer = finance.post(address, {"recipient": "accounts@nordwind.example"})

        email = InvoiceEmail.objects.get()
        assert f'value="{invoice.customer.email}"' in asked
        assert answer["Location"] == f"/console/billing/invoices/{invoice.pk}/"
        assert (email.recipient, email.state) == ("accounts@nordwind.example", "QUEUED")
        assert "accounts@nordwind.example" in page(finance, answer["Location"])

    def test_to_no_address_is_refused(self, finance: Client, provider: Provider) -> None:
        invoice = issued_invoice(provider)
        address = f"/console/billing/invoices/{invoice.pk}/email/"

        text = refused(finance, address, recipient="nordwind")

        assert "Enter a valid email address." in text
        assert 'value="nordwind"' in text
        assert not InvoiceEmail.objects.exists()


class TestTheUsageBehindAnInvoice:
    def test_sums_to_its_lines(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        chunk = make_chunk(provider)
        for day, amount in ((4, "1.00334"), (5, "2.00333"), (5, "0.00400")):
            make_usage(
                customer, amount, chunk=chunk, destination="Atlantis", day=date(2026, 10, day)
            )
        issue_run(provider)
        invoice = invoice_of(customer)

        text = page(finance, f"/console/billing/invoices/{invoice.pk}/usage.csv")

        rows = list(csv.DictReader(StringIO(text)))
        assert [(row["Day"], row["Destination"], row["Calls"], row["Net"]) for row in rows] == [
            ("2026-10-04", "Atlantis", "1", "1.00334000"),
            ("2026-10-05", "Atlantis", "2", "2.00733000"),
        ]
        line = invoice.lines.get()
        assert line.net_amount == round(sum(Decimal(row["Net"]) for row in rows), 2)

    def test_of_another_provider_is_not_found(self, finance: Client) -> None:
        foreign = issued_invoice(make_provider())

        response = finance.get(f"/console/billing/invoices/{foreign.pk}/usage.csv")

        assert response.status_code == HTTPStatus.NOT_FOUND
