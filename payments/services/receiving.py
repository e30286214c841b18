"""The moment money is there: it is booked, settles what it was meant for, and gets its receipt."""

from datetime import date, datetime

from billing.models import NumberSeries
from billing.services.numbering import take_numbers
from common.jobs import enqueue
from common.scope import Scope
from ledger.models import AccountKind, TransferKind
from ledger.services import AccountRef, Posting, customer_wallet
from payments.models import Payment, PlannedAllocation
from payments.rules.advance import Use
from payments.rules.distribution import clip
from payments.services.allocation import allocate
from payments.services.customer_money import dues_by_invoice, lock_open_invoices
from tenancy.selectors import default_biller_entity


def payment_key(payment_id: int) -> str:
    """The ledger's idempotency key of the transfer that brings a payment in."""
    return f"payment:{payment_id}"


def receive(*, payment: Payment, posting_date: date, at: datetime, actor_id: int | None) -> Payment:
    """Book a payment that the caller has locked, and settle what it was planned for.

    What was paid or credited since it was planned is left to the wallet as advance.
    """
    dues = dues_by_invoice(lock_open_invoices(payment.customer))
    planned = PlannedAllocation.objects.filter(payment=payment).order_by("pk")
    shares = clip(payment.amount, dict(planned.values_list("invoice_id", "amount")), dues)
    allocate(
        customer=payment.customer,
        uses=[Use(payment.pk, invoice_id, share) for invoice_id, share in shares.items()],
        received=[_posting(payment)],
        effective_date=posting_date,
        at=at,
        actor_id=actor_id,
    )
    payment.mark_succeeded(
        receipt_number=_take_receipt_number(payment, posting_date),
        posting_date=posting_date,
        at=at,
    )
    payment.save(
        update_fields=["state", "receipt_number", "posting_date", "succeeded_at", "failure"]
    )
    enqueue("payments.render_receipt", payment_id=payment.pk)
    return payment


def _take_receipt_number(payment: Payment, posting_date: date) -> str:
    seller_id = payment.customer.biller_entity_id
    if seller_id is None:
        seller_id = default_biller_entity(Scope.system(payment.provider_id)).pk
    [number] = take_numbers(
        provider_id=payment.provider_id,
        biller_entity_id=seller_id,
        kind=NumberSeries.Kind.RECEIPT,
        issue_date=posting_date,
    )
    return number


def _posting(payment: Payment) -> Posting:
    is_online = payment.mode == Payment.Mode.GATEWAY
    kind = AccountKind.GATEWAY_CLEARING if is_online else AccountKind.BANK
    return Posting(
        debit=AccountRef(kind, payment.currency, payment.gateway),
        credit=customer_wallet(payment.customer_id, payment.currency),
        amount=payment.amount,
        kind=TransferKind.PAYMENT,
        document=f"payment:{payment.pk}",
        key=payment_key(payment.pk),
    )
