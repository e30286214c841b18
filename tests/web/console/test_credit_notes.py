from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client

from billing.models import CreditNote, Invoice
from billing.services.credit_notes import credit_amount
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_tax_profile
from tests.factories.billing import IN_NOVEMBER, invoice_of, issue_run, make_charge
from tests.payments.books import pay_offline, wallet
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
ROOT = "/console/billing/credit-notes/"


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


def issued(provider: Provider) -> Invoice:
    """119.00 with tax: two lines of 60 and 40 net."""
    make_tax_profile(provider, "19")
    customer = make_customer(provider)
    make_charge(customer, "60", description="Installation")
    make_charge(customer, "40", description="Repair")
    issue_run(provider)
    return invoice_of(customer)


def address(invoice: Invoice) -> str:
    return f"/console/billing/invoices/{invoice.pk}/credit/"


class TestCrediting:
    def test_all_of_an_unpaid_invoice_cancels_it(self, finance: Client, provider: Provider) -> None:
        invoice = issued(provider)

        to = confirm(finance, address(invoice), way="FULL", reason="Wrong customer")

        note = CreditNote.objects.get()
        invoice.refresh_from_db()
        assert to == f"{ROOT}{note.pk}/"
        assert note.gross_amount == Decimal("119.00")
        assert invoice.state == Invoice.State.CANCELLED
        assert "Wrong customer" in page(finance, to)
        assert finance.get(f"{to}pdf/").content.startswith(b"%PDF-")

    def test_chosen_lines_takes_their_tax_back_too(
        self, finance: Client, provider: Provider
    ) -> None:
        invoice = issued(provider)
        line = invoice.lines.get(description="Repair")

        confirm(finance, address(invoice), way="LINES", lines=[line.pk], reason="Not repaired")

        note = CreditNote.objects.get()
        assert (note.net_amount, note.tax_amount) == (Decimal("40.00"), Decimal("7.60"))
        assert [row.invoice_line_id for row in note.lines.all()] == [line.pk]

    def test_an_amount_on_a_paid_invoice_goes_to_the_wallet(
        self, finance: Client, provider: Provider
    ) -> None:
        invoice = issued(provider)
        assert invoice.customer is not None
        pay_offline(invoice.customer, "119.00")

        confirm(finance, address(invoice), way="AMOUNT", amount="11.90", reason="Goodwill")

        note = CreditNote.objects.get()
        assert (note.net_amount, note.excess_amount) == (Decimal("10.00"), Decimal("11.90"))
        assert wallet(invoice.customer) == Decimal("11.90")

    def test_states_the_amounts_before_it_writes(self, finance: Client, provider: Provider) -> None:
        invoice = issued(provider)

        answer = finance.post(
            address(invoice), {"way": "AMOUNT", "amount": "11.90", "reason": "Goodwill"}
        )

        text = answer.content.decode()
        assert '10.00 <span class="currency">EUR' in text
        assert '1.90 <span class="currency">EUR' in text
        assert not CreditNote.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"way": "AMOUNT", "amount": "119.01"}, "more than the 119.00"),
            ({"way": "AMOUNT", "amount": ""}, "not an amount that can be credited"),
            ({"way": "LINES"}, "Choose lines of"),
            ({"way": "LINES", "lines": ["1000000"]}, "is not one of the available choices"),
        ],
    )
    def test_too_much_or_nothing_is_refused(
        self, finance: Client, provider: Provider, fields: dict[str, object], message: str
    ) -> None:
        invoice = issued(provider)

        text = refused(finance, address(invoice), reason="Goodwill", **fields)

        assert message in text.replace("&#x27;", "'")
        assert "Goodwill" in text
        assert not CreditNote.objects.exists()

    def test_is_closed_to_readers_and_to_other_providers(self, provider: Provider) -> None:
        invoice = issued(provider)
        fields = {"way": "FULL", "reason": "x", "_confirmed": "1"}

        by_reader = as_role(provider, "Read-only").post(address(invoice), fields)
        by_other = as_role(make_provider(), "Finance").post(address(invoice), fields)

        assert by_reader.status_code == HTTPStatus.FORBIDDEN
        assert by_other.status_code == HTTPStatus.NOT_FOUND
        assert not CreditNote.objects.exists()


class TestTheList:
    def test_shows_own_notes_with_as_many_queries_for_many_as_for_one(
        self, finance: Client, provider: Provider
    ) -> None:
        invoice = issued(provider)

        def credit(gross: str) -> CreditNote:
            return credit_amount(
                invoice_id=invoice.pk,
                gross_amount=Decimal(gross),
                reason="Goodwill",
                at=IN_NOVEMBER,
                actor_id=None,
            )

        note = credit("1.00")
        for_one = query_count(finance, ROOT)
        for _ in range(3):
            credit("2.00")

        assert query_count(finance, ROOT) == for_one
        assert f'<a href="{ROOT}{note.pk}/">{note.number}</a>' in page(finance, ROOT)
        assert note.number not in page(as_role(make_provider(), "Finance"), ROOT)
