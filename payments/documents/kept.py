"""The receipt to hand out: the one that was kept, or the same rendered anew where none is yet."""

from billing.documents.kept import kept_pdf
from common.scope import Scope
from payments.documents import render_receipt
from payments.models import Payment, ReceiptDocument


def receipt_pdf(scope: Scope, payment: Payment) -> bytes:
    """The PDF of the receipt of a payment that came in; nothing is written.

    :raises DocumentNotMade: it cannot be made.
    """
    kept = ReceiptDocument.objects.visible_to(scope).filter(payment=payment).first()
    return kept_pdf(kept, lambda: render_receipt(payment))
