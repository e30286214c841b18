"""The PDFs of receipts: rendered once and kept, sent unchanged ever after."""

from datetime import datetime

from django.db import transaction

from billing.services.keeping import Printed, make_document, start_document_again
from common.jobs import enqueue
from payments.documents import render_receipt
from payments.models import Payment, ReceiptDocument


def store_receipt(*, payment: Payment, at: datetime) -> bool:
    """Render the receipt of a payment that succeeded, and keep it; whether it was.

    False if there is one already, or none can be made. A payment that was reversed keeps the
    receipt of the day it came.
    """
    return make_document(_of(payment), render=lambda: render_receipt(payment), at=at)


@transaction.atomic
def start_receipt_again(*, payment: Payment, at: datetime, actor_id: int | None) -> None:
    """Have workers make the receipt of a payment after all.

    :raises DocumentNotFailed: it was not given up, or was started again already.
    """
    start_document_again(_of(payment), at=at, actor_id=actor_id)
    enqueue("payments.render_receipt", payment_id=payment.pk)


def _of(payment: Payment) -> Printed:
    return Printed(payment, ReceiptDocument, "payment", "payment")
