"""Documents that always fail: given up after five tries, and made after all."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import InternalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit.models import Entry
from billing import tasks
from billing.models import CreditNote, Document, Invoice
from billing.services.credit_notes import credit_in_full
from billing.services.documents import (
    queue_missing,
    render_invoices,
    start_credit_note_document_again,
    start_invoice_document_again,
    store_invoice_document,
)
from billing.services.keeping import DocumentNotFailed
from common.tries import MOST_TRIES
from tests.factories import make_customer, make_provider, make_user
from tests.factories.billing import IN_NOVEMBER, invoice_of, issue_run, make_charge
from tests.factories.documents import given_up
from tests.factories.tries import fail
from tests.factories.tries import refused as out_of_order
from tests.refusals import refused

pytestmark = pytest.mark.django_db

LATER = IN_NOVEMBER + timedelta(minutes=6)
NOT_KEPT = "NEW.state = 'DONE'"
SENT = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def invoice() -> Invoice:
    customer = make_customer(make_provider())
    make_charge(customer, "100")
    issue_run(customer.provider)
    return invoice_of(customer)


@pytest.fixture
def note(invoice: Invoice) -> CreditNote:
    return credit_in_full(invoice_id=invoice.pk, reason="Wrong", at=IN_NOVEMBER, actor_id=None)


def tries() -> tuple[str, int, str]:
    document = Document.objects.get()
    return document.state, document.try_count, document.try_error


class TestADocumentThatAlwaysFails:
    def test_of_an_invoice_is_given_up_after_five_tries(self, invoice: Invoice, sent: SENT) -> None:
        with out_of_order("UPDATE", "billing_document", when=NOT_KEPT):
            fail(Document, lambda: tasks.render_documents(invoice_ids=[invoice.pk]))

        assert tries() == ("FAILED", MOST_TRIES, "InternalError: out of order")
        entry = Entry.objects.get(action="invoice.document_given_up")
        assert (entry.object_id, entry.actor) == (str(invoice.pk), None)
        assert entry.after == {"error": "InternalError: out of order"}
        assert queue_missing(at=LATER) == 0
        assert render_invoices(invoice_ids=[invoice.pk], at=LATER) == 0

    def test_of_a_credit_note_is_given_up_after_five_tries(
        self, note: CreditNote, sent: SENT
    ) -> None:
        keys = {"provider_id": note.provider_id, "credit_note_id": note.pk}
        render_invoices(invoice_ids=[note.invoice_id], at=LATER)

        with out_of_order("UPDATE", "billing_document", when=NOT_KEPT):
            fail(Document, lambda: tasks.render_credit_note(**keys))

        document = Document.objects.get(credit_note=note)
        assert (document.state, document.try_count) == ("FAILED", MOST_TRIES)
        assert Entry.objects.filter(action="credit_note.document_given_up").count() == 1
        assert queue_missing(at=LATER) == 0

    def test_is_queued_by_the_sweep_until_then_however_old_it_is(
        self,
        invoice: Invoice,
        sent: SENT,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        with (
            out_of_order("UPDATE", "billing_document", when=NOT_KEPT),
            pytest.raises(InternalError),
        ):
            render_invoices(invoice_ids=[invoice.pk], at=LATER)

        with django_capture_on_commit_callbacks(execute=True):
            assert queue_missing(at=LATER + timedelta(days=400)) == 1
        assert sent == [("billing.render_documents", {"invoice_ids": [invoice.pk]})]

    def test_rests_for_a_minute_and_forgets_its_tries_when_it_is_made(
        self, invoice: Invoice
    ) -> None:
        with (
            out_of_order("UPDATE", "billing_document", when=NOT_KEPT),
            pytest.raises(InternalError),
        ):
            render_invoices(invoice_ids=[invoice.pk], at=IN_NOVEMBER)
        at_once = render_invoices(invoice_ids=[invoice.pk], at=IN_NOVEMBER)
        failed_once = tries()

        assert render_invoices(invoice_ids=[invoice.pk], at=LATER) == 1

        assert (at_once, failed_once[:2]) == (0, ("WAITING", 1))
        assert tries() == ("DONE", 0, "")

    def test_is_made_all_the_same_where_it_is_sent_by_mail(self, invoice: Invoice) -> None:
        given_up(invoice)

        assert store_invoice_document(
            provider_id=invoice.provider_id, invoice_id=invoice.pk, at=LATER
        )

        assert tries() == ("DONE", 0, "")


class TestStartingAgain:
    def test_gives_an_invoice_five_tries_more(
        self,
        invoice: Invoice,
        sent: SENT,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        given_up(invoice)
        user = make_user()

        with django_capture_on_commit_callbacks(execute=True):
            start_invoice_document_again(invoice=invoice, at=LATER, actor_id=user.pk)

        assert tries() == ("WAITING", 0, "")
        assert sent == [("billing.render_documents", {"invoice_ids": [invoice.pk]})]
        entry = Entry.objects.get(action="invoice.document_started_again")
        assert (entry.object_id, entry.actor) == (str(invoice.pk), user)
        assert render_invoices(invoice_ids=[invoice.pk], at=LATER) == 1
        assert Document.objects.get().pdf.startswith(b"%PDF-")

    def test_gives_a_credit_note_five_tries_more(
        self,
        note: CreditNote,
        sent: SENT,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        given_up(note)

        with django_capture_on_commit_callbacks(execute=True):
            start_credit_note_document_again(note=note, at=LATER, actor_id=None)

        keys = {"provider_id": note.provider_id, "credit_note_id": note.pk}
        assert sent == [("billing.render_credit_note", keys)]
        assert tasks.render_credit_note(**keys)
        assert tries() == ("DONE", 0, "")

    @pytest.mark.parametrize("state", [Document.State.WAITING, Document.State.DONE])
    def test_is_refused_of_any_other(self, invoice: Invoice, state: Document.State) -> None:
        if state == Document.State.DONE:
            render_invoices(invoice_ids=[invoice.pk], at=LATER)
        else:
            given_up(invoice, state, 2)

        with refused(DocumentNotFailed, "nothing to start again"):
            start_invoice_document_again(invoice=invoice, at=LATER, actor_id=None)

        assert Document.objects.get().state == state
        assert not Entry.objects.filter(action="invoice.document_started_again").exists()
