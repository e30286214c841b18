"""The PDF to hand out: the one that was kept, or the same rendered anew where none is yet."""

from billing.documents import render_credit_note, render_invoice
from billing.documents.logos import logo_of, logo_on
from billing.models import Document
from billing.selectors.details import credit_note_detail, invoice_detail
from common.scope import Scope


def invoice_pdf(scope: Scope, invoice_id: int) -> bytes:
    """The PDF of an issued invoice that the scope sees; nothing is written.

    :raises UnknownInvoice: for any other.
    """
    detail = invoice_detail(scope, invoice_id)
    kept = Document.objects.filter(provider_id=scope.provider_id, invoice=invoice_id).first()
    if kept is not None:
        return bytes(kept.content)
    return render_invoice(detail, logo_on(scope.provider_id, detail))


def credit_note_pdf(scope: Scope, credit_note_id: int) -> bytes:
    """The PDF of a credit note that the scope sees; nothing is written.

    :raises UnknownCreditNote: for any other.
    """
    detail = credit_note_detail(scope, credit_note_id)
    rows = Document.objects.filter(provider_id=scope.provider_id, credit_note=credit_note_id)
    kept = rows.first()
    if kept is not None:
        return bytes(kept.content)
    return render_credit_note(detail, logo_of(scope.provider_id))
