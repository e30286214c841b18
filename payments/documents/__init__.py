"""Receipts as PDF."""

from billing.documents.pdf import write_pdf
from payments.documents.receipt import receipt_page
from payments.models import Payment

TEMPLATE = "documents/receipt.html"


def render_receipt(payment: Payment) -> bytes:
    """The PDF of the receipt of a payment that succeeded."""
    return write_pdf(receipt_page(payment), TEMPLATE)
