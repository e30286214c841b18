"""Invoices and credit notes as PDF."""

from billing.documents.pages import credit_note_page, invoice_page
from billing.documents.pdf import write_pdf
from billing.selectors.details import CreditNoteDetail, InvoiceDetail


def render_invoice(detail: InvoiceDetail) -> bytes:
    """The PDF of an invoice or a settlement invoice."""
    return write_pdf(invoice_page(detail))


def render_credit_note(detail: CreditNoteDetail) -> bytes:
    """The PDF of a credit note."""
    return write_pdf(credit_note_page(detail))
