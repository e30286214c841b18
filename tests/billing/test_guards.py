"""What the database itself refuses, whoever asks."""

import json
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from billing.models import BilledUsage, Invoice, InvoiceLine, InvoiceTax
from billing.services.credit_notes import credit_in_full
from common.money import Rounding, round_to
from tests.factories import make_customer, make_provider, make_reseller, make_tax_profile
from tests.factories.billing import (
    IN_NOVEMBER,
    calculate_run,
    invoice_of,
    issue_run,
    make_chunk,
    make_usage,
)

pytestmark = pytest.mark.django_db


def refused(sql: str, *parameters: object) -> bool:
    """Whether the database refuses the statement, which then changes nothing."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)  # type: ignore[arg-type]
    except IntegrityError:
        return True
    return False


@pytest.fixture
def issued() -> Invoice:
    provider = make_provider()
    make_tax_profile(provider, "19")
    customer = make_customer(provider)
    make_usage(customer, "100")
    issue_run(provider)
    return invoice_of(customer)


@pytest.fixture
def estimate() -> Invoice:
    customer = make_customer(make_provider())
    make_usage(customer, "100")
    calculate_run(customer.provider)
    return invoice_of(customer)


class TestAnIssuedInvoice:
    @pytest.mark.parametrize(
        "assignment",
        [
            "number = 'X'",
            "issue_date = issue_date + 1",
            "net_amount = net_amount + 1, gross_amount = gross_amount + 1",
            "buyer = '{}'",
            "tagged_reseller_id = NULL, currency = 'USD'",
        ],
    )
    def test_cannot_be_changed(self, issued: Invoice, assignment: str) -> None:
        assert refused(f"UPDATE billing_invoice SET {assignment} WHERE id = {issued.pk}")

    def test_cannot_be_deleted(self, issued: Invoice) -> None:
        assert refused(f"DELETE FROM billing_invoice WHERE id = {issued.pk}")

    def test_can_be_settled(self, issued: Invoice) -> None:
        sql = "UPDATE billing_invoice SET settled_amount = 1, state = 'PART_PAID' WHERE id = %s"

        assert not refused(sql, issued.pk)

    def test_cannot_be_settled_beyond_its_gross(self, issued: Invoice) -> None:
        sql = "UPDATE billing_invoice SET settled_amount = 100, credited_amount = 20 WHERE id = %s"

        assert refused(sql, issued.pk)

    @pytest.mark.parametrize("part", [InvoiceLine, InvoiceTax, BilledUsage])
    def test_keeps_its_parts(
        self, issued: Invoice, part: type[InvoiceLine | InvoiceTax | BilledUsage]
    ) -> None:
        table = part._meta.db_table

        assert part.objects.filter(invoice=issued).count() == 1
        assert refused(f"DELETE FROM {table} WHERE invoice_id = {issued.pk}")
        assert refused(f"UPDATE {table} SET invoice_id = 0 WHERE invoice_id = {issued.pk}")

    def test_takes_no_further_line(self, issued: Invoice) -> None:
        assert refused(
            'INSERT INTO billing_invoiceline (provider_id, invoice_id, position, "group",'
            " product_name, description, is_late, volume_unit, net_amount)"
            " VALUES (%s, %s, 9, 'USAGE', '', 'More', false, '', 1)",
            issued.provider_id,
            issued.pk,
        )

    def test_takes_no_further_tax(self, issued: Invoice) -> None:
        assert refused(
            "INSERT INTO billing_invoicetax"
            " (provider_id, invoice_id, position, name, percent, base_amount, tax_amount)"
            " VALUES (%s, %s, 9, 'More', 1, 1, 1)",
            issued.provider_id,
            issued.pk,
        )

    def test_takes_no_further_usage(self, issued: Invoice) -> None:
        assert issued.customer is not None
        usage = make_usage(issued.customer, "1")

        assert refused(
            "INSERT INTO billing_billedusage (provider_id, usage_charge_id, invoice_id)"
            " VALUES (%s, %s, %s)",
            issued.provider_id,
            usage.pk,
            issued.pk,
        )


class TestTheBillerOfACustomersInvoice:
    def test_is_never_a_reseller(self, estimate: Invoice) -> None:
        reseller = make_reseller(estimate.provider)
        sql = "UPDATE billing_invoice SET issuing_reseller_id = %s WHERE id = %s"

        assert refused(sql, reseller.pk, estimate.pk)

    def test_is_never_a_reseller_from_the_start(self, estimate: Invoice) -> None:
        reseller = make_reseller(estimate.provider)

        assert refused(
            "INSERT INTO billing_invoice (provider_id, kind, biller_entity_id, issuing_reseller_id,"
            " customer_id, state, currency, rounding, period_from, period_to, seller, buyer,"
            " net_amount, tax_amount, gross_amount, settled_amount, credited_amount)"
            " VALUES (%s, 'CUSTOMER', %s, %s, %s, 'ESTIMATE', 'EUR', 'HALF_UP', '2026-10-01',"
            " '2026-11-01', %s, %s, 1, 0, 1, 0, 0)",
            estimate.provider_id,
            estimate.biller_entity_id,
            reseller.pk,
            estimate.customer_id,
            json.dumps({}),
            json.dumps({}),
        )


class TestAnEstimate:
    def test_has_no_number(self, estimate: Invoice) -> None:
        assert refused(f"UPDATE billing_invoice SET number = 'X' WHERE id = {estimate.pk}")

    def test_is_not_issued_without_one(self, estimate: Invoice) -> None:
        assert refused(f"UPDATE billing_invoice SET state = 'ISSUED' WHERE id = {estimate.pk}")

    def test_asks_for_net_plus_tax(self, estimate: Invoice) -> None:
        sql = f"UPDATE billing_invoice SET gross_amount = gross_amount + 1 WHERE id = {estimate.pk}"

        assert refused(sql)


class TestACreditNote:
    def test_cannot_be_changed_or_deleted(self, issued: Invoice) -> None:
        credit_in_full(invoice_id=issued.pk, reason="Wrong", at=IN_NOVEMBER, actor_id=None)

        for table in ("billing_creditnote", "billing_creditnotetax"):
            assert refused(f"DELETE FROM {table}")
        assert refused("UPDATE billing_creditnote SET reason = 'Other'")


class TestUsage:
    def test_is_billed_once(self, estimate: Invoice) -> None:
        assert estimate.customer is not None
        chunk = make_chunk(estimate.provider)
        usage = make_usage(estimate.customer, "1", chunk=chunk)
        row = {"provider_id": estimate.provider_id, "usage_charge": usage, "invoice": estimate}
        BilledUsage.objects.create(**row)

        with pytest.raises(IntegrityError), transaction.atomic():
            BilledUsage.objects.create(**row)


class TestTheDatabasesRounding(TestCase):
    """The one rule that is written twice, as lines are summed by the database."""

    @settings(max_examples=300)
    @given(
        st.decimals("-1000000", "1000000", places=8)
        | st.integers(-10_000, 10_000).map(lambda halves: Decimal(halves) / 2000),
        st.integers(0, 4),
        st.sampled_from(Rounding),
    )
    def test_is_the_rules(self, amount: Decimal, digits: int, mode: Rounding) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT billing_round(%s, %s, %s)", [amount, digits, mode.value])
            (rounded,) = cursor.fetchone() or (None,)

        assert rounded == round_to(amount, digits, mode)
