"""Gateways' messages on a real worker, which is killed, and on a broker, which forgets."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest
from celery import current_app
from django.db import connection

from billing.models import Invoice
from common import clock
from common.money import ZERO
from customers.models import Customer
from ledger.models import AccountKind, Transfer
from payments.gateways.sandbox.company import Card
from payments.models import Payment, ReceiptDocument, WebhookEvent
from payments.services.asking import ASK_AFTER
from payments.services.sandbox import pay_with_card
from payments.services.webhooks import receive_webhook
from payments.tasks import LOST_AFTER
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import assert_books_agree, pay_offline, receivable, start_bulk, wallet
from tests.workers import forget_queued_work, running_worker, start_worker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SWEEPS = (
    "payments.sweep_webhooks",
    "payments.ask_gateways",
    "payments.apply_advances",
    "payments.sweep_receipts",
)


def invoiced_customer(gross: str, issued_at: datetime) -> tuple[Customer, Invoice]:
    customer = make_customer(make_provider())
    return customer, make_invoice(customer, gross, issued_at=issued_at)


def start_and_pay(customer: Customer, amount: str, at: datetime) -> tuple[Payment, WebhookEvent]:
    """A payment made at the sandbox at `at`, and its message, stored and queued."""
    payment = start_bulk(customer, amount, at=at)
    [delivery] = pay_with_card(
        provider_id=payment.provider_id,
        reference=payment.gateway_reference,
        card=Card.SUCCESS,
        at=at,
    )
    event = receive_webhook(
        provider_id=payment.provider_id,
        gateway="sandbox",
        headers=delivery.headers,
        body=delivery.body,
        at=at,
    )
    return payment, event


def is_applied(event: WebhookEvent) -> bool:
    event.refresh_from_db()
    return event.state == WebhookEvent.State.APPLIED


@contextmanager
def held_receivable(customer: Customer) -> Iterator[None]:
    """Nobody can post to what the customer owes meanwhile."""
    settings = connection.settings_dict
    holder = psycopg2.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
    )
    try:
        with holder.cursor() as cursor:
            cursor.execute(
                "SELECT FROM ledger_account WHERE kind = %s AND owner = %s FOR UPDATE",
                [AccountKind.CUSTOMER_RECEIVABLE, str(customer.pk)],
            )
        yield
    finally:
        holder.close()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
        waiting: int = cursor.rowcount
    return waiting > 0


class TestWorker:
    def test_killed_amid_a_message_leaves_it_to_the_next_one_whole(self, tmp_path: Path) -> None:
        long_enough_ago = clock.now() - LOST_AFTER - timedelta(minutes=1)
        customer, invoice = invoiced_customer("50.00", long_enough_ago - timedelta(days=3))
        with held_receivable(customer):
            worker = start_worker(tmp_path)
            payment, event = start_and_pay(customer, "80.00", long_enough_ago)
            wait_for(somebody_waits, "the worker to be in the middle of it")
            worker.kill()
        wait_for(lambda: not somebody_waits(), "the database to notice")

        payment.refresh_from_db()
        invoice.refresh_from_db()
        event.refresh_from_db()
        assert (event.state, payment.state) == ("RECEIVED", "PENDING")
        assert invoice.due_amount == Decimal("50.00")
        forget_queued_work()
        with running_worker(tmp_path):
            current_app.send_task("payments.sweep_webhooks")
            for _ in range(3):
                current_app.send_task("payments.process_webhook", kwargs={"event_id": event.pk})
            wait_for(lambda: is_applied(event), "the message to be acted on")

        payment.refresh_from_db()
        invoice.refresh_from_db()
        assert (payment.state, invoice.state) == ("SUCCEEDED", "PAID")
        assert (receivable(customer), wallet(customer)) == (ZERO, Decimal("30.00"))
        assert Transfer.objects.filter(kind__in=["PAYMENT", "ALLOCATION"]).count() == 2
        assert payment.receipt_number.endswith("-000001")
        assert_books_agree(customer.provider_id)

    def test_finds_by_its_sweeps_what_the_broker_lost(self, tmp_path: Path) -> None:
        long_ago = clock.now() - ASK_AFTER - timedelta(minutes=1)
        told, _ = invoiced_customer("50.00", long_ago - timedelta(days=3))
        _, event = start_and_pay(told, "80.00", long_ago)
        untold = make_customer(make_provider())
        unheard = start_bulk(untold, "20.00", at=long_ago)
        pay_with_card(
            provider_id=unheard.provider_id,
            reference=unheard.gateway_reference,
            card=Card.SUCCESS,
            at=long_ago,
        )
        ahead = make_customer(make_provider())
        day_before = clock.now() - timedelta(days=1)
        pay_offline(
            ahead,
            "70.00",
            distribution={},
            posting_date=day_before.date(),
            transaction_date=day_before.date(),
            at=day_before,
        )
        make_invoice(ahead, "60.00", issued_at=clock.now())
        forget_queued_work()

        with running_worker(tmp_path):
            for sweep in SWEEPS:
                current_app.send_task(sweep)
            wait_for(lambda: is_applied(event), "the stored message to be acted on")
            wait_for(lambda: wallet(untold) == Decimal("20.00"), "the gateway to be asked")
            wait_for(lambda: receivable(ahead) == ZERO, "the advance to be applied")
            wait_for(
                ReceiptDocument.objects.filter(payment=ahead.payments.get()).exists,
                "the receipt to be rendered",
            )

        assert wallet(told) == Decimal("30.00")
        assert wallet(ahead) == Decimal("10.00")
        for customer in (told, untold, ahead):
            assert_books_agree(customer.provider_id)
