"""Paying at the sandbox gateway with a test card, as its hosted page lets a payer do."""

import urllib.request
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings

from common.jobs import enqueue
from payments.gateways.protocol import OrderUnknown
from payments.gateways.registry import GatewayUnknown, gateway_named
from payments.gateways.sandbox import company
from payments.gateways.sandbox.adapter import SandboxGateway
from payments.gateways.sandbox.company import Card, Delivery, OrderClosed
from payments.models import SandboxCheckout

__all__ = [
    "Card",
    "Delivery",
    "GatewayUnknown",
    "OrderClosed",
    "OrderUnknown",
    "answer_challenge",
    "deliver_message",
    "order_at_sandbox",
    "pay_with_card",
    "send_messages",
]

_ANSWER_SECONDS = 10


def order_at_sandbox(*, provider_id: int, reference: str) -> SandboxCheckout:
    """An order as the hosted page shows it to its payer.

    :raises GatewayUnknown: the sandbox is not switched on.
    :raises OrderUnknown: there is no such order.
    """
    gateway_named(SandboxGateway.name)
    order = SandboxCheckout.objects.filter(provider_id=provider_id, reference=reference).first()
    if order is None:
        raise OrderUnknown(f"The sandbox knows no order {reference}.")
    return order


def pay_with_card(*, provider_id: int, reference: str, card: Card, at: datetime) -> list[Delivery]:
    """Pay an order; returns the signed messages the sandbox sends for it, in their order.

    :raises GatewayUnknown: the sandbox is not switched on.
    :raises OrderUnknown: there is no such order.
    :raises OrderClosed: a card was used on it before.
    """
    gateway_named(SandboxGateway.name)
    return company.pay(provider_id=provider_id, reference=reference, card=card, at=at)


def answer_challenge(
    *, provider_id: int, reference: str, is_confirmed: bool, at: datetime
) -> list[Delivery]:
    """Confirm, or not, a payment with the bank, as 3-D Secure asks; returns the messages.

    :raises GatewayUnknown: the sandbox is not switched on.
    :raises OrderUnknown: there is no such order.
    :raises OrderClosed: the order waits for no confirmation.
    """
    gateway_named(SandboxGateway.name)
    return company.answer_challenge(
        provider_id=provider_id, reference=reference, is_confirmed=is_confirmed, at=at
    )


def send_messages(*, provider_slug: str, deliveries: Iterable[Delivery]) -> None:
    """Have workers deliver signed messages to the provider, each when it was sent."""
    for delivery in deliveries:
        enqueue(
            "payments.deliver_sandbox_message",
            not_before=delivery.sent_at,
            provider_slug=provider_slug,
            headers=delivery.headers,
            body=delivery.body.decode(),
        )


def deliver_message(*, provider_slug: str, headers: Mapping[str, str], body: str) -> None:
    """Post a signed message to the address where this installation takes webhooks.

    :raises GatewayUnknown: the sandbox was switched off since.
    :raises OSError: nobody answers there, or not with success.
    """
    gateway_named(SandboxGateway.name)
    request = urllib.request.Request(  # noqa: S310 - the installation's own address
        f"{settings.PUBLIC_URL}/webhooks/{SandboxGateway.name}/{provider_slug}/",
        data=body.encode(),
        headers={"Content-Type": "application/json", **headers},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS):  # noqa: S310
        pass
