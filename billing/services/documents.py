"""Rendering documents once and keeping them; they are sent unchanged ever after."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from billing.documents import render_credit_note, render_invoice
from billing.documents.logos import logo_of, logo_on
from billing.models import CreditNote, Document, Invoice
from billing.selectors.details import credit_note_detail, invoice_detail
from billing.services.bill_runs import queue_documents
from common.jobs import enqueue
from common.scope import Scope
from common.tries import close_if_lost

log = logging.getLogger(__name__)

# The sweep leaves young ones to the tasks that were queued with them, and gives up on none of the
# last quarter; an older one is rendered when somebody asks for it.
_QUEUED_SINCE = timedelta(minutes=5)
_SWEPT_UNTIL = timedelta(days=92)
_SWEPT_AT_ONCE = 1000


def render_invoices(*, invoice_ids: Sequence[int], at: datetime) -> int:
    """Render and store the documents of issued invoices that have none; how many were stored.

    One that fails holds none of the others up: its error is raised when they are done.
    """
    rows = Invoice.objects.filter(pk__in=invoice_ids).exclude(state=Invoice.State.ESTIMATE)
    missing = rows.filter(document=None).order_by("pk").values_list("pk", "provider_id")
    stored = 0
    failure: Exception | None = None
    for pk, provider_id in missing:
        try:
            with transaction.atomic():
                stored += store_invoice_document(provider_id=provider_id, invoice_id=pk, at=at)
        except Exception as error:
            log.exception("the document of invoice %s was not rendered", pk)
            close_if_lost()
            failure = error
    if failure is not None:
        raise failure
    return stored


def store_invoice_document(*, provider_id: int, invoice_id: int, at: datetime) -> bool:
    """Render one invoice and keep the PDF; false if somebody else was faster.

    :raises UnknownInvoice: if the provider has issued no such invoice.
    """
    detail = invoice_detail(Scope.system(provider_id), invoice_id)
    content = render_invoice(detail, logo_on(provider_id, detail))
    return _store(Document(provider_id=provider_id, invoice_id=invoice_id), content, at)


def store_credit_note_document(*, provider_id: int, credit_note_id: int, at: datetime) -> bool:
    """Render one credit note and keep the PDF; false if there is one already.

    :raises UnknownCreditNote: if the provider has no such note.
    """
    if Document.objects.filter(credit_note=credit_note_id).exists():
        return False
    detail = credit_note_detail(Scope.system(provider_id), credit_note_id)
    content = render_credit_note(detail, logo_of(provider_id))
    return _store(Document(provider_id=provider_id, credit_note_id=credit_note_id), content, at)


def queue_missing(*, at: datetime) -> int:
    """Queue the documents that no task rendered, the oldest first; how many."""
    due = Q(issued_at__range=(at - _SWEPT_UNTIL, at - _QUEUED_SINCE), document=None)
    invoices = Invoice.objects.filter(due).order_by("issued_at", "pk")[:_SWEPT_AT_ONCE]
    invoice_ids = [invoice.pk for invoice in invoices.only("pk")]
    queue_documents(invoice_ids)
    notes = CreditNote.objects.filter(due).order_by("issued_at", "pk")[:_SWEPT_AT_ONCE]
    note_keys = [(note.provider_id, note.pk) for note in notes.only("pk", "provider_id")]
    for provider_id, note_id in note_keys:
        enqueue("billing.render_credit_note", provider_id=provider_id, credit_note_id=note_id)
    return len(invoice_ids) + len(note_keys)


def _store(document: Document, content: bytes, at: datetime) -> bool:
    document.content = content
    document.sha256 = hashlib.sha256(content).hexdigest()
    document.rendered_at = at
    # A race's loser rendered the same invoice; what was stored first stays.
    Document.objects.bulk_create([document], ignore_conflicts=True)
    kept = Document.objects.filter(
        invoice=document.invoice_id, credit_note=document.credit_note_id, sha256=document.sha256
    )
    return kept.exists()
