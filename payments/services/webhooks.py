"""Messages of gateways: kept as they came, answered at once, acted on once."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from audit.services import record
from common.jobs import enqueue
from payments.gateways.protocol import OrderReport, WebhookForged, WebhookNotUnderstood
from payments.gateways.registry import GatewayUnknown, gateway_named
from payments.models import Payment, WebhookEvent
from payments.services.outcomes import ReportRefused, apply_report

__all__ = [
    "GatewayUnknown",
    "WebhookForged",
    "WebhookNotUnderstood",
    "process_webhook",
    "receive_webhook",
]


@transaction.atomic
def receive_webhook(
    *, provider_id: int, gateway: str, headers: Mapping[str, str], body: bytes, at: datetime
) -> WebhookEvent:
    """Check who sent `body` and keep it; acting on it is a task's work.

    A message that came before, by its id, returns the event of the first time.

    :raises GatewayUnknown: the gateway is not switched on.
    :raises WebhookForged: the signature does not hold.
    :raises WebhookNotUnderstood: the gateway signed what is not in its format.
    """
    adapter = gateway_named(gateway)
    adapter.verify_webhook(provider_id=provider_id, headers=headers, body=body, at=at)
    event, is_new = WebhookEvent.objects.get_or_create(
        provider_id=provider_id,
        gateway=gateway,
        event_id=adapter.parse_webhook(body).event_id,
        defaults={"body": body, "received_at": at},
    )
    if is_new:
        enqueue("payments.process_webhook", event_id=event.pk)
    return event


@transaction.atomic
def process_webhook(*, event_id: int, at: datetime) -> WebhookEvent:
    """Act on a stored message, once: its state changes in the same transaction as the payment.

    A message about an order, amount or currency that is not ours is refused, leaves the payment
    alone, and is raised in the audit trail.

    :raises GatewayUnknown: the gateway was switched off since; the message keeps waiting.
    """
    event = WebhookEvent.objects.select_for_update(no_key=True).get(pk=event_id)
    if event.state != WebhookEvent.State.RECEIVED:
        return event
    report = gateway_named(event.gateway).parse_webhook(bytes(event.body)).report
    if report is None:
        return _finish(event, WebhookEvent.State.IGNORED, "Not about an order.", at)
    try:
        has_changed = apply_report(payment_id=_payment_id(event, report), report=report, at=at)
    except ReportRefused as refusal:
        return _refuse(event, str(refusal), at)
    outcome = f"Order {report.order_number}: {report.status.lower()}."
    state = WebhookEvent.State.APPLIED if has_changed else WebhookEvent.State.IGNORED
    return _finish(event, state, outcome, at)


def _payment_id(event: WebhookEvent, report: OrderReport) -> int:
    payment = Payment.objects.filter(
        provider_id=event.provider_id, gateway=event.gateway, order_number=report.order_number
    ).first()
    if payment is None:
        raise ReportRefused(f"There is no order {report.order_number}.")
    return payment.pk


def _refuse(event: WebhookEvent, reason: str, at: datetime) -> WebhookEvent:
    record(
        provider_id=event.provider_id,
        action="webhook.refused",
        changed=event,
        at=at,
        actor_id=None,
        after={"gateway": event.gateway, "event_id": event.event_id, "reason": reason},
    )
    return _finish(event, WebhookEvent.State.REFUSED, reason, at)


def _finish(event: WebhookEvent, state: str, outcome: str, at: datetime) -> WebhookEvent:
    event.state = state
    event.outcome = outcome[:300]
    event.processed_at = at
    event.save(update_fields=["state", "outcome", "processed_at"])
    return event
