"""Paying at the sandbox gateway with a test card, as its hosted page lets a payer do."""

from datetime import datetime

from payments.gateways.registry import gateway_named
from payments.gateways.sandbox import company
from payments.gateways.sandbox.adapter import SandboxGateway
from payments.gateways.sandbox.company import Card, Delivery

__all__ = ["Card", "Delivery", "answer_challenge", "pay_with_card"]


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
