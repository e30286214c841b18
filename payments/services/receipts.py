"""Rendering receipts once and keeping them; they are sent unchanged ever after."""

import hashlib
from datetime import datetime

from payments.documents import render_receipt
from payments.models import Payment, ReceiptDocument


def store_receipt(*, payment: Payment, at: datetime) -> bool:
    """Render the receipt of a payment that succeeded, and keep it; false if there is one already.

    A payment that was reversed keeps the receipt of the day it came.
    """
    if ReceiptDocument.objects.filter(payment=payment).exists():
        return False
    content = render_receipt(payment)
    document = ReceiptDocument(
        provider_id=payment.provider_id,
        payment=payment,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        rendered_at=at,
    )
    # A race's loser rendered the same receipt; what was stored first stays.
    ReceiptDocument.objects.bulk_create([document], ignore_conflicts=True)
    return ReceiptDocument.objects.filter(payment=payment, sha256=document.sha256).exists()
