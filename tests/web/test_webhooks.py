from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from common import clock
from payments.gateways.sandbox import signing
from payments.gateways.sandbox.company import Card, Delivery
from payments.models import Payment, WebhookEvent
from payments.services.sandbox import pay_with_card
from payments.services.webhooks import process_webhook
from tests.factories import make_customer, make_provider
from tests.payments.books import start_bulk
from web.webhooks import MAX_BODY_BYTES

pytestmark = pytest.mark.django_db


def paid() -> tuple[Payment, Delivery]:
    """A payment of Aurora's that was just made at the sandbox, and the message about it."""
    customer = make_customer(make_provider("aurora"))
    payment = start_bulk(customer, "80.00", at=clock.now())
    [delivery] = pay_with_card(
        provider_id=payment.provider_id,
        reference=payment.gateway_reference,
        card=Card.SUCCESS,
        at=clock.now(),
    )
    return payment, delivery


def send(body: bytes, signature: str, *, gateway: str = "sandbox", provider: str = "aurora") -> int:
    client = Client(enforce_csrf_checks=True)
    response = client.post(
        f"/webhooks/{gateway}/{provider}/",
        data=body,
        content_type="application/json",
        headers={signing.HEADER: signature},
    )
    return response.status_code


class TestWebhook:
    def test_is_kept_and_answered(self) -> None:
        payment, delivery = paid()

        status = send(delivery.body, delivery.headers[signing.HEADER])

        event = WebhookEvent.objects.get()
        assert status == HTTPStatus.OK
        assert bytes(event.body) == delivery.body
        assert event.provider_id == payment.provider_id
        process_webhook(event_id=event.pk, at=clock.now())
        payment.refresh_from_db()
        assert payment.state == Payment.State.SUCCEEDED

    def test_is_kept_once_and_answered_as_before(self) -> None:
        _, delivery = paid()
        signature = delivery.headers[signing.HEADER]

        statuses = [send(delivery.body, signature) for _ in range(2)]

        assert statuses == [HTTPStatus.OK, HTTPStatus.OK]
        assert WebhookEvent.objects.count() == 1

    def test_that_is_forged_leaves_only_a_line_in_the_log(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        _, delivery = paid()

        status = send(delivery.body + b" ", delivery.headers[signing.HEADER])

        assert status == HTTPStatus.BAD_REQUEST
        assert not WebhookEvent.objects.exists()
        assert "Webhook of sandbox for aurora refused" in caplog.text

    def test_that_is_old_is_refused(self) -> None:
        payment, delivery = paid()
        old = clock.now() - timedelta(minutes=6)
        signature = signing.sign(delivery.body, provider_id=payment.provider_id, at=old)

        assert send(delivery.body, signature) == HTTPStatus.BAD_REQUEST
        assert not WebhookEvent.objects.exists()

    def test_without_a_signature_is_refused(self) -> None:
        _, delivery = paid()

        assert send(delivery.body, "") == HTTPStatus.BAD_REQUEST
        assert not WebhookEvent.objects.exists()

    def test_that_is_signed_but_unreadable_is_refused(self) -> None:
        provider = make_provider("aurora")
        signature = signing.sign(b"hello", provider_id=provider.pk, at=clock.now())

        assert send(b"hello", signature) == HTTPStatus.BAD_REQUEST
        assert not WebhookEvent.objects.exists()

    def test_for_one_provider_is_refused_by_another(self) -> None:
        _, delivery = paid()
        make_provider("borealis")

        status = send(delivery.body, delivery.headers[signing.HEADER], provider="borealis")

        assert status == HTTPStatus.BAD_REQUEST
        assert not WebhookEvent.objects.exists()

    @pytest.mark.parametrize("address", [{"provider": "nobody"}, {"gateway": "moneta"}])
    def test_for_nobody_is_not_found(self, address: dict[str, Any]) -> None:
        _, delivery = paid()

        status = send(delivery.body, delivery.headers[signing.HEADER], **address)

        assert status == HTTPStatus.NOT_FOUND
        assert not WebhookEvent.objects.exists()

    def test_of_a_sandbox_that_is_switched_off_is_not_found(self, settings: Settings) -> None:
        _, delivery = paid()
        settings.SANDBOX_GATEWAY = False

        status = send(delivery.body, delivery.headers[signing.HEADER])

        assert status == HTTPStatus.NOT_FOUND
        assert not WebhookEvent.objects.exists()

    def test_that_is_too_large_is_refused_unread(self) -> None:
        provider = make_provider("aurora")
        body = b" " * (MAX_BODY_BYTES + 1)
        signature = signing.sign(body, provider_id=provider.pk, at=clock.now())

        assert send(body, signature) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        assert not WebhookEvent.objects.exists()

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_can_only_be_posted(self, method: str) -> None:
        make_provider("aurora")

        response = getattr(Client(), method)("/webhooks/sandbox/aurora/")

        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
