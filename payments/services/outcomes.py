"""How a payment at a gateway ends: succeeded, failed or expired, each once."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from common.errors import DomainError
from common.money import format_money
from payments.gateways.protocol import OrderReport, OrderStatus
from payments.models import UNPAID, Payment
from payments.services.customer_money import day_of, lock_payment
from payments.services.receiving import receive


class ReportRefused(DomainError):
    """The gateway speaks of another order, amount or currency than we recorded."""


@transaction.atomic
def apply_report(*, payment_id: int, report: OrderReport, at: datetime) -> bool:
    """Act on what the gateway says about a payment; returns whether that changed anything.

    Success is final, however late it is told: money that is there must be on the books, also where
    the payment was given up as failed or expired. So whichever order messages come in, and however
    often, the payment ends the same.

    :raises ReportRefused: reference, amount or currency are not the payment's.
    """
    payment = lock_payment(payment_id)
    _refuse_other_order(payment, report)
    before = payment.state
    if report.status is OrderStatus.SUCCEEDED and before in UNPAID:
        day = day_of(payment.provider, at)
        receive(payment=payment, posting_date=day, at=at, actor_id=None)
    elif report.status is OrderStatus.FAILED and before == Payment.State.PENDING:
        payment.mark_failed(report.failure)
        payment.save(update_fields=["state", "failure"])
    else:
        return False
    _record_end(payment, before, at)
    return True


@transaction.atomic
def expire_payment(*, payment_id: int, at: datetime) -> bool:
    """Give up a payment that nobody made; returns whether it was still pending."""
    payment = lock_payment(payment_id)
    before = payment.state
    if before != Payment.State.PENDING:
        return False
    payment.mark_expired()
    payment.save(update_fields=["state"])
    _record_end(payment, before, at)
    return True


def _refuse_other_order(payment: Payment, report: OrderReport) -> None:
    if report.order_number != payment.order_number or report.reference != payment.gateway_reference:
        raise ReportRefused(
            f"The gateway speaks of order {report.order_number} ({report.reference}), "
            f"not of {payment.order_number} ({payment.gateway_reference})."
        )
    if report.currency != payment.currency or report.amount != payment.amount:
        raise ReportRefused(
            f"The gateway speaks of {report.amount} {report.currency}, the payment "
            f"{payment} is about {format_money(payment.amount, payment.currency)}."
        )


def _record_end(payment: Payment, before: str, at: datetime) -> None:
    record(
        provider_id=payment.provider_id,
        action=f"payment.{payment.state.lower()}",
        changed=payment,
        at=at,
        actor_id=None,
        before={"state": before},
        after={
            "state": payment.state,
            "receipt_number": payment.receipt_number,
            "failure": payment.failure,
        },
    )
