import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django import Settings

from payments.gateways.protocol import (
    GatewayEvent,
    Order,
    OrderReport,
    OrderStatus,
    OrderUnknown,
    WebhookForged,
    WebhookNotUnderstood,
)
from payments.gateways.registry import GatewayUnknown, gateway_named
from payments.gateways.sandbox import company
from payments.gateways.sandbox.adapter import SandboxGateway
from payments.gateways.sandbox.company import DELAY, Card, Delivery, OrderClosed
from payments.services import sandbox
from tenancy.models import Provider
from tests.factories import make_provider
from tests.refusals import refused

AT = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
GATEWAY = SandboxGateway()
NOT_MUCH = (
    b'{"id": "1", "type": "order.failed", "order": {"order_number": "P", "reference": "R", '
    b'"amount": "much", "currency": "EUR", "failure": ""}}'
)


def open_order(provider: Provider) -> str:
    order = Order(
        provider_id=provider.pk,
        provider_slug=provider.slug,
        order_number="P261110-ABC",
        amount=Decimal("80.00"),
        currency="EUR",
        return_url="https://pay.example/back",
    )
    return GATEWAY.create_checkout(order, at=AT).reference


def pay(provider: Provider, reference: str, card: Card) -> list[Delivery]:
    return sandbox.pay_with_card(provider_id=provider.pk, reference=reference, card=card, at=AT)


def statuses(deliveries: list[Delivery]) -> list[OrderStatus]:
    reports = [GATEWAY.parse_webhook(delivery.body).report for delivery in deliveries]
    return [report.status for report in reports if report is not None]


def status_at(provider: Provider, reference: str, at: datetime) -> OrderStatus:
    return GATEWAY.fetch_status(provider_id=provider.pk, reference=reference, at=at).status


@pytest.mark.django_db
class TestCards:
    @pytest.mark.parametrize(
        ("card", "told", "known"),
        [
            (Card.SUCCESS, [OrderStatus.SUCCEEDED], OrderStatus.SUCCEEDED),
            (Card.DECLINE, [OrderStatus.FAILED], OrderStatus.FAILED),
            (Card.CHALLENGE, [OrderStatus.PROCESSING], OrderStatus.PROCESSING),
            (
                Card.DELAYED,
                [OrderStatus.PROCESSING, OrderStatus.SUCCEEDED],
                OrderStatus.PROCESSING,
            ),
            (
                Card.DUPLICATE,
                [OrderStatus.SUCCEEDED, OrderStatus.SUCCEEDED],
                OrderStatus.SUCCEEDED,
            ),
            (
                Card.OUT_OF_ORDER,
                [OrderStatus.SUCCEEDED, OrderStatus.PROCESSING],
                OrderStatus.SUCCEEDED,
            ),
        ],
    )
    def test_say_what_they_are_for(
        self, card: Card, told: list[OrderStatus], known: OrderStatus
    ) -> None:
        provider = make_provider()
        reference = open_order(provider)

        deliveries = pay(provider, reference, card)

        assert statuses(deliveries) == told
        assert status_at(provider, reference, AT) == known

    def test_that_are_delayed_succeed_later(self) -> None:
        provider = make_provider()
        reference = open_order(provider)

        first, second = pay(provider, reference, Card.DELAYED)

        assert (first.sent_at, second.sent_at) == (AT, AT + DELAY)
        assert status_at(provider, reference, AT + DELAY) == OrderStatus.SUCCEEDED

    def test_that_are_sent_twice_carry_one_id(self) -> None:
        provider = make_provider()

        first, second = pay(provider, open_order(provider), Card.DUPLICATE)

        assert GATEWAY.parse_webhook(first.body).event_id == (
            GATEWAY.parse_webhook(second.body).event_id
        )

    @pytest.mark.parametrize(
        ("is_confirmed", "told"), [(True, OrderStatus.SUCCEEDED), (False, OrderStatus.FAILED)]
    )
    def test_that_are_challenged_wait_for_the_bank(
        self, is_confirmed: bool, told: OrderStatus
    ) -> None:
        provider = make_provider()
        reference = open_order(provider)
        pay(provider, reference, Card.CHALLENGE)

        deliveries = sandbox.answer_challenge(
            provider_id=provider.pk, reference=reference, is_confirmed=is_confirmed, at=AT
        )

        assert statuses(deliveries) == [told]
        assert status_at(provider, reference, AT) == told

    def test_are_tried_once(self) -> None:
        provider = make_provider()
        reference = open_order(provider)
        pay(provider, reference, Card.DECLINE)

        with refused(OrderClosed):
            pay(provider, reference, Card.SUCCESS)
        with refused(OrderClosed):
            sandbox.answer_challenge(
                provider_id=provider.pk, reference=reference, is_confirmed=True, at=AT
            )

    def test_pay_only_orders_of_the_same_provider(self) -> None:
        other = make_provider()
        reference = open_order(make_provider())

        with refused(OrderUnknown):
            pay(other, reference, Card.SUCCESS)
        with pytest.raises(OrderUnknown):
            GATEWAY.fetch_status(provider_id=other.pk, reference=reference, at=AT)


