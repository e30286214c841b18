"""What Tollgate asks of a gateway, and the words the answers come in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from common.errors import DomainError


class WebhookForged(DomainError):
    """The signature is missing, wrong, made for another provider, or too old."""


class WebhookNotUnderstood(DomainError):
    """A signed message that is not in the gateway's own format."""


class OrderUnknown(DomainError):
    """The gateway has no order under this reference."""


class OrderStatus(StrEnum):
    """How far a gateway is with an order."""

    OPEN = "OPEN"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Order:
    """What a gateway is to collect: `amount` in `currency`, then send the payer to `return_url`."""

    provider_id: int
    provider_slug: str
    order_number: str
    amount: Decimal
    currency: str
    return_url: str


@dataclass(frozen=True)
class Checkout:
    """Where the payer goes to pay, and the gateway's own name for the order."""

    reference: str
    url: str


@dataclass(frozen=True)
class OrderReport:
    """What a gateway says about an order; `failure` is its reason in words, where it failed."""

    order_number: str
    reference: str
    status: OrderStatus
    amount: Decimal
    currency: str
    failure: str = ""


@dataclass(frozen=True)
class GatewayEvent:
    """One message of a gateway; `report` is None where it is about nothing that we follow."""

    event_id: str
    report: OrderReport | None


class Gateway(Protocol):
    """One company that collects; an adapter holds no state, keys depend on the provider."""

    name: str

    def create_checkout(self, order: Order, *, at: datetime) -> Checkout:
        """Open the order on the gateway's side."""

    def verify_webhook(
        self, *, provider_id: int, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> None:
        """Check that the gateway sent `body`, byte for byte, to this provider, just before `at`.

        :raises WebhookForged: otherwise.
        """

    def parse_webhook(self, body: bytes) -> GatewayEvent:
        """Read a message whose signature was checked.

        :raises WebhookNotUnderstood: it is not in the gateway's format.
        """

    def fetch_status(self, *, provider_id: int, reference: str, at: datetime) -> OrderReport:
        """Ask the gateway how far it is with an order.

        :raises OrderUnknown: it has none under `reference`.
        """
