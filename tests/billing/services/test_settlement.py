"""Settling an invoice and taking it back."""

from decimal import Decimal

import pytest

from billing.models import Invoice
from billing.services.credit_notes import credit_in_full
from billing.services.settlement import (
    AmountExceedsDue,
    AmountExceedsSettled,
    InvoiceNotOpen,
    settle_invoice,
    unsettle_invoice,
)
from tests.factories import make_customer, make_provider
from tests.factories.billing import IN_NOVEMBER, calculate_run, invoice_of, issue_run, make_charge
from tests.race import race
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice() -> Invoice:
    """An issued one over 100.00."""
    customer = make_customer(make_provider())
    make_charge(customer, "100")
    issue_run(customer.provider)
    return invoice_of(customer)


class TestSettling:
    def test_a_part_leaves_the_invoice_part_paid(self, invoice: Invoice) -> None:
        settled = settle_invoice(invoice_id=invoice.pk, amount=Decimal("40.50"))

        assert (settled.state, settled.due_amount) == (Invoice.State.PART_PAID, Decimal("59.50"))

    def test_the_rest_pays_it(self, invoice: Invoice) -> None:
        settle_invoice(invoice_id=invoice.pk, amount=Decimal("40.50"))

        settled = settle_invoice(invoice_id=invoice.pk, amount=Decimal("59.50"))

        assert (settled.state, settled.due_amount) == (Invoice.State.PAID, Decimal(0))

    def test_more_than_is_due_is_refused(self, invoice: Invoice) -> None:
        with refused(AmountExceedsDue, "100"):
            settle_invoice(invoice_id=invoice.pk, amount=Decimal("100.01"))

    def test_a_paid_invoice_is_refused(self, invoice: Invoice) -> None:
        settle_invoice(invoice_id=invoice.pk, amount=Decimal(100))

        with refused(InvoiceNotOpen, "paid"):
            settle_invoice(invoice_id=invoice.pk, amount=Decimal(1))

    def test_a_cancelled_invoice_is_refused(self, invoice: Invoice) -> None:
        credit_in_full(invoice_id=invoice.pk, reason="Wrong", at=IN_NOVEMBER, actor_id=None)

        with refused(InvoiceNotOpen, "cancelled"):
            settle_invoice(invoice_id=invoice.pk, amount=Decimal(1))

    def test_an_estimate_is_refused(self) -> None:
        customer = make_customer(make_provider())
        make_charge(customer, "100")
        calculate_run(customer.provider)

        with refused(InvoiceNotOpen, "estimate"):
            settle_invoice(invoice_id=invoice_of(customer).pk, amount=Decimal(1))


class TestUnsettling:
    def test_opens_the_invoice_again(self, invoice: Invoice) -> None:
        settle_invoice(invoice_id=invoice.pk, amount=Decimal(100))

        part_paid = unsettle_invoice(invoice_id=invoice.pk, amount=Decimal(30))
        issued = unsettle_invoice(invoice_id=invoice.pk, amount=Decimal(70))

        assert (part_paid.state, part_paid.due_amount) == (Invoice.State.PART_PAID, Decimal(30))
        assert (issued.state, issued.due_amount) == (Invoice.State.ISSUED, Decimal(100))

    def test_more_than_was_settled_is_refused(self, invoice: Invoice) -> None:
        settle_invoice(invoice_id=invoice.pk, amount=Decimal(10))

        with refused(AmountExceedsSettled, "10"):
            unsettle_invoice(invoice_id=invoice.pk, amount=Decimal(11))


@pytest.mark.django_db(transaction=True)
class TestSettlingAtTheSameMoment:
    def test_never_settles_more_than_is_due(self, invoice: Invoice) -> None:
        outcomes = race(
            *[lambda: settle_invoice(invoice_id=invoice.pk, amount=Decimal(40))] * 4,
        )

        invoice.refresh_from_db()
        assert invoice.settled_amount == Decimal(80)
        assert [type(outcome) for outcome in outcomes].count(AmountExceedsDue) == 2
