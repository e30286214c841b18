"""The sandbox as Tollgate sees it."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings

from payments.gateways.protocol import (
    Checkout,
    GatewayEvent,
    Order,
    OrderReport,
    OrderStatus,
    WebhookNotUnderstood,
)
from payments.gateways.sandbox import company, signing

_STATUS_OF_TYPE = {
    company.EventType.PROCESSING: OrderStatus.PROCESSING,
    company.EventType.SUCCEEDED: OrderStatus.SUCCEEDED,
    company.EventType.FAILED: OrderStatus.FAILED,
}


class SandboxGateway:
    """Adapter of the sandbox; stateless."""

    name = "sandbox"

    def create_checkout(self, order: Order, *, at: datetime) -> Checkout:
        reference = company.open_order(order, at=at)
        page = f"{settings.PUBLIC_URL}/sandbox/{order.provider_slug}/{reference}/"
        return Checkout(reference=reference, url=page)

    def verify_webhook(
        self, *, provider_id: int, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> None:
        signing.check(headers.get(signing.HEADER, ""), body, provider_id=provider_id, at=at)

    def parse_webhook(self, body: bytes) -> GatewayEvent:
        try:
            message = json.loads(body)
            return GatewayEvent(event_id=str(message["id"])[:100], report=_report(message))
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            raise WebhookNotUnderstood("The message is not one of the sandbox's.") from error

    def fetch_status(self, *, provider_id: int, reference: str, at: datetime) -> OrderReport:
        return company.report_order(provider_id=provider_id, reference=reference, at=at)


def _report(message: dict[str, Any]) -> OrderReport | None:
    status = _STATUS_OF_TYPE.get(message["type"])
    if status is None:
        return None
    order = message["order"]
    return OrderReport(
        order_number=str(order["order_number"]),
        reference=str(order["reference"]),
        status=status,
        amount=Decimal(str(order["amount"])),
        currency=str(order["currency"]),
        failure=str(order["failure"]),
    )
