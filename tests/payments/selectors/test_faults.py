from datetime import UTC, datetime

import pytest

from common.faults import Fault
from common.scope import Scope
from payments.models import Payment
from payments.selectors.faults import payment_faults
from payments.services.reversal import reverse_payment
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import AT, pay_offline, start_bulk
from tests.tampering import tamper

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)


def paid() -> tuple[Provider, Payment]:
    """A provider with two payments, one reversed, and the payment that stands."""
    provider = make_provider()
    customer = make_customer(provider)
    make_invoice(customer, "50.00", issued_at=EARLIER)
    bounced = pay_offline(customer, "20.00")
    reverse_payment(payment=bounced, reason="Bounced", at=AT, actor_id=None)
    start_bulk(customer, "5.00")
    return provider, pay_offline(customer, "80.00")


def faults(provider: Provider) -> list[Fault]:
    return payment_faults(Scope.system(provider.pk))


class TestPaymentFaults:
    def test_are_none_where_all_agrees(self) -> None:
        provider, _ = paid()

        assert faults(provider) == []

    def test_tell_of_a_payment_that_was_made_larger(self) -> None:
        provider, payment = paid()

        tamper(
            "payments_payment", f"UPDATE payments_payment SET amount = 81 WHERE id = {payment.pk}"
        )

        assert faults(provider) == [
            Fault("payment is booked", f"payment {payment}", "81.0000", "80.0000"),
            Fault(
                "wallet = payments + credit - allocations",
                f"wallet of customer {payment.customer_id} in EUR",
                "31.0000",
                "30.0000",
            ),
        ]

    def test_tell_of_a_payment_that_was_never_booked(self) -> None:
        provider, _ = paid()
        pending = Payment.objects.get(state="PENDING")

        tamper(
            "payments_payment",
            "UPDATE payments_payment SET state = 'SUCCEEDED', succeeded_at = created_at,"
            f" posting_date = transaction_date, receipt_number = 'X' WHERE id = {pending.pk}",
        )

        found = [(fault.what, fault.expected, fault.found) for fault in faults(provider)]
        assert found == [
            ("payment is booked", "5.0000", "0"),
            ("wallet = payments + credit - allocations", "35.0000", "30.0000"),
        ]

    def test_tell_of_an_allocation_that_was_made_larger(self) -> None:
        provider, payment = paid()
        allocation = payment.allocations.get()

        tamper(
            "payments_allocation",
            f"UPDATE payments_allocation SET amount = 81 WHERE id = {allocation.pk}",
        )

        assert [(fault.what, fault.expected, fault.found) for fault in faults(provider)] == [
            ("allocations within the payment", "80.0000 succeeded", "81.0000"),
            ("allocation is booked", "50.0000", "81.0000"),
            ("settled = allocated", "81.0000", "50.0000"),
            ("wallet = payments + credit - allocations", "-1.0000", "30.0000"),
        ]

    def test_tell_of_an_allocation_that_was_undone_in_no_books(self) -> None:
        provider, payment = paid()
        allocation = payment.allocations.get()

        tamper(
            "payments_allocation",
            f"UPDATE payments_allocation SET undone_at = allocated_at WHERE id = {allocation.pk}",
        )

        assert [(fault.what, fault.where) for fault in faults(provider)] == [
            ("allocation is booked", f"allocation {allocation.pk}"),
            ("settled = allocated", f"invoice {allocation.invoice}"),
            (
                "wallet = payments + credit - allocations",
                f"wallet of customer {payment.customer_id} in EUR",
            ),
        ]

    def test_are_looked_for_in_one_provider(self) -> None:
        _, payment = paid()

        tamper(
            "payments_payment", f"UPDATE payments_payment SET amount = 81 WHERE id = {payment.pk}"
        )

        assert faults(make_provider()) == []
