from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from audit.models import Entry
from billing.models import Invoice
from payments.gateways.registry import GatewayUnknown
from payments.models import Payment, PlannedAllocation, SandboxCheckout
from payments.rules.distribution import AmountNotPayable, DistributionTooHigh, InvoiceNotPayable
from payments.services.checkouts import start_bulk_payment, start_invoice_payment
from tests.factories import make_customer, make_provider, make_user
from tests.factories.payments import make_invoice
from tests.payments.books import AT, BACK, receivable, wallet
from tests.refusals import refused

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)


def planned(payment: Payment) -> dict[int, Decimal]:
    rows = PlannedAllocation.objects.filter(payment=payment)
    return dict(rows.values_list("invoice_id", "amount"))


class TestStartInvoicePayment:
    def test_records_what_is_due_before_the_payer_leaves(self) -> None:
        provider = make_provider("aurora")
        customer = make_customer(provider)
        payer = make_user()
        invoice = make_invoice(customer, "119.00", issued_at=EARLIER, settled_amount=19)

        started = start_invoice_payment(
            invoice=invoice, gateway="sandbox", return_url=BACK, at=AT, actor_id=payer.pk
        )

        payment = Payment.objects.get()
        assert started.payment == payment
        assert (payment.way, payment.mode, payment.gateway) == ("INVOICE", "GATEWAY", "sandbox")
        assert (payment.amount, payment.currency) == (Decimal("100.00"), "EUR")
        assert payment.state == Payment.State.PENDING
        assert payment.receipt_number == ""
        assert payment.created_by == payer
        assert planned(payment) == {invoice.pk: Decimal("100.00")}
        assert Entry.objects.get().action == "payment.started"

    def test_opens_an_order_for_it_at_the_gateway(self) -> None:
        customer = make_customer(make_provider("aurora"))
        invoice = make_invoice(customer, "119.00", issued_at=EARLIER)

        started = start_invoice_payment(
            invoice=invoice, gateway="sandbox", return_url=BACK, at=AT, actor_id=None
        )

        order = SandboxCheckout.objects.get()
        assert (order.order_number, order.amount, order.currency, order.return_url) == (
            started.payment.order_number,
            Decimal("119.00"),
            "EUR",
            BACK,
        )
        assert Payment.objects.get().gateway_reference == order.reference
        assert started.checkout_url == f"http://127.0.0.1:8000/sandbox/aurora/{order.reference}/"

    def test_moves_no_money_yet(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "119.00", issued_at=EARLIER)

        start_invoice_payment(
            invoice=invoice, gateway="sandbox", return_url=BACK, at=AT, actor_id=None
        )

        invoice.refresh_from_db()
        assert invoice.due_amount == Decimal("119.00")
        assert (receivable(customer), wallet(customer)) == (Decimal("119.00"), Decimal(0))

    def test_dates_the_payment_by_the_providers_day(self) -> None:
        customer = make_customer(make_provider(time_zone="Asia/Kolkata"))
        invoice = make_invoice(customer, "119.00", issued_at=EARLIER)
        late_evening = datetime(2026, 11, 10, 20, 0, tzinfo=UTC)

        started = start_invoice_payment(
            invoice=invoice, gateway="sandbox", return_url=BACK, at=late_evening, actor_id=None
        )

        assert started.payment.transaction_date == date(2026, 11, 11)

    @pytest.mark.parametrize("state", [Invoice.State.PAID, Invoice.State.CANCELLED])
    def test_refuses_an_invoice_with_nothing_due(self, state: Invoice.State) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "119.00", issued_at=EARLIER, state=state)

        with refused(InvoiceNotPayable):
            start_invoice_payment(
                invoice=invoice, gateway="sandbox", return_url=BACK, at=AT, actor_id=None
            )

    def test_refuses_a_gateway_there_is_not(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "119.00", issued_at=EARLIER)

        with refused(GatewayUnknown, match="'moneta'"):
            start_invoice_payment(
                invoice=invoice, gateway="moneta", return_url=BACK, at=AT, actor_id=None
            )


class TestStartBulkPayment:
    def test_fills_the_open_invoices_oldest_first(self) -> None:
        customer = make_customer(make_provider())
        newest = make_invoice(customer, "6523665.40", issued_at=datetime(2026, 10, 3, tzinfo=UTC))
        oldest = make_invoice(customer, "449949.28", issued_at=datetime(2026, 8, 3, tzinfo=UTC))
        middle = make_invoice(customer, "65177718.90", issued_at=datetime(2026, 9, 3, tzinfo=UTC))

        started = start_bulk_payment(
            customer=customer,
            amount=Decimal("679000.00"),
            gateway="sandbox",
            return_url=BACK,
            at=AT,
            actor_id=None,
        )

        assert started.payment.way == Payment.Way.BULK
        assert planned(started.payment) == {
            oldest.pk: Decimal("449949.28"),
            middle.pk: Decimal("229050.72"),
        }
        assert newest.pk not in planned(started.payment)

    def test_keeps_the_payers_own_distribution(self) -> None:
        customer = make_customer(make_provider())
        older = make_invoice(customer, "50.00", issued_at=EARLIER)
        newer = make_invoice(customer, "70.00", issued_at=AT)

        started = start_bulk_payment(
            customer=customer,
            amount=Decimal("100.00"),
            distribution={newer.pk: Decimal("60.00")},
            gateway="sandbox",
            return_url=BACK,
            at=AT,
            actor_id=None,
        )

        assert planned(started.payment) == {newer.pk: Decimal("60.00")}
        assert older.pk not in planned(started.payment)

    def test_tops_up_a_wallet_where_nothing_is_open(self) -> None:
        customer = make_customer(make_provider())

        started = start_bulk_payment(
            customer=customer,
            amount=Decimal("25.00"),
            gateway="sandbox",
            return_url=BACK,
            at=AT,
            actor_id=None,
        )

        assert planned(started.payment) == {}

    @pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.001"])
    def test_refuses_what_is_no_amount(self, amount: str) -> None:
        customer = make_customer(make_provider())

        with refused(AmountNotPayable):
            start_bulk_payment(
                customer=customer,
                amount=Decimal(amount),
                gateway="sandbox",
                return_url=BACK,
                at=AT,
                actor_id=None,
            )

    def test_refuses_more_for_an_invoice_than_its_due(self) -> None:
        customer = make_customer(make_provider())
        invoice = make_invoice(customer, "50.00", issued_at=EARLIER)

        with refused(DistributionTooHigh):
            start_bulk_payment(
                customer=customer,
                amount=Decimal("100.00"),
                distribution={invoice.pk: Decimal("50.01")},
                gateway="sandbox",
                return_url=BACK,
                at=AT,
                actor_id=None,
            )

    def test_refuses_another_customers_invoice(self) -> None:
        provider = make_provider()
        customer, other = make_customer(provider), make_customer(provider)
        invoice = make_invoice(other, "50.00", issued_at=EARLIER)

        with refused(InvoiceNotPayable):
            start_bulk_payment(
                customer=customer,
                amount=Decimal("100.00"),
                distribution={invoice.pk: Decimal("50.00")},
                gateway="sandbox",
                return_url=BACK,
                at=AT,
                actor_id=None,
            )
