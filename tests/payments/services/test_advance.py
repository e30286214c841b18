from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from audit.models import Entry
from billing.models import Invoice
from common.money import ZERO
from ledger.models import Transfer
from payments.services.advance import apply_advance, apply_advance_on_issue
from tests.factories import make_customer, make_provider, make_user
from tests.factories.payments import make_invoice
from tests.payments.books import (
    AT,
    assert_books_agree,
    live_allocations,
    pay_offline,
    receivable,
    wallet,
)

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
NEXT_ISSUE = AT + timedelta(days=20)


class TestApplyAdvanceOnIssue:
    def test_pays_the_next_invoice_from_the_oldest_money(self) -> None:
        customer = make_customer(make_provider())
        first = pay_offline(customer, "30.00")
        second = pay_offline(customer, "50.00", at=AT + timedelta(hours=1))
        invoice = make_invoice(customer, "60.00", issued_at=NEXT_ISSUE)

        apply_advance_on_issue(customer=customer, at=NEXT_ISSUE)

        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.PAID
        assert live_allocations(first) == [(invoice.pk, Decimal("30.00"))]
        assert live_allocations(second) == [(invoice.pk, Decimal("30.00"))]
        assert (receivable(customer), wallet(customer)) == (ZERO, Decimal("20.00"))
        entry = Entry.objects.get(action="advance.applied")
        assert entry.after == {
            "uses": f"30.0000 of payment {first.pk} to invoice {invoice.pk}; "
            f"30.0000 of payment {second.pk} to invoice {invoice.pk}"
        }
        assert_books_agree(customer.provider_id)

    def test_leaves_an_invoice_open_that_the_payer_left_open(self) -> None:
        customer = make_customer(make_provider())
        left = make_invoice(customer, "40.00", issued_at=EARLIER)
        payment = pay_offline(customer, "100.00", distribution={})
        following = make_invoice(customer, "60.00", issued_at=NEXT_ISSUE)

        apply_advance_on_issue(customer=customer, at=NEXT_ISSUE)

        left.refresh_from_db()
        assert left.due_amount == Decimal("40.00")
        assert live_allocations(payment) == [(following.pk, Decimal("60.00"))]

    def test_does_nothing_a_second_time(self) -> None:
        customer = make_customer(make_provider())
        pay_offline(customer, "100.00")
        make_invoice(customer, "60.00", issued_at=NEXT_ISSUE)
        apply_advance_on_issue(customer=customer, at=NEXT_ISSUE)
        before = Transfer.objects.count(), Entry.objects.count()

        assert apply_advance_on_issue(customer=customer, at=NEXT_ISSUE) == []

        assert (Transfer.objects.count(), Entry.objects.count()) == before

    def test_spends_nobody_elses_money(self) -> None:
        provider = make_provider()
        rich, poor = make_customer(provider), make_customer(provider)
        pay_offline(rich, "100.00")
        make_invoice(poor, "60.00", issued_at=NEXT_ISSUE)

        apply_advance_on_issue(customer=poor, at=NEXT_ISSUE)

        assert (receivable(poor), wallet(rich)) == (Decimal("60.00"), Decimal("100.00"))


class TestApplyAdvance:
    def test_pays_older_invoices_too_as_somebody_wishes(self) -> None:
        customer = make_customer(make_provider())
        clerk = make_user()
        oldest = make_invoice(customer, "40.00", issued_at=EARLIER)
        newest = make_invoice(customer, "70.00", issued_at=NEXT_ISSUE)
        payment = pay_offline(customer, "100.00", distribution={})

        apply_advance(customer=customer, at=NEXT_ISSUE, actor_id=clerk.pk)

        assert live_allocations(payment) == [
            (oldest.pk, Decimal("40.00")),
            (newest.pk, Decimal("60.00")),
        ]
        assert (receivable(customer), wallet(customer)) == (Decimal("10.00"), ZERO)
        assert Entry.objects.get(action="advance.applied").actor == clerk
        assert_books_agree(customer.provider_id)
