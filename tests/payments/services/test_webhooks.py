import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit.models import Entry
from billing.models import Invoice
from common.money import ZERO
from customers.models import Customer
from ledger.models import Transfer
from payments.gateways.sandbox import signing
from payments.gateways.sandbox.company import Card, Delivery
from payments.models import Payment, WebhookEvent
from payments.services.sandbox import pay_with_card
from payments.services.webhooks import (
    GatewayUnknown,
    WebhookForged,
    WebhookNotUnderstood,
    process_webhook,
    receive_webhook,
)
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import AT, assert_books_agree, start_bulk, wallet
from tests.refusals import refused

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)


def paid_with(payment: Payment, card: Card) -> list[Delivery]:
    return pay_with_card(
        provider_id=payment.provider_id, reference=payment.gateway_reference, card=card, at=AT
    )


def receive(payment: Payment, delivery: Delivery) -> WebhookEvent:
    return receive_webhook(
        provider_id=payment.provider_id,
        gateway="sandbox",
        headers=delivery.headers,
        body=delivery.body,
        at=delivery.sent_at,
    )


def receive_and_process(payment: Payment, delivery: Delivery) -> WebhookEvent:
    event = receive(payment, delivery)
    return process_webhook(event_id=event.pk, at=delivery.sent_at)


def altered(payment: Payment, delivery: Delivery, **order: Any) -> Delivery:
    """The message as the gateway would have signed it with other words about the order."""
    message = json.loads(delivery.body)
    message["order"] |= order
    body = json.dumps(message).encode()
    signature = signing.sign(body, provider_id=payment.provider_id, at=delivery.sent_at)
    return Delivery(delivery.sent_at, {signing.HEADER: signature}, body)


def invoiced_customer() -> tuple[Customer, Invoice]:
    customer = make_customer(make_provider())
    return customer, make_invoice(customer, "50.00", issued_at=EARLIER)


