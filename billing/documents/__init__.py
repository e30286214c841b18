"""Invoices, estimates and credit notes as PDF."""

from dataclasses import replace

from billing.documents.pages import credit_note_page, estimate_page, invoice_page
from billing.documents.pdf import write_pdf
from billing.selectors.details import CreditNoteDetail, EstimateDetail, InvoiceDetail


def render_invoice(detail: InvoiceDetail, logo: str = "") -> bytes:
    """The PDF of an invoice or a settlement invoice; `logo` (`logos.py`) is its seller's."""
    return write_pdf(replace(invoice_page(detail), logo=logo))


def render_estimate(detail: EstimateDetail, logo: str = "") -> bytes:
    """The PDF of what an invoice will be, marked as an estimate."""
    return write_pdf(replace(estimate_page(detail), logo=logo))


def render_credit_note(detail: CreditNoteDetail, logo: str = "") -> bytes:
    """The PDF of a credit note."""
    return write_pdf(replace(credit_note_page(detail), logo=logo))
