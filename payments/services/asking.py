"""Asking a gateway about a payment of which nothing was heard."""

from datetime import datetime, timedelta

from payments.gateways.protocol import OrderStatus, OrderUnknown
from payments.gateways.registry import gateway_named
from payments.models import Payment
from payments.services.outcomes import apply_report, expire_payment

# Most payers are done within minutes; a message that is later than this may be lost.
ASK_AFTER = timedelta(minutes=15)
# A payer who has not begun by then does not come back.
EXPIRE_AFTER = timedelta(hours=24)


def ask_gateway(*, payment: Payment, at: datetime) -> bool:
    """Act on the gateway's answer as on its messages; returns whether that changed anything.

    A payment expires when the gateway, a day after the start, still waits for the payer or never
    took the order.

    :raises GatewayUnknown: the gateway was switched off since.
    :raises ReportRefused: the gateway speaks of another amount or currency.
    """
    adapter = gateway_named(payment.gateway)
    try:
        report = adapter.fetch_status(
            provider_id=payment.provider_id, reference=payment.gateway_reference, at=at
        )
    except OrderUnknown:
        is_waiting = True
    else:
        if apply_report(payment_id=payment.pk, report=report, at=at):
            return True
        is_waiting = report.status is OrderStatus.OPEN
    if is_waiting and at - payment.created_at >= EXPIRE_AFTER:
        return expire_payment(payment_id=payment.pk, at=at)
    return False
