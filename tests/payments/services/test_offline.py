from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from billing.models import Invoice
from ledger.models import AccountKind, Transfer
from payments.models import Payment
from payments.rules.distribution import AmountNotPayable, DistributionTooHigh, InvoiceNotPayable
from payments.services.offline import CurrencyMismatch, DateInFuture, ModeNotOffline
from tests.factories import make_customer, make_provider, make_user
from tests.factories.payments import make_invoice
from tests.payments.books import (
    AT,
    TODAY,
    assert_books_agree,
    live_allocations,
    own,
    pay_offline,
    receivable,
    wallet,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)


class TestRecordOfflinePayment:
    def test_settles_the_oldest_invoices_and_keeps_the_rest_as_advance(self) -> None:
        customer = make_customer(make_provider())
        newer = make_invoice(customer, "70.00", issued_at=datetime(2026, 11, 2, tzinfo=UTC))
        older = make_invoice(customer, "50.00", issued_at=EARLIER)

        payment = pay_offline(customer, "130.00")

        assert live_allocations(payment) == [
            (older.pk, Decimal("50.00")),
            (newer.pk, Decimal("70.00")),
        ]
        assert (receivable(customer), wallet(customer)) == (Decimal(0), Decimal("10.00"))
        assert own(customer, AccountKind.BANK) == Decimal("130.00")
        states = Invoice.objects.values_list("state", flat=True)
        assert set(states) == {Invoice.State.PAID}
        assert_books_agree(customer.provider_id)

    def test_writes_down_how_and_when_the_money_came(self) -> None:
        customer = make_customer(make_provider())
        clerk = make_user()

        pay_offline(
            customer,
            "80.00",
            mode=Payment.Mode.CHEQUE,
            reference="000123",
            narration="Handed in at the counter",
            posting_date=date(2026, 11, 9),
            transaction_date=date(2026, 11, 6),
            actor_id=clerk.pk,
        )

        payment = Payment.objects.get()
        assert (payment.way, payment.mode, payment.gateway) == ("OFFLINE", "CHEQUE", "")
        assert (payment.reference, payment.narration) == ("000123", "Handed in at the counter")
        assert (payment.posting_date, payment.transaction_date) == (
            date(2026, 11, 9),
            date(2026, 11, 6),
        )
        assert (payment.state, payment.succeeded_at) == (Payment.State.SUCCEEDED, AT)
        assert payment.created_by == clerk
        assert Transfer.objects.get().effective_date == date(2026, 11, 9)
        entry = Entry.objects.get()
        assert (entry.action, entry.actor) == ("payment.recorded", clerk)

    def test_numbers_receipts_without_a_gap(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "9.00", issued_at=EARLIER)

        pay_offline(customer, "10.00")
        with pytest.raises(InvoiceNotPayable):
            pay_offline(customer, "20.00", distribution={invoice.pk: Decimal("1.00")})
        pay_offline(customer, "30.00")

        numbers = Payment.objects.order_by("pk").values_list("receipt_number", flat=True)
        assert list(numbers) == ["REC-2026-000001", "REC-2026-000002"]

    def test_follows_the_distribution_it_is_given(self) -> None:
        customer = make_customer(make_provider())
        older = make_invoice(customer, "50.00", issued_at=EARLIER)
        newer = make_invoice(customer, "70.00", issued_at=AT)

        payment = pay_offline(customer, "60.00", distribution={newer.pk: Decimal("45.50")})

        older.refresh_from_db()
        newer.refresh_from_db()
        assert (older.state, older.due_amount) == (Invoice.State.ISSUED, Decimal("50.00"))
        assert (newer.state, newer.due_amount) == (Invoice.State.PART_PAID, Decimal("24.50"))
        assert live_allocations(payment) == [(newer.pk, Decimal("45.50"))]
        assert wallet(customer) == Decimal("14.50")

    def test_leaves_all_of_it_in_the_wallet_if_nothing_is_distributed(self) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "50.00", issued_at=EARLIER)

        pay_offline(customer, "60.00", distribution={})

        assert (receivable(customer), wallet(customer)) == (Decimal("50.00"), Decimal("60.00"))

    def test_keeps_customers_and_providers_apart(self) -> None:
        one, other = make_customer(make_provider()), make_customer(make_provider())
        foreign = make_invoice(other, "50.00", issued_at=EARLIER)

        pay_offline(one, "60.00")

        foreign.refresh_from_db()
        assert foreign.due_amount == Decimal("50.00")
        assert (wallet(one), wallet(other)) == (Decimal("60.00"), Decimal(0))

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"currency": "USD"}, CurrencyMismatch),
            ({"mode": Payment.Mode.GATEWAY}, ModeNotOffline),
            ({"posting_date": date(2026, 11, 11)}, DateInFuture),
            ({"transaction_date": date(2026, 11, 11)}, DateInFuture),
            ({"amount": Decimal("0.00")}, AmountNotPayable),
            ({"amount": Decimal("-3.00")}, AmountNotPayable),
            ({"amount": Decimal("3.001")}, AmountNotPayable),
            ({"distribution": {0: Decimal("1.00")}}, InvoiceNotPayable),
        ],
    )
    def test_refuses(self, fields: dict[str, Any], refusal: Any) -> None:
        customer = make_customer(make_provider())

        with refused(refusal):
            pay_offline(customer, **{"amount": "10.00"} | fields)

    def test_takes_a_day_that_has_begun_where_the_provider_is(self) -> None:
        customer = make_customer(make_provider(time_zone="Asia/Kolkata"))
        late_evening = datetime(2026, 11, 10, 20, 0, tzinfo=UTC)

        payment = pay_offline(customer, "10.00", posting_date=date(2026, 11, 11), at=late_evening)

        assert payment.posting_date == date(2026, 11, 11)

    def test_refuses_a_day_that_has_begun_elsewhere_only(self) -> None:
        customer = make_customer(make_provider(time_zone="Etc/UTC"))
        late_evening = datetime(2026, 11, 10, 20, 0, tzinfo=UTC)

        with refused(DateInFuture):
            pay_offline(customer, "10.00", posting_date=date(2026, 11, 11), at=late_evening)

    def test_refuses_to_distribute_more_than_was_paid(self) -> None:
        customer = make_customer(make_provider())
        one = make_invoice(customer, "50.00", issued_at=EARLIER)
        other = make_invoice(customer, "50.00", issued_at=EARLIER)

        with refused(DistributionTooHigh):
            pay_offline(
                customer,
                "60.00",
                distribution={one.pk: Decimal("50.00"), other.pk: Decimal("10.01")},
            )

    def test_books_on_the_day_it_is_told(self) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "50.00", issued_at=EARLIER)

        pay_offline(customer, "60.00", posting_date=TODAY)

        dates = Transfer.objects.filter(kind__in=["PAYMENT", "ALLOCATION"])
        assert set(dates.values_list("effective_date", flat=True)) == {TODAY}
