from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from common import clock
from payments.models import Payment, SandboxCheckout, WebhookEvent
from payments.services.sandbox import Card, pay_with_card
from payments.services.webhooks import process_webhook
from payments.tasks import deliver_sandbox_message
from tests.factories import make_customer, make_provider
from tests.payments.books import BACK, start_bulk

RETURNED = f"{BACK}?order="


def started() -> tuple[Payment, str]:
    """A payment of Aurora's that waits at the sandbox, and the address of its page."""
    payment = start_bulk(make_customer(make_provider("aurora")), "80.00", at=clock.now())
    return payment, f"/sandbox/aurora/{payment.gateway_reference}/"


def order_of(payment: Payment) -> SandboxCheckout:
    return SandboxCheckout.objects.get(reference=payment.gateway_reference)


@pytest.mark.django_db
class TestTheHostedPage:
    def test_shows_the_order_and_the_test_cards(self, client: Client) -> None:
        payment, address = started()

        text = client.get(address).content.decode()

        assert payment.order_number in text
        assert "80.00" in text
        assert all(card.value in text for card in Card)

    @pytest.mark.parametrize(
        ("card", "state"),
        [
            (Card.SUCCESS, SandboxCheckout.State.SUCCEEDED),
            (Card.DECLINE, SandboxCheckout.State.FAILED),
            (Card.DELAYED, SandboxCheckout.State.SUCCEEDED),
            (Card.DUPLICATE, SandboxCheckout.State.SUCCEEDED),
            (Card.OUT_OF_ORDER, SandboxCheckout.State.SUCCEEDED),
        ],
    )
    def test_sends_the_payer_back_when_a_card_was_used(
        self, client: Client, card: Card, state: str
    ) -> None:
        payment, address = started()

        response = client.post(address, {"card": card.value})

        assert response.status_code == HTTPStatus.FOUND
        assert response.headers["Location"] == f"{RETURNED}{payment.order_number}"
        assert order_of(payment).state == state

    @pytest.mark.parametrize(
        ("answer", "state"),
        [("confirm", SandboxCheckout.State.SUCCEEDED), ("refuse", SandboxCheckout.State.FAILED)],
    )
    def test_asks_the_bank_where_the_card_wants_it(
        self, client: Client, answer: str, state: str
    ) -> None:
        payment, address = started()

        challenged = client.post(address, {"card": Card.CHALLENGE.value})
        asked = client.get(challenged.headers["Location"])
        answered = client.post(challenged.headers["Location"], {"answer": answer})

        assert challenged.headers["Location"] == f"{address}bank/"
        assert "Confirm with your bank" in asked.content.decode()
        assert answered.headers["Location"] == f"{RETURNED}{payment.order_number}"
        assert order_of(payment).state == state

    def test_asks_for_a_card(self, client: Client) -> None:
        payment, address = started()

        response = client.post(address, {})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Choose a card to pay with." in response.content.decode()
        assert order_of(payment).state == SandboxCheckout.State.OPEN

    def test_takes_one_card_only(self, client: Client) -> None:
        payment, address = started()
        client.post(address, {"card": Card.DECLINE.value})

        response = client.post(address, {"card": Card.SUCCESS.value})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert order_of(payment).state == SandboxCheckout.State.FAILED

    def test_is_not_found_under_another_provider(self, client: Client) -> None:
        payment, _ = started()
        make_provider("borealis")

        for slug in ("borealis", "nobody"):
            response = client.get(f"/sandbox/{slug}/{payment.gateway_reference}/")
            assert response.status_code == HTTPStatus.NOT_FOUND

    def test_is_not_found_where_the_sandbox_is_off(
        self, client: Client, settings: Settings
    ) -> None:
        payment, address = started()
        settings.SANDBOX_GATEWAY = False

        assert client.get(address).status_code == HTTPStatus.NOT_FOUND
        assert client.post(address, {"card": Card.SUCCESS}).status_code == HTTPStatus.NOT_FOUND
        assert order_of(payment).state == SandboxCheckout.State.OPEN

    def test_needs_the_token_of_its_form(self) -> None:
        payment, address = started()

        response = Client(enforce_csrf_checks=True).post(address, {"card": Card.SUCCESS.value})

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert order_of(payment).state == SandboxCheckout.State.OPEN

    def test_sends_its_messages_after_commit_each_in_its_time(
        self,
        client: Client,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        sent: list[dict[str, Any]] = []
        monkeypatch.setattr(
            "celery.app.base.Celery.send_task",
            lambda _, name, **options: sent.append({"name": name, **options}),
        )
        _, address = started()

        with django_capture_on_commit_callbacks(execute=True):
            client.post(address, {"card": Card.DELAYED.value})
            assert sent == []

        assert [task["name"] for task in sent] == ["payments.deliver_sandbox_message"] * 2
        assert (sent[1]["eta"] - sent[0]["eta"]).total_seconds() == 600


@pytest.mark.django_db(transaction=True)
class TestDelivery:
    def test_arrives_at_our_own_webhook_and_pays_once(
        self, live_server: LiveServer, settings: Settings
    ) -> None:
        settings.PUBLIC_URL = live_server.url
        payment, _ = started()
        deliveries = pay_with_card(
            provider_id=payment.provider_id,
            reference=payment.gateway_reference,
            card=Card.DUPLICATE,
            at=clock.now(),
        )

        for delivery in deliveries:
            deliver_sandbox_message(
                provider_slug="aurora", headers=delivery.headers, body=delivery.body.decode()
            )

        event = WebhookEvent.objects.get()
        process_webhook(event_id=event.pk, at=clock.now())
        payment.refresh_from_db()
        assert len(deliveries) == 2
        assert payment.state == Payment.State.SUCCEEDED
