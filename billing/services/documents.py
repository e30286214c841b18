"""The PDFs of invoices and credit notes: rendered once and kept, sent unchanged ever after."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.db import transaction
from django.db.models import Manager, Q

from billing.documents import render_credit_note, render_invoice
from billing.documents.logos import logo_of, logo_on
from billing.models import CreditNote, Document, Invoice
from billing.selectors.details import credit_note_detail, invoice_detail
from billing.selectors.documents import to_be_made
from billing.selectors.invoices import invoice_by_id
from billing.services.bill_runs import queue_documents
from billing.services.keeping import Printed, keep_document, make_document, start_document_again
from common.jobs import enqueue
from common.scope import Scope
from common.tries import close_if_lost

log = logging.getLogger(__name__)

# The sweep leaves young ones to the tasks that were queued with them, and looks for none older than
# a quarter that nobody has begun; such a one is rendered when somebody asks for it.
_QUEUED_SINCE = timedelta(minutes=5)
_SWEPT_UNTIL = timedelta(days=92)
_SWEPT_AT_ONCE = 1000

PrintedT = TypeVar("PrintedT", Invoice, CreditNote)


def render_invoices(*, invoice_ids: Sequence[int], at: datetime) -> int:
    """Render and store the documents of issued invoices that have none; how many were stored.

    One that fails holds none of the others up: its error is raised when they are done.
    """
    rows = Invoice.objects.filter(pk__in=invoice_ids).exclude(state=Invoice.State.ESTIMATE)
    stored = 0
    failure: Exception | None = None
    for invoice in to_be_made(rows).only("pk", "provider_id").order_by("pk"):
        try:
            stored += make_document(_of(invoice), render=partial(_invoice_pdf, invoice), at=at)
        except Exception as error:
            log.exception("the document of invoice %s was not rendered", invoice.pk)
            close_if_lost()
            failure = error
    if failure is not None:
        raise failure
    return stored


def store_credit_note_document(*, provider_id: int, credit_note_id: int, at: datetime) -> bool:
    """Render and store the document of a credit note; false if it has one, or none can be made.

    :raises CreditNote.DoesNotExist: if the provider has no such note.
    """
    note = CreditNote.objects.get(provider=provider_id, pk=credit_note_id)
    return make_document(_of_note(note), render=partial(_credit_note_pdf, note), at=at)


def store_invoice_document(*, provider_id: int, invoice_id: int, at: datetime) -> bool:
    """Render an invoice without waiting for a worker, and keep the PDF; false if one is kept.

    :raises UnknownInvoice: if the provider has issued no such invoice.
    """
    invoice = invoice_by_id(Scope.system(provider_id), invoice_id)
    if Document.objects.filter(invoice=invoice, state=Document.State.DONE).exists():
        return False
    printed = _of(invoice)
    printed.expect()
    return keep_document(printed, content=_invoice_pdf(invoice), at=at)


@transaction.atomic
def start_invoice_document_again(*, invoice: Invoice, at: datetime, actor_id: int | None) -> None:
    """Have workers make the PDF of an invoice after all.

    :raises DocumentNotFailed: it was not given up, or was started again already.
    """
    start_document_again(_of(invoice), at=at, actor_id=actor_id)
    queue_documents([invoice.pk])


@transaction.atomic
def start_credit_note_document_again(
    *, note: CreditNote, at: datetime, actor_id: int | None
) -> None:
    """Have workers make the PDF of a credit note after all.

    :raises DocumentNotFailed: it was not given up, or was started again already.
    """
    start_document_again(_of_note(note), at=at, actor_id=actor_id)
    _queue_credit_note(note)


def queue_missing(*, at: datetime) -> int:
    """Queue what no task has begun, and what was begun and is still to be made; how many."""
    since, until = at - _SWEPT_UNTIL, at - _QUEUED_SINCE
    untouched = Q(issued_at__range=(since, until), document=None)
    begun = Q(document__state=Document.State.WAITING)
    invoices = _oldest(Invoice.objects, untouched) + _oldest(Invoice.objects, begun)
    queue_documents([invoice.pk for invoice in invoices])
    notes = _oldest(CreditNote.objects, untouched) + _oldest(CreditNote.objects, begun)
    for note in notes:
        _queue_credit_note(note)
    return len(invoices) + len(notes)


def _oldest(rows: Manager[PrintedT], due: Q) -> list[PrintedT]:
    found = rows.filter(due).order_by("issued_at", "pk").only("pk", "provider_id")
    return list(found[:_SWEPT_AT_ONCE])


def _queue_credit_note(note: CreditNote) -> None:
    enqueue("billing.render_credit_note", provider_id=note.provider_id, credit_note_id=note.pk)


def _of(invoice: Invoice) -> Printed:
    return Printed(invoice, Document, "invoice", "invoice")


def _of_note(note: CreditNote) -> Printed:
    return Printed(note, Document, "credit_note", "credit_note")


def _invoice_pdf(invoice: Invoice) -> bytes:
    detail = invoice_detail(Scope.system(invoice.provider_id), invoice.pk)
    return render_invoice(detail, logo_on(invoice.provider_id, detail))


def _credit_note_pdf(note: CreditNote) -> bytes:
    detail = credit_note_detail(Scope.system(note.provider_id), note.pk)
    return render_credit_note(detail, logo_of(note.provider_id))
