"""Reading the PDFs of receipts as they were stored."""

from common.scope import Scope
from payments.models import Payment, ReceiptDocument


def stored_receipt_pdf(scope: Scope, payment: Payment) -> bytes | None:
    """The receipt of a payment that the scope sees; None before a worker has rendered it."""
    document = ReceiptDocument.objects.visible_to(scope).filter(payment=payment).first()
    return bytes(document.content) if document is not None else None
