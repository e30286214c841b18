"""The sandbox's own side: the orders it was given, its test cards and the messages it sends."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction

from common.errors import DomainError
from payments.gateways.protocol import Order, OrderReport, OrderStatus, OrderUnknown
from payments.gateways.sandbox import signing
from payments.models import SandboxCheckout

DELAY = timedelta(minutes=10)
DECLINED = "The card was declined."
NOT_CONFIRMED = "The payer did not confirm the payment with the bank."


class OrderClosed(DomainError):
    """The order was paid or declined before; a card is tried once."""


class Card(StrEnum):
    """Test cards, by number, and what happens to whoever pays with them."""

    SUCCESS = "4242424242424242"
    DECLINE = "4000000000000002"
    CHALLENGE = "4000002500003155"
    DELAYED = "4000000000000077"
    DUPLICATE = "4000000000000101"
    OUT_OF_ORDER = "4000000000000119"


class EventType(StrEnum):
    """What a message is about."""

    PROCESSING = "order.processing"
    SUCCEEDED = "order.succeeded"
    FAILED = "order.failed"


@dataclass(frozen=True)
class Delivery:
    """One message as it goes over the wire at `sent_at`."""

    sent_at: datetime
    headers: dict[str, str]
    body: bytes


def open_order(order: Order, *, at: datetime) -> str:
    """Take the order; returns the reference it is known by here."""
    reference = f"sbx_{secrets.token_hex(12)}"
    SandboxCheckout.objects.create(
        provider_id=order.provider_id,
        reference=reference,
        order_number=order.order_number,
        amount=order.amount,
        currency=order.currency,
        return_url=order.return_url,
        created_at=at,
    )
    return reference


@transaction.atomic
def pay(*, provider_id: int, reference: str, card: Card, at: datetime) -> list[Delivery]:
    """Pay the order with a test card; returns the messages this causes, in the order sent.

    :raises OrderUnknown: there is no such order.
    :raises OrderClosed: a card was used on it before.
    """
    order = _locked(provider_id, reference)
    if order.state != SandboxCheckout.State.OPEN:
        raise OrderClosed(f"The order {reference} was paid or declined before.")
    if card is Card.DECLINE:
        return _fail(order, DECLINED, at)
    if card is Card.CHALLENGE:
        order.state = SandboxCheckout.State.CHALLENGED
        order.save(update_fields=["state"])
        return [_deliver(order, EventType.PROCESSING, at)]
    order.settles_at = at + DELAY if card is Card.DELAYED else at
    success = _succeed(order, order.settles_at)
    processing = _deliver(order, EventType.PROCESSING, at)
    match card:
        case Card.DELAYED:
            return [processing, success]
        case Card.DUPLICATE:
            return [success, success]
        case Card.OUT_OF_ORDER:
            return [success, processing]
    return [success]


@transaction.atomic
def answer_challenge(
    *, provider_id: int, reference: str, is_confirmed: bool, at: datetime
) -> list[Delivery]:
    """The payer confirms (or not) with their bank, as 3-D Secure asks; returns the messages.

    :raises OrderUnknown: there is no such order.
    :raises OrderClosed: the order is not waiting for it.
    """
    order = _locked(provider_id, reference)
    if order.state != SandboxCheckout.State.CHALLENGED:
        raise OrderClosed(f"The order {reference} waits for no confirmation.")
    if not is_confirmed:
        return _fail(order, NOT_CONFIRMED, at)
    order.settles_at = at
    return [_succeed(order, at)]


def report_order(*, provider_id: int, reference: str, at: datetime) -> OrderReport:
    """How far the order is at `at`.

    :raises OrderUnknown: there is no such order.
    """
    order = SandboxCheckout.objects.filter(provider_id=provider_id, reference=reference).first()
    if order is None:
        raise OrderUnknown(f"The sandbox knows no order {reference}.")
    return OrderReport(
        order_number=order.order_number,
        reference=order.reference,
        status=_status(order, at),
        amount=order.amount,
        currency=order.currency,
        failure=order.failure,
    )


def _status(order: SandboxCheckout, at: datetime) -> OrderStatus:
    match order.state:
        case SandboxCheckout.State.OPEN:
            return OrderStatus.OPEN
        case SandboxCheckout.State.CHALLENGED:
            return OrderStatus.PROCESSING
        case SandboxCheckout.State.FAILED:
            return OrderStatus.FAILED
    assert order.settles_at is not None
    return OrderStatus.SUCCEEDED if order.settles_at <= at else OrderStatus.PROCESSING


def _locked(provider_id: int, reference: str) -> SandboxCheckout:
    rows = SandboxCheckout.objects.select_for_update()
    order = rows.filter(provider_id=provider_id, reference=reference).first()
    if order is None:
        raise OrderUnknown(f"The sandbox knows no order {reference}.")
    return order


def _succeed(order: SandboxCheckout, at: datetime) -> Delivery:
    order.state = SandboxCheckout.State.SUCCEEDED
    order.save(update_fields=["state", "settles_at"])
    return _deliver(order, EventType.SUCCEEDED, at)


def _fail(order: SandboxCheckout, failure: str, at: datetime) -> list[Delivery]:
    order.state = SandboxCheckout.State.FAILED
    order.failure = failure
    order.save(update_fields=["state", "failure"])
    return [_deliver(order, EventType.FAILED, at)]


def _deliver(order: SandboxCheckout, event_type: EventType, at: datetime) -> Delivery:
    # One message of a type per order, so its id is known without keeping a list of messages.
    message = {
        "id": f"{order.reference}:{event_type}",
        "type": event_type,
        "created_at": at.isoformat(),
        "order": {
            "reference": order.reference,
            "order_number": order.order_number,
            "amount": str(order.amount),
            "currency": order.currency,
            "failure": order.failure,
        },
    }
    body = json.dumps(message).encode()
    signature = signing.sign(body, provider_id=order.provider_id, at=at)
    return Delivery(sent_at=at, headers={signing.HEADER: signature}, body=body)
