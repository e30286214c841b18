from datetime import timedelta
from decimal import Decimal

import pytest

from common.money import ZERO
from payments.gateways.sandbox.company import DELAY, Card
from payments.models import Payment, SandboxCheckout
from payments.services.asking import EXPIRE_AFTER, ask_gateway
from payments.services.outcomes import ReportRefused
from payments.services.sandbox import pay_with_card
from tests.factories import make_customer, make_provider
from tests.payments.books import AT, assert_books_agree, start_bulk, wallet
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def pay(payment: Payment, card: Card) -> None:
    """Pay at the gateway; its messages are lost."""
    pay_with_card(
        provider_id=payment.provider_id, reference=payment.gateway_reference, card=card, at=AT
    )


class TestAskGateway:
    def test_books_a_success_whose_message_was_lost(self) -> None:
        customer = make_customer(make_provider())
        payment = start_bulk(customer, "80.00")
        pay(payment, Card.SUCCESS)

        assert ask_gateway(payment=payment, at=AT)

        payment.refresh_from_db()
        assert payment.state == Payment.State.SUCCEEDED
        assert wallet(customer) == Decimal("80.00")
        assert_books_agree(customer.provider_id)

    def test_writes_down_a_decline_whose_message_was_lost(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        pay(payment, Card.DECLINE)

        assert ask_gateway(payment=payment, at=AT)

        payment.refresh_from_db()
        assert payment.state == Payment.State.FAILED

    def test_waits_for_money_on_its_way_however_long(self) -> None:
        customer = make_customer(make_provider())
        payment = start_bulk(customer, "80.00")
        pay(payment, Card.DELAYED)

        assert not ask_gateway(payment=payment, at=AT + DELAY - timedelta(seconds=1))
        assert wallet(customer) == ZERO
        assert ask_gateway(payment=payment, at=AT + DELAY)
        assert wallet(customer) == Decimal("80.00")

    def test_expires_what_nobody_paid_for_a_day(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")

        assert not ask_gateway(payment=payment, at=AT + EXPIRE_AFTER - timedelta(seconds=1))
        assert ask_gateway(payment=payment, at=AT + EXPIRE_AFTER)

        payment.refresh_from_db()
        assert payment.state == Payment.State.EXPIRED

    def test_expires_what_the_gateway_never_heard_of(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        SandboxCheckout.objects.all().delete()

        assert ask_gateway(payment=payment, at=AT + EXPIRE_AFTER)

        payment.refresh_from_db()
        assert payment.state == Payment.State.EXPIRED

    def test_refuses_another_amount_than_was_ordered(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        pay(payment, Card.SUCCESS)
        SandboxCheckout.objects.update(amount=Decimal("8.00"))

        with refused(ReportRefused, match="8.0000 EUR"):
            ask_gateway(payment=payment, at=AT)
