"""Money moved at the same moment on connections of their own."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from billing.models import Invoice
from billing.services.credit_notes import credit_amount
from common.errors import DomainError
from common.money import ZERO
from customers.models import Customer
from ledger.models import Transfer
from payments.gateways.protocol import OrderStatus
from payments.gateways.sandbox.company import Card
from payments.models import Allocation, Payment
from payments.services.advance import apply_advance
from payments.services.outcomes import apply_report
from payments.services.reversal import PaymentNotReversible, reverse_payment
from payments.services.sandbox import pay_with_card
from payments.services.webhooks import process_webhook, receive_webhook
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import (
    AT,
    assert_books_agree,
    live_allocations,
    pay_offline,
    receivable,
    report,
    start_bulk,
    wallet,
)
from tests.race import race

pytestmark = pytest.mark.django_db(transaction=True)

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
LATER = AT + timedelta(days=20)


def succeed(payment: Payment) -> bool:
    return apply_report(payment_id=payment.pk, report=report(payment, OrderStatus.SUCCEEDED), at=AT)


class TestOneMessage:
    def test_at_two_workers_books_once(self) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = start_bulk(customer, "80.00")
        [delivery] = pay_with_card(
            provider_id=payment.provider_id,
            reference=payment.gateway_reference,
            card=Card.SUCCESS,
            at=AT,
        )

        def receive() -> int:
            event = receive_webhook(
                provider_id=payment.provider_id,
                gateway="sandbox",
                headers=delivery.headers,
                body=delivery.body,
                at=AT,
            )
            return event.pk

        [event_id] = set(race(receive, receive, receive))
        assert isinstance(event_id, int)
        events = race(*[lambda: process_webhook(event_id=event_id, at=AT)] * 3)

        assert {getattr(event, "state", None) for event in events} == {"APPLIED"}
        assert (receivable(customer), wallet(customer)) == (ZERO, Decimal("30.00"))
        assert Transfer.objects.filter(kind="PAYMENT").count() == 1
        assert_books_agree(customer.provider_id)

    def test_and_the_answer_to_a_question_book_once(self) -> None:
        customer = make_customer(make_provider())
        payment = start_bulk(customer, "80.00")

        changes = race(*[lambda: succeed(payment)] * 4)

        assert sorted(map(bool, changes)) == [False, False, False, True]
        assert wallet(customer) == Decimal("80.00")


class TestOneInvoice:
    def test_paid_twice_is_settled_once_and_the_rest_is_advance(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "50.00", issued_at=EARLIER)
        one, other = start_bulk(customer, "50.00"), start_bulk(customer, "50.00")

        race(lambda: succeed(one), lambda: succeed(other))

        invoice.refresh_from_db()
        assert (invoice.state, invoice.settled_amount) == (Invoice.State.PAID, Decimal("50.00"))
        assert (receivable(customer), wallet(customer)) == (ZERO, Decimal("50.00"))
        receipts = Payment.objects.order_by("receipt_number").values_list("receipt_number")
        assert list(receipts) == [("REC-2026-000001",), ("REC-2026-000002",)]
        assert_books_agree(customer.provider_id)

    def test_wanted_by_advance_and_by_a_payment_is_settled_once(self) -> None:
        customer = make_customer(make_provider())
        pay_offline(customer, "50.00")
        invoice = make_invoice(customer, "50.00", issued_at=LATER)

        race(
            lambda: apply_advance(customer=customer, at=LATER, actor_id=None),
            lambda: pay_offline(customer, "50.00", at=LATER),
            lambda: apply_advance(customer=customer, at=LATER, actor_id=None),
        )

        invoice.refresh_from_db()
        assert invoice.settled_amount == Decimal("50.00")
        assert (receivable(customer), wallet(customer)) == (ZERO, Decimal("50.00"))
        assert_books_agree(customer.provider_id)


class TestOneReversal:
    def test_asked_for_twice_happens_once(self) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = pay_offline(customer, "80.00")

        def undo() -> object:
            return reverse_payment(payment=payment, reason="Bounced", at=LATER, actor_id=None)

        results = race(undo, undo)

        assert sum(isinstance(result, PaymentNotReversible) for result in results) == 1
        assert (receivable(customer), wallet(customer)) == (Decimal("50.00"), ZERO)
        assert_books_agree(customer.provider_id)

    def test_of_money_that_is_being_spent_comes_before_or_after(self) -> None:
        provider = make_provider()
        for _ in range(8):  # as it is a matter of luck which comes first
            customer = make_customer(provider)
            taken_back, kept = pay_offline(customer, "50.00"), pay_offline(customer, "50.00")
            invoice = make_invoice(customer, "60.00", issued_at=LATER)

            race(
                partial(
                    reverse_payment, payment=taken_back, reason="Bounced", at=LATER, actor_id=None
                ),
                partial(apply_advance, customer=customer, at=LATER, actor_id=None),
            )

            invoice.refresh_from_db()
            settled_first = Allocation.objects.filter(payment=taken_back).exists()
            assert invoice.settled_amount == Decimal("10.00" if settled_first else "50.00")
            assert sum(amount for _, amount in live_allocations(kept)) == invoice.settled_amount
        assert_books_agree(provider.pk)


class TestEverythingAtOnce:
    def test_never_deadlocks_and_leaves_books_that_agree(self) -> None:
        provider = make_provider()
        customers = [make_customer(provider) for _ in range(2)]
        invoices = [
            make_invoice(customer, "40.00", issued_at=EARLIER)
            for customer in customers
            for _ in range(4)
        ]
        payments = [pay_offline(customer, "30.00") for customer in customers for _ in range(3)]
        dice = random.Random(20261110)

        race(*[self.busy(dice.random(), customers, invoices, payments) for _ in range(6)])

        assert_books_agree(provider.pk)
        for customer in customers:
            dues = [row.due_amount for row in Invoice.objects.filter(customer=customer)]
            assert receivable(customer) == sum(dues)

    @staticmethod
    def busy(
        seed: float, customers: list[Customer], invoices: list[Invoice], payments: list[Payment]
    ) -> Callable[[], None]:
        """Some fifteen things that can happen to the customers' money, one after the other."""

        def credit(dice: random.Random) -> None:
            credit_amount(
                invoice_id=dice.choice(invoices).pk,
                gross_amount=Decimal("3.00"),
                reason="Outage",
                at=LATER,
                actor_id=None,
            )

        def reverse(dice: random.Random) -> None:
            payment = dice.choice(payments)
            reverse_payment(payment=payment, reason="Bounced", at=LATER, actor_id=None)

        def settle(dice: random.Random) -> None:
            apply_advance(customer=dice.choice(customers), at=LATER, actor_id=None)

        def pay(dice: random.Random) -> None:
            pay_offline(dice.choice(customers), "7.00", at=LATER)

        def pay_online(dice: random.Random) -> None:
            succeed(start_bulk(dice.choice(customers), "9.00", at=LATER))

        def run() -> None:
            dice = random.Random(seed)
            for _ in range(15):
                try:
                    dice.choice([credit, reverse, settle, pay, pay_online])(dice)
                except DomainError:
                    continue

        return run
