"""Reading the PDFs of invoices and credit notes as they were stored."""

from billing.models import CreditNote, Document
from billing.selectors.details import UnknownCreditNote
from billing.selectors.invoices import invoice_by_id
from common.scope import Scope


def stored_invoice_pdf(scope: Scope, invoice_id: int) -> bytes | None:
    """The PDF of an invoice that the scope sees; None before a worker has rendered it.

    :raises UnknownInvoice: for any other.
    """
    invoice = invoice_by_id(scope, invoice_id)
    return _content(Document.objects.filter(invoice=invoice).first())


def stored_credit_note_pdf(scope: Scope, credit_note_id: int) -> bytes | None:
    """The PDF of a credit note that the scope sees; None before a worker has rendered it.

    :raises UnknownCreditNote: for any other.
    """
    note = CreditNote.objects.visible_to(scope).filter(pk=credit_note_id).first()
    if note is None:
        raise UnknownCreditNote(f"There is no credit note {credit_note_id}.")
    return _content(Document.objects.filter(credit_note=note).first())


def _content(document: Document | None) -> bytes | None:
    return bytes(document.content) if document is not None else None
