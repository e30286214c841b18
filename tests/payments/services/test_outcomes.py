from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from billing.models import Invoice
from common.money import ZERO
from ledger.models import AccountKind, Transfer
from payments.gateways.protocol import OrderStatus
from payments.models import Payment
from payments.services.outcomes import ReportRefused, apply_report, expire_payment
from payments.services.reversal import reverse_payment
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import (
    AT,
    assert_books_agree,
    live_allocations,
    own,
    pay_offline,
    receivable,
    report,
    start_bulk,
    wallet,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
LATER = AT + timedelta(minutes=3)


def tell(payment: Payment, status: OrderStatus, **fields: Any) -> bool:
    """Act on the gateway's word and show the payment as it is then."""
    has_changed = apply_report(
        payment_id=payment.pk, report=report(payment, status, **fields), at=LATER
    )
    payment.refresh_from_db()
    return has_changed


class TestSuccess:
    def test_books_the_money_and_settles_what_was_planned(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = start_bulk(customer, "80.00")

        assert tell(payment, OrderStatus.SUCCEEDED)

        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID
        assert (payment.state, payment.succeeded_at) == (Payment.State.SUCCEEDED, LATER)
        assert (payment.receipt_number, payment.posting_date) == (
            "REC-2026-000001",
            date(2026, 11, 10),
        )
        assert live_allocations(payment) == [(invoice.pk, Decimal("50.00"))]
        assert own(customer, AccountKind.GATEWAY_CLEARING, "sandbox") == Decimal("80.00")
        assert own(customer, AccountKind.BANK) == 0
        assert wallet(customer) == Decimal("30.00")
        assert Entry.objects.filter(action="payment.succeeded").count() == 1
        assert_books_agree(customer.provider_id)

    def test_is_booked_once_however_often_it_is_told(self) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = start_bulk(customer, "80.00")
        tell(payment, OrderStatus.SUCCEEDED)
        before = Transfer.objects.count(), Entry.objects.count()

        assert not tell(payment, OrderStatus.SUCCEEDED)

        assert (Transfer.objects.count(), Entry.objects.count()) == before
        assert wallet(customer) == Decimal("30.00")

    @pytest.mark.parametrize("late", [OrderStatus.PROCESSING, OrderStatus.FAILED, OrderStatus.OPEN])
    def test_is_not_taken_back_by_an_older_message(self, late: OrderStatus) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        tell(payment, OrderStatus.SUCCEEDED)

        assert not tell(payment, late, failure="Declined.")

        assert (payment.state, payment.failure) == (Payment.State.SUCCEEDED, "")

    def test_counts_even_after_the_payment_was_given_up(self) -> None:
        customer = make_customer(make_provider())
        failed, expired = start_bulk(customer, "10.00"), start_bulk(customer, "20.00")
        tell(failed, OrderStatus.FAILED, failure="Declined.")
        expire_payment(payment_id=expired.pk, at=AT)

        assert tell(failed, OrderStatus.SUCCEEDED)
        assert tell(expired, OrderStatus.SUCCEEDED)

        assert wallet(customer) == Decimal("30.00")
        assert failed.failure == ""

    def test_does_not_revive_a_reversed_payment(self) -> None:
        customer = make_customer(make_provider())
        payment = start_bulk(customer, "10.00")
        tell(payment, OrderStatus.SUCCEEDED)
        reverse_payment(payment=payment, reason="Chargeback", at=LATER, actor_id=None)

        assert not tell(payment, OrderStatus.SUCCEEDED)

        assert (payment.state, wallet(customer)) == (Payment.State.REVERSED, ZERO)

    def test_settles_no_more_than_is_still_due(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = start_bulk(customer, "50.00")
        pay_offline(customer, "30.00")

        tell(payment, OrderStatus.SUCCEEDED)

        invoice.refresh_from_db()
        assert (invoice.state, invoice.settled_amount) == (Invoice.State.PAID, Decimal("50.00"))
        assert live_allocations(payment) == [(invoice.pk, Decimal("20.00"))]
        assert (receivable(customer), wallet(customer)) == (ZERO, Decimal("30.00"))
        assert_books_agree(customer.provider_id)


class TestFailure:
    def test_is_written_down_and_moves_nothing(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = start_bulk(customer, "50.00")

        assert tell(payment, OrderStatus.FAILED, failure="The card was declined.")

        invoice.refresh_from_db()
        assert (payment.state, payment.failure) == (Payment.State.FAILED, "The card was declined.")
        assert payment.receipt_number == ""
        assert (invoice.due_amount, wallet(customer)) == (Decimal("50.00"), ZERO)

    def test_comes_once(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "50.00")
        tell(payment, OrderStatus.FAILED, failure="First.")

        assert not tell(payment, OrderStatus.FAILED, failure="Second.")

        assert payment.failure == "First."


class TestReportRefused:
    @pytest.mark.parametrize(
        "fields",
        [
            {"amount": Decimal("79.99")},
            {"amount": Decimal("8000")},
            {"currency": "USD"},
            {"reference": "sbx_other"},
            {"order_number": "P-OTHER"},
        ],
    )
    def test_for_another_order_amount_or_currency(self, fields: dict[str, Any]) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = start_bulk(customer, "80.00")

        with refused(ReportRefused):
            tell(payment, OrderStatus.SUCCEEDED, **fields)


class TestExpirePayment:
    def test_gives_up_what_nobody_paid(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")

        assert expire_payment(payment_id=payment.pk, at=LATER)

        payment.refresh_from_db()
        assert payment.state == Payment.State.EXPIRED

    def test_leaves_money_that_came_alone(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "80.00")
        tell(payment, OrderStatus.SUCCEEDED)

        assert not expire_payment(payment_id=payment.pk, at=LATER)

        payment.refresh_from_db()
        assert payment.state == Payment.State.SUCCEEDED