@pytest.mark.django_db
class TestMessages:
    def test_are_signed_for_the_provider_when_they_are_sent(self) -> None:
        provider, other = make_provider(), make_provider()

        _, late = pay(provider, open_order(provider), Card.DELAYED)

        GATEWAY.verify_webhook(
            provider_id=provider.pk, headers=late.headers, body=late.body, at=late.sent_at
        )
        with pytest.raises(WebhookForged):
            GATEWAY.verify_webhook(
                provider_id=other.pk, headers=late.headers, body=late.body, at=late.sent_at
            )
        with pytest.raises(WebhookForged):
            GATEWAY.verify_webhook(
                provider_id=provider.pk, headers={}, body=late.body, at=late.sent_at
            )

    def test_tell_amount_currency_and_order(self) -> None:
        provider = make_provider()
        reference = open_order(provider)

        [told] = pay(provider, reference, Card.DECLINE)

        assert GATEWAY.parse_webhook(told.body) == GatewayEvent(
            event_id=f"{reference}:order.failed",
            report=OrderReport(
                order_number="P261110-ABC",
                reference=reference,
                status=OrderStatus.FAILED,
                amount=Decimal("80.00"),
                currency="EUR",
                failure=company.DECLINED,
            ),
        )

    def test_about_other_things_report_nothing(self) -> None:
        body = json.dumps({"id": "evt_1", "type": "account.updated"}).encode()

        assert GATEWAY.parse_webhook(body) == GatewayEvent(event_id="evt_1", report=None)

    @pytest.mark.parametrize(
        "body",
        [
            NOT_MUCH,
            b"",
            b"\xff",
            b"[]",
            b"1",
            b'{"type": "order.failed"}',
            b'{"id": "1", "type": "order.failed"}',
            b'{"id": "1", "type": "order.failed", "order": []}',
            b'{"id": "1", "type": ["order.failed"]}',
        ],
    )
    def test_in_no_known_format_are_not_understood(self, body: bytes) -> None:
        with pytest.raises(WebhookNotUnderstood):
            GATEWAY.parse_webhook(body)


class TestGatewayNamed:
    def test_finds_the_sandbox(self) -> None:
        assert gateway_named("sandbox").name == "sandbox"

    @pytest.mark.parametrize(
        ("is_switched_on", "is_production"), [(False, False), (True, True), (False, True)]
    )
    def test_has_no_sandbox_where_it_is_switched_off_or_in_production(
        self, settings: Settings, is_switched_on: bool, is_production: bool
    ) -> None:
        settings.SANDBOX_GATEWAY = is_switched_on
        settings.PRODUCTION = is_production

        with pytest.raises(GatewayUnknown):
            gateway_named("sandbox")

    @pytest.mark.django_db
    def test_keeps_the_cards_in_the_drawer_too(self, settings: Settings) -> None:
        provider = make_provider()
        reference = open_order(provider)
        settings.SANDBOX_GATEWAY = False

        with refused(GatewayUnknown):
            pay(provider, reference, Card.SUCCESS)
        with refused(GatewayUnknown):
            sandbox.answer_challenge(
                provider_id=provider.pk, reference=reference, is_confirmed=True, at=AT
            )
