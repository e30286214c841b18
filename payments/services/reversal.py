"""Undoing a payment: one contra entry for it and for everything it settled."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from billing.services.settlement import unsettle_invoice
from common.errors import DomainError
from ledger.models import Transfer
from ledger.services import reverse
from payments.models import Allocation, Payment, Reversal
from payments.services.customer_money import day_of, lock_payment
from payments.services.receiving import payment_key


class PaymentNotReversible(DomainError):
    """Only money that came in can be taken back, and only once."""


@transaction.atomic
def reverse_payment(
    *, payment: Payment, reason: str, at: datetime, actor_id: int | None
) -> Reversal:
    """Take a payment back (a bounced cheque, a chargeback, a mistake) and reopen its invoices.

    Every allocation names the money it spends, later ones from the wallet too. All of this
    payment's are undone first, which puts its whole amount back into the wallet; so taking it out
    never touches money that came otherwise, and the wallet cannot fall below zero.

    :raises PaymentNotReversible: it did not succeed, or was reversed before.
    """
    payment = lock_payment(payment.pk)
    if payment.state != Payment.State.SUCCEEDED:
        raise PaymentNotReversible(f"Payment {payment} is {payment.state.lower()}.")
    reversal = Reversal.objects.create(
        provider_id=payment.provider_id,
        payment=payment,
        reason=reason,
        reversed_at=at,
        reversed_by_id=actor_id,
    )
    undone = _undo_allocations(reversal, at, actor_id)
    received = Transfer.objects.get(
        provider_id=payment.provider_id, idempotency_key=payment_key(payment.pk)
    )
    _contra(received, reversal, at, actor_id)
    payment.mark_reversed()
    payment.save(update_fields=["state"])
    record(
        provider_id=payment.provider_id,
        action="payment.reversed",
        changed=payment,
        at=at,
        actor_id=actor_id,
        before={"state": Payment.State.SUCCEEDED},
        after={
            "state": payment.state,
            "reason": reason,
            "undone": "; ".join(f"{row.amount} of invoice {row.invoice_id}" for row in undone),
        },
    )
    return reversal


def _undo_allocations(reversal: Reversal, at: datetime, actor_id: int | None) -> list[Allocation]:
    rows = Allocation.objects.filter(payment=reversal.payment, undone_at__isnull=True)
    live = list(rows.select_related("transfer").order_by("invoice_id", "pk"))
    # All invoices before the first ledger account, as everywhere.
    for allocation in live:
        unsettle_invoice(invoice_id=allocation.invoice_id, amount=allocation.amount)
    for allocation in live:
        _contra(allocation.transfer, reversal, at, actor_id)
    rows.update(undone_at=at)
    return live


def _contra(transfer: Transfer, reversal: Reversal, at: datetime, actor_id: int | None) -> None:
    reverse(
        transfer=transfer,
        document=f"payment:{reversal.payment_id}",
        effective_date=day_of(reversal.provider, at),
        at=at,
        actor_id=actor_id,
    )
