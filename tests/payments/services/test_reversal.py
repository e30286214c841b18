from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from audit.models import Entry
from billing.models import Invoice
from common.money import ZERO
from ledger.models import AccountKind, Transfer
from payments.gateways.protocol import OrderStatus
from payments.models import Allocation, Payment, Reversal
from payments.services.advance import apply_advance
from payments.services.outcomes import apply_report
from payments.services.reversal import PaymentNotReversible, reverse_payment
from tests.factories import make_customer, make_provider, make_user
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
LATER = AT + timedelta(days=3)


class TestReversePayment:
    def test_reopens_its_invoices_and_takes_the_money_out_again(self) -> None:
        customer = make_customer(make_provider())
        clerk = make_user()
        paid = make_invoice(customer, "50.00", issued_at=EARLIER)
        part_paid = make_invoice(customer, "80.00", issued_at=AT)
        payment = pay_offline(customer, "90.00")

        reverse_payment(payment=payment, reason="Cheque bounced", at=LATER, actor_id=clerk.pk)

        payment.refresh_from_db()
        paid.refresh_from_db()
        part_paid.refresh_from_db()
        assert payment.state == Payment.State.REVERSED
        assert (paid.state, part_paid.state) == (Invoice.State.ISSUED, Invoice.State.ISSUED)
        assert (receivable(customer), wallet(customer)) == (Decimal("130.00"), ZERO)
        assert own(customer, AccountKind.BANK) == 0
        assert live_allocations(payment) == []
        reversal = Reversal.objects.get()
        assert (reversal.payment, reversal.reason, reversal.reversed_by) == (
            payment,
            "Cheque bounced",
            clerk,
        )
        entry = Entry.objects.get(action="payment.reversed")
        assert entry.actor == clerk
        assert_books_agree(customer.provider_id)

    def test_links_each_contra_transfer_and_deletes_nothing(self) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = pay_offline(customer, "90.00")
        moved = Transfer.objects.filter(kind__in=["PAYMENT", "ALLOCATION"])

        reverse_payment(payment=payment, reason="Mistake", at=LATER, actor_id=None)

        assert moved.count() == 2
        for transfer in moved:
            contra = transfer.reversed_by
            assert (contra.debit_id, contra.credit_id) == (transfer.credit_id, transfer.debit_id)
            assert contra.document == f"payment:{payment.pk}"
        assert Allocation.objects.get().undone_at == LATER

    def test_undoes_what_its_advance_settled_later(self) -> None:
        customer = make_customer(make_provider())
        payment = pay_offline(customer, "90.00")
        later = make_invoice(customer, "60.00", issued_at=LATER)
        apply_advance(customer=customer, at=LATER, actor_id=None)

        reverse_payment(payment=payment, reason="Mistake", at=LATER, actor_id=None)

        later.refresh_from_db()
        assert (later.state, later.due_amount) == (Invoice.State.ISSUED, Decimal("60.00"))
        assert wallet(customer) == 0

    def test_leaves_other_money_where_it_is(self) -> None:
        customer = make_customer(make_provider())
        wrong, right = pay_offline(customer, "40.00"), pay_offline(customer, "25.00")
        invoice = make_invoice(customer, "50.00", issued_at=LATER)
        apply_advance(customer=customer, at=LATER, actor_id=None)

        reverse_payment(payment=wrong, reason="Mistake", at=LATER, actor_id=None)

        assert live_allocations(right) == [(invoice.pk, Decimal("10.00"))]
        assert (receivable(customer), wallet(customer)) == (Decimal("40.00"), Decimal("15.00"))
        assert_books_agree(customer.provider_id)

    def test_takes_a_gateways_money_from_its_clearing(self) -> None:
        customer = make_customer(make_provider())
        payment = start_bulk(customer, "80.00")
        apply_report(payment_id=payment.pk, report=report(payment, OrderStatus.SUCCEEDED), at=AT)

        reverse_payment(payment=payment, reason="Chargeback", at=LATER, actor_id=None)

        assert own(customer, AccountKind.GATEWAY_CLEARING, "sandbox") == 0
        assert wallet(customer) == 0

    def test_lets_the_invoice_be_paid_again(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "50.00", issued_at=EARLIER)
        bounced = pay_offline(customer, "50.00")
        reverse_payment(payment=bounced, reason="Bounced", at=LATER, actor_id=None)

        again = pay_offline(customer, "50.00", at=LATER)

        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID
        assert live_allocations(again) == [(invoice.pk, Decimal("50.00"))]
        assert_books_agree(customer.provider_id)

    def test_happens_once(self) -> None:
        customer = make_customer(make_provider())
        payment = pay_offline(customer, "40.00")
        reverse_payment(payment=payment, reason="Mistake", at=LATER, actor_id=None)

        with refused(PaymentNotReversible, match="reversed"):
            reverse_payment(payment=payment, reason="Again", at=LATER, actor_id=None)

    def test_is_refused_before_there_is_money(self) -> None:
        payment = start_bulk(make_customer(make_provider()), "40.00")

        with refused(PaymentNotReversible, match="pending"):
            reverse_payment(payment=payment, reason="Mistake", at=LATER, actor_id=None)
