"""PDFs that could not be made: the pages of what they are of say so, and staff start them again."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from django.test import Client

from audit.models import Entry
from billing.models import CreditNote, Invoice, KeptDocument
from payments.models import Payment
from payouts.models import PayoutStatement
from payouts.services.approving import approve_statement
from tenancy.models import Provider
from tests.factories import make_provider
from tests.factories.documents import WHY, given_up
from tests.factories.payouts import day
from tests.web.console.pages import as_role, confirm, page, table
from tests.web.matrix import console_credit_notes, console_invoices, console_payments
from tests.web.matrix.console_payouts import statement as drafted

pytestmark = pytest.mark.django_db

Subject = Invoice | CreditNote | Payment | PayoutStatement


def _invoice(provider: Provider) -> Invoice:
    console_invoices.invoice(provider)
    return Invoice.objects.latest("pk")


def _note(provider: Provider) -> CreditNote:
    console_credit_notes.note(provider)
    return CreditNote.objects.latest("pk")


def _payment(provider: Provider) -> Payment:
    console_payments.payment(provider)
    return Payment.objects.latest("pk")


def _statement(provider: Provider) -> PayoutStatement:
    drafted(provider)
    draft = PayoutStatement.objects.latest("pk")
    return approve_statement(statement=draft, at=day(11, 3), actor_id=None)


@dataclass(frozen=True)
class Kind:
    """A kind of document: what it is of, where that is, and what the audit calls it."""

    make: Callable[[Provider], Subject]
    at: str
    pdf: str
    query: str
    name: str


KINDS = {
    "invoice": Kind(_invoice, "/console/billing/invoices/", "pdf/", "document", "invoice"),
    "credit note": Kind(_note, "/console/billing/credit-notes/", "pdf/", "document", "credit_note"),
    "receipt": Kind(_payment, "/console/payments/", "receipt/", "receipt", "payment"),
    "statement": Kind(_statement, "/console/payouts/", "pdf/", "document", "payout_statement"),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


@every_kind
class TestADocumentThatWasGivenUp:
    def test_is_said_to_be_missing_and_made_again_when_staff_confirm(
        self, finance: Client, provider: Provider, kind: Kind
    ) -> None:
        subject = kind.make(provider)
        document = given_up(subject)
        address = f"{kind.at}{subject.pk}/"
        text = page(finance, address)
        question = page(finance, f"{address}{kind.pdf}again/")

        leads_to = confirm(finance, f"{address}{kind.pdf}again/")

        assert "The PDF could not be made: it was tried five times" in text
        assert WHY in text
        assert f"{address}{kind.pdf}again/" in text
        assert f'href="{address}{kind.pdf}"' not in text.split("</header>")[1].split("<dl")[0]
        assert WHY in question
        assert leads_to == address
        document.refresh_from_db()
        assert (document.state, document.try_count) == ("WAITING", 0)
        entry = Entry.objects.get(action=f"{kind.name}.document_started_again")
        assert (entry.object_id, entry.actor is not None) == (str(subject.pk), True)
        after = page(finance, address)
        assert "could not be made" not in after
        assert "again/" not in after

    def test_is_not_started_twice(self, finance: Client, provider: Provider, kind: Kind) -> None:
        subject = kind.make(provider)
        given_up(subject)
        path = f"{kind.at}{subject.pk}/{kind.pdf}again/"
        confirm(finance, path)

        answer = finance.post(path, {"_confirmed": "1"})

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "nothing to start again" in answer.content.decode()
        assert Entry.objects.filter(action=f"{kind.name}.document_started_again").count() == 1

    def test_is_only_read_by_others(self, provider: Provider, kind: Kind) -> None:
        subject = kind.make(provider)
        document = given_up(subject)
        reader = as_role(provider, "Read-only")
        path = f"{kind.at}{subject.pk}/{kind.pdf}again/"

        assert WHY in page(reader, f"{kind.at}{subject.pk}/")
        assert path not in page(reader, f"{kind.at}{subject.pk}/")
        assert reader.post(path, {"_confirmed": "1"}).status_code == HTTPStatus.FORBIDDEN
        document.refresh_from_db()
        assert document.state == "FAILED"

    def test_of_another_provider_is_not_found(self, finance: Client, kind: Kind) -> None:
        subject = kind.make(make_provider())
        document = given_up(subject)

        answer = finance.post(f"{kind.at}{subject.pk}/{kind.pdf}again/", {"_confirmed": "1"})

        assert answer.status_code == HTTPStatus.NOT_FOUND
        document.refresh_from_db()
        assert document.state == "FAILED"

    def test_answers_with_a_page_that_says_so(
        self, finance: Client, provider: Provider, kind: Kind
    ) -> None:
        subject = kind.make(provider)
        given_up(subject)

        answer = finance.get(f"{kind.at}{subject.pk}/{kind.pdf}")

        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "This document is not there yet" in answer.content.decode()

    def test_is_found_in_the_list(self, finance: Client, provider: Provider, kind: Kind) -> None:
        given_up(kind.make(provider))

        failed, made = (
            table(finance, f"{kind.at}?{kind.query}={state}&format=csv")
            for state in ("FAILED", "DONE")
        )

        assert (len(failed), made) == (1, [])


@every_kind
class TestADocumentThatHasFailedBefore:
    def test_says_that_it_is_tried_again_and_is_left_to_the_workers(
        self, finance: Client, provider: Provider, kind: Kind
    ) -> None:
        subject = kind.make(provider)
        given_up(subject, KeptDocument.State.WAITING, tries=2)

        text = page(finance, f"{kind.at}{subject.pk}/")
        answer = finance.get(f"{kind.at}{subject.pk}/{kind.pdf}")

        assert "Making the PDF has failed, and is tried again" in text
        assert "again/" not in text
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