class TestReceiveWebhook:
    def test_keeps_the_body_as_it_came_and_leaves_the_work_to_a_task(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        [delivery] = paid_with(payment, Card.SUCCESS)

        with django_capture_on_commit_callbacks() as sent:
            receive(payment, delivery)

        event = WebhookEvent.objects.get()
        assert bytes(event.body) == delivery.body
        assert (event.gateway, event.state) == ("sandbox", WebhookEvent.State.RECEIVED)
        assert (event.provider_id, event.received_at) == (payment.provider_id, AT)
        assert len(sent) == 1
        payment.refresh_from_db()
        assert payment.state == Payment.State.PENDING

    def test_keeps_a_message_once(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        first, second = paid_with(payment, Card.DUPLICATE)
        event = receive(payment, first)

        with django_capture_on_commit_callbacks() as sent:
            again = receive(payment, second)

        assert again == event
        assert WebhookEvent.objects.count() == 1
        assert sent == []

    def test_refuses_a_forged_message(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        [delivery] = paid_with(payment, Card.SUCCESS)
        body = delivery.body.replace(b"80.0000", b"80.0001")

        with refused(WebhookForged):
            receive(payment, Delivery(delivery.sent_at, delivery.headers, body))

    def test_refuses_a_message_for_another_provider(self) -> None:
        other = make_provider()
        payment = start_bulk(make_customer(make_provider()), "80.00")
        [delivery] = paid_with(payment, Card.SUCCESS)

        with refused(WebhookForged):
            receive_webhook(
                provider_id=other.pk,
                gateway="sandbox",
                headers=delivery.headers,
                body=delivery.body,
                at=AT,
            )

    def test_refuses_what_it_cannot_read(self) -> None:
        provider = make_provider()
        signature = signing.sign(b"hello", provider_id=provider.pk, at=AT)

        with refused(WebhookNotUnderstood):
            receive_webhook(
                provider_id=provider.pk,
                gateway="sandbox",
                headers={signing.HEADER: signature},
                body=b"hello",
                at=AT,
            )

    def test_refuses_a_gateway_there_is_not(self) -> None:
        provider = make_provider()

        with refused(GatewayUnknown):
            receive_webhook(
                provider_id=provider.pk, gateway="moneta", headers={}, body=b"{}", at=AT
            )


class TestProcessWebhook:
    def test_books_a_success(self) -> None:
        customer, invoice = invoiced_customer()
        payment = start_bulk(customer, "80.00")
        [delivery] = paid_with(payment, Card.SUCCESS)

        event = receive_and_process(payment, delivery)

        payment.refresh_from_db()
        invoice.refresh_from_db()
        assert (event.state, event.processed_at) == (WebhookEvent.State.APPLIED, AT)
        assert event.outcome == f"Order {payment.order_number}: succeeded."
        assert (payment.state, invoice.state) == ("SUCCEEDED", "PAID")
        assert wallet(customer) == Decimal("30.00")
        assert_books_agree(customer.provider_id)

    def test_writes_down_a_decline(self) -> None:
        customer, invoice = invoiced_customer()
        payment = start_bulk(customer, "80.00")
        [delivery] = paid_with(payment, Card.DECLINE)

        event = receive_and_process(payment, delivery)

        payment.refresh_from_db()
        invoice.refresh_from_db()
        assert event.state == WebhookEvent.State.APPLIED
        assert (payment.state, payment.failure) == ("FAILED", "The card was declined.")
        assert invoice.due_amount == Decimal("50.00")

    @pytest.mark.parametrize(
        "card", [Card.SUCCESS, Card.DUPLICATE, Card.OUT_OF_ORDER, Card.DELAYED]
    )
    def test_ends_the_same_however_messages_come(self, card: Card) -> None:
        customer, invoice = invoiced_customer()
        payment = start_bulk(customer, "80.00")
        deliveries = paid_with(payment, card)

        for delivery in [*deliveries, *reversed(deliveries)]:
            receive_and_process(payment, delivery)

        payment.refresh_from_db()
        invoice.refresh_from_db()
        assert (payment.state, invoice.state) == ("SUCCEEDED", "PAID")
        assert wallet(customer) == Decimal("30.00")
        assert Entry.objects.filter(action="payment.succeeded").count() == 1
        assert_books_agree(customer.provider_id)

    def test_ignores_what_changes_nothing(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        success, late = paid_with(payment, Card.OUT_OF_ORDER)
        receive_and_process(payment, success)

        event = receive_and_process(payment, late)

        assert event.state == WebhookEvent.State.IGNORED

    def test_ignores_what_is_about_no_order(self) -> None:
        provider = make_provider()
        body = json.dumps({"id": "evt_1", "type": "account.updated"}).encode()
        signature = signing.sign(body, provider_id=provider.pk, at=AT)
        event = receive_webhook(
            provider_id=provider.pk,
            gateway="sandbox",
            headers={signing.HEADER: signature},
            body=body,
            at=AT,
        )

        event = process_webhook(event_id=event.pk, at=AT)

        assert event.state == WebhookEvent.State.IGNORED

    @pytest.mark.parametrize(
        ("order", "reason"),
        [
            ({"amount": "8.00"}, "8.00 EUR"),
            ({"currency": "USD"}, "80.0000 USD"),
            ({"reference": "sbx_other"}, "sbx_other"),
            ({"order_number": "P-NONE"}, "no order P-NONE"),
        ],
    )
    def test_refuses_and_raises_what_does_not_fit_the_payment(
        self, order: dict[str, str], reason: str
    ) -> None:
        customer, invoice = invoiced_customer()
        payment = start_bulk(customer, "80.00")
        [delivery] = paid_with(payment, Card.SUCCESS)

        event = receive_and_process(payment, altered(payment, delivery, **order))

        payment.refresh_from_db()
        invoice.refresh_from_db()
        assert event.state == WebhookEvent.State.REFUSED
        assert reason in event.outcome
        assert (payment.state, invoice.state) == ("PENDING", "ISSUED")
        assert wallet(customer) == ZERO
        assert not Transfer.objects.filter(kind="PAYMENT").exists()
        entry = Entry.objects.get(action="webhook.refused")
        assert entry.object_id == str(event.pk)
        assert reason in (entry.after or {})["reason"]

    def test_finds_no_payment_of_another_provider(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        [delivery] = paid_with(payment, Card.SUCCESS)
        other = make_provider()
        signature = signing.sign(delivery.body, provider_id=other.pk, at=AT)
        event = receive_webhook(
            provider_id=other.pk,
            gateway="sandbox",
            headers={signing.HEADER: signature},
            body=delivery.body,
            at=AT,
        )

        event = process_webhook(event_id=event.pk, at=AT)

        payment.refresh_from_db()
        assert (event.state, payment.state) == (WebhookEvent.State.REFUSED, "PENDING")

    def test_acts_on_a_message_once(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        [delivery] = paid_with(payment, Card.SUCCESS)
        event = receive_and_process(payment, delivery)

        again = process_webhook(event_id=event.pk, at=AT + timedelta(hours=1))

        assert (again.state, again.processed_at) == (WebhookEvent.State.APPLIED, AT)
