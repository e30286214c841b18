"""Invoices, estimates and credit notes as PDF."""

from billing.documents.pages import credit_note_page, estimate_page, invoice_page
from billing.documents.pdf import write_pdf
from billing.selectors.details import CreditNoteDetail, EstimateDetail, InvoiceDetail


def render_invoice(detail: InvoiceDetail) -> bytes:
    """The PDF of an invoice or a settlement invoice."""
    return write_pdf(invoice_page(detail))


def render_estimate(detail: EstimateDetail) -> bytes:
    """The PDF of what an invoice will be, marked as an estimate."""
    return write_pdf(estimate_page(detail))


def render_credit_note(detail: CreditNoteDetail) -> bytes:
    """The PDF of a credit note."""
    return write_pdf(credit_note_page(detail))
