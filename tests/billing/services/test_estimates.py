"""Estimates of a bill run: what they hold, what they leave, and that they can be made again."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BilledUsage, BillRunItem, Invoice, InvoiceLine, InvoiceTax
from billing.services import bill_run_work
from billing.services.bill_runs import start_calculation
from catalogue.models import ProductKind
from customers.models import Customer
from resellers.models import Reseller
from subscriptions.models import Charge
from tenancy.models import BillerEntity, Provider
from tests.factories import (
    make_biller_entity,
    make_customer,
    make_product,
    make_provider,
    make_reseller,
    make_tax_profile,
)
from tests.factories.billing import (
    IN_NOVEMBER,
    calculate_run,
    invoice_of,
    item_ids,
    make_charge,
    make_chunk,
    make_usage,
)
from tests.factories.subscriptions import make_offer, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    provider = make_provider()
    make_tax_profile(provider, "19")
    return provider


def lines_of(payer: Customer | Reseller) -> list[tuple[str, str, Decimal]]:
    lines = InvoiceLine.objects.filter(invoice=invoice_of(payer)).order_by("position")
    return [(line.group, line.description, line.net_amount) for line in lines]


class TestAnEstimate:
    def test_has_recurring_charges_then_usage_then_one_time_charges(
        self, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        item = make_offer(
            provider, product=make_product(provider, ProductKind.RECURRING, name="Line")
        )
        make_subscription(customer, item, date(2026, 9, 1))
        make_charge(customer, "50", description="Installation")
        make_usage(customer, "1.25", destination="Germany")

        calculate_run(provider)

        assert lines_of(customer) == [
            ("RECURRING", "Line, 2026-09-01 to 2026-09-30", Decimal("21.6000")),
            ("RECURRING", "Line, 2026-10-01 to 2026-10-31", Decimal("21.6000")),
            ("RECURRING", "Line, 2026-11-01 to 2026-11-30", Decimal("21.6000")),
            ("USAGE", "Germany", Decimal("1.2500")),
            ("ONE_TIME", "Installation", Decimal("50.0000")),
        ]
        invoice = invoice_of(customer)
        assert (invoice.net_amount, invoice.tax_amount, invoice.gross_amount) == (
            Decimal("116.0500"),
            Decimal("22.0500"),
            Decimal("138.1000"),
        )
        assert invoice.state == Invoice.State.ESTIMATE
        assert invoice.number is None

    def test_sums_usage_per_destination_and_rounds_each_sum_once(self, provider: Provider) -> None:
        customer = make_customer(provider)
        chunk = make_chunk(provider)
        for amount in ("0.0034", "0.0034", "0.0034"):
            volumes = {"billed_volume": 61, "included_volume": 20}
            make_usage(customer, amount, chunk=chunk, destination="Austria", **volumes)
        make_usage(customer, "1.005", chunk=chunk, destination="Berlin")

        calculate_run(provider)

        austria, berlin = InvoiceLine.objects.order_by("position")
        assert (austria.description, austria.net_amount) == ("Austria", Decimal("0.01"))
        assert (austria.call_count, austria.billed_volume) == (3, 183)
        assert austria.included_volume == 60
        assert (austria.volume_unit, austria.product_id) == ("second", chunk.file.source.product_id)
        assert (berlin.description, berlin.net_amount) == ("Berlin", Decimal("1.01"))

    def test_labels_usage_of_earlier_days_as_late(self, provider: Provider) -> None:
        customer = make_customer(provider)
        chunk = make_chunk(provider)
        make_usage(customer, "2", chunk=chunk, day=date(2026, 9, 30))
        make_usage(customer, "3", chunk=chunk, day=date(2026, 10, 1))
        make_usage(customer, "5", chunk=chunk, day=date(2026, 10, 31))
        make_usage(customer, "7", chunk=chunk, day=date(2026, 11, 1))

        calculate_run(provider)

        lines = InvoiceLine.objects.order_by("position")
        assert [(line.is_late, line.net_amount) for line in lines] == [
            (False, Decimal(8)),
            (True, Decimal(2)),
        ]
        assert BilledUsage.objects.count() == 3

    def test_takes_advances_for_the_next_period_but_not_one_time_charges_of_it(
        self, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        november = {"period_from": date(2026, 11, 1), "period_to": date(2026, 12, 1)}
        make_charge(customer, "10", kind=Charge.Kind.RECURRING, description="Advance", **november)
        make_charge(customer, "20", description="Next month", **november)

        calculate_run(provider)

        assert lines_of(customer) == [("RECURRING", "Advance", Decimal(10))]

    def test_copies_seller_and_buyer(self, provider: Provider) -> None:
        other = make_biller_entity(provider, name="Aurora Austria", is_default=False)
        customer = make_customer(provider, organisation="Hansen", biller_entity=other)
        make_usage(customer, "1")

        calculate_run(provider)

        invoice = invoice_of(customer)
        assert invoice.biller_entity == other
        assert invoice.seller["name"] == "Aurora Austria"
        assert invoice.buyer["name"] == "Hansen"
        assert invoice.buyer["number"] == str(customer.number)

    def test_takes_no_tax_from_an_exempt_customer(self, provider: Provider) -> None:
        customer = make_customer(provider, tax_category=Customer.TaxCategory.EXEMPT)
        make_usage(customer, "100")

        calculate_run(provider)

        invoice = invoice_of(customer)
        assert (invoice.tax_amount, invoice.gross_amount) == (Decimal(0), Decimal(100))
        assert not InvoiceTax.objects.exists()

    def test_rounds_the_sum_only_where_the_biller_wants_it(self, provider: Provider) -> None:
        BillerEntity.objects.update(rounding_scope="INVOICE")
        customer = make_customer(provider, tax_category=Customer.TaxCategory.EXEMPT)
        for destination in ("A", "B", "C"):
            make_usage(customer, "1.005", destination=destination)

        calculate_run(provider)

        assert [line[2] for line in lines_of(customer)] == [Decimal("1.005")] * 3
        assert invoice_of(customer).net_amount == Decimal("3.02")

    @pytest.mark.parametrize(
        ("rounding", "net"), [("HALF_UP", Decimal("3.03")), ("HALF_EVEN", Decimal("3.00"))]
    )
    def test_rounds_each_line_by_the_biller_s_mode(
        self, provider: Provider, rounding: str, net: Decimal
    ) -> None:
        BillerEntity.objects.update(rounding=rounding)
        customer = make_customer(provider)
        for destination in ("A", "B", "C"):
            make_usage(customer, "1.005", destination=destination)

        calculate_run(provider)

        assert invoice_of(customer).net_amount == net

    def test_is_one_per_currency(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_usage(customer, "1")
        make_usage(customer, "2", currency="USD")
        make_charge(customer, "3", currency="JPY")

        calculate_run(provider)

        amounts = Invoice.objects.order_by("currency").values_list("currency", "net_amount")
        assert list(amounts) == [
            ("EUR", Decimal(1)),
            ("JPY", Decimal(3)),
            ("USD", Decimal(2)),
        ]

    def test_is_the_same_for_a_tagged_and_a_direct_customer(self, provider: Provider) -> None:
        direct = make_customer(provider)
        tagged = make_customer(provider, make_reseller(provider))
        for customer in (direct, tagged):
            make_charge(customer, "49.90")
            make_usage(customer, "12.3456", destination="Germany")
            make_usage(customer, "0.99", destination="Austria")

        calculate_run(provider)

        assert lines_of(direct) == lines_of(tagged)
        fields = ("biller_entity_id", "seller", "issuing_reseller_id", "kind", "currency")
        amounts = ("net_amount", "tax_amount", "gross_amount")
        for field in (*fields, *amounts):
            assert getattr(invoice_of(direct), field) == getattr(invoice_of(tagged), field)

    def test_has_nothing_of_another_provider(self, provider: Provider) -> None:
        customer = make_customer(provider)
        other = make_customer(make_provider())
        make_usage(customer, "1")
        make_usage(other, "2")

        calculate_run(provider)

        assert invoice_of(customer).net_amount == Decimal(1)
        assert not Invoice.objects.filter(provider=other.provider).exists()


class TestAnEmptyEstimate:
    def test_is_not_kept(self, provider: Provider) -> None:
        customer = make_customer(provider)

        run = calculate_run(provider)

        assert run.items.get(customer=customer).state == BillRunItem.State.EMPTY
        assert not Invoice.objects.exists()

    @pytest.mark.parametrize("credit", ["-10", "-12.50"])
    def test_leaves_what_comes_to_nothing_or_less_for_a_later_run(
        self, provider: Provider, credit: str
    ) -> None:
        customer = make_customer(provider)
        make_usage(customer, "10")
        make_charge(customer, credit)

        run = calculate_run(provider)

        assert run.items.get(customer=customer).state == BillRunItem.State.EMPTY
        assert not Invoice.objects.exists()
        assert not InvoiceLine.objects.exists()
        assert not BilledUsage.objects.exists()


class TestASettlementEstimate:
    def test_has_the_reseller_s_legs_and_no_customer_legs(self, provider: Provider) -> None:
        reseller = make_reseller(provider)
        customer = make_customer(provider, reseller)
        make_usage(customer, "10", destination="Germany")
        chunk = make_chunk(provider)
        make_usage(reseller, "6", chunk=chunk, destination="Germany")
        make_usage(reseller, "1", chunk=chunk, destination="Austria")

        calculate_run(provider)

        settlement = invoice_of(reseller)
        assert lines_of(reseller) == [
            ("USAGE", "Austria", Decimal(1)),
            ("USAGE", "Germany", Decimal(6)),
        ]
        assert settlement.kind == Invoice.Kind.SETTLEMENT
        assert settlement.issuing_reseller is None
        assert (settlement.net_amount, settlement.tax_amount) == (Decimal(7), Decimal("1.33"))
        assert settlement.buyer["name"] == reseller.organisation
        assert lines_of(customer) == [("USAGE", "Germany", Decimal(10))]

    def test_is_issued_by_the_parent_that_is_owed(self, provider: Provider) -> None:
        parent = make_reseller(provider)
        child = make_reseller(provider, parent)
        make_usage(child, "4")

        calculate_run(provider)

        settlement = invoice_of(child)
        assert settlement.issuing_reseller == parent
        assert settlement.seller["name"] == parent.organisation

    def test_is_one_per_party_owed(self, provider: Provider) -> None:
        parent = make_reseller(provider)
        child = make_reseller(provider, parent)
        make_usage(child, "4")
        make_usage(child, "9", payee_kind=0, payee_id=0)

        calculate_run(provider)

        rows = Invoice.objects.filter(reseller=child).order_by("net_amount")
        assert [(row.issuing_reseller, row.net_amount) for row in rows] == [
            (parent, Decimal(4)),
            (None, Decimal(9)),
        ]


class TestCalculatingAgain:
    def test_replaces_the_estimates(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_usage(customer, "1")
        run = calculate_run(provider)
        first = invoice_of(customer)
        make_usage(customer, "2", destination="Austria")

        calculate_run(provider)

        second = invoice_of(customer)
        assert second.pk != first.pk
        assert second.net_amount == Decimal(3)
        assert run.items.count() == 1

    def test_does_nothing_to_an_item_that_does_not_wait(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_usage(customer, "1")
        run = calculate_run(provider)
        estimate = invoice_of(customer)
        start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        BillRunItem.objects.update(state=BillRunItem.State.ESTIMATED)

        bill_run_work.calculate(run_id=run.pk, item_ids=item_ids(run), at=IN_NOVEMBER)

        assert invoice_of(customer).pk == estimate.pk


class TestTheNumberOfStatements:
    def test_does_not_grow_with_the_number_of_payers(self, provider: Provider) -> None:
        def statements(customers: int) -> int:
            chunk = make_chunk(provider)
            for _ in range(customers):
                make_usage(make_customer(provider), "1", chunk=chunk)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                calculate_run(provider)
            return len(queries)

        first = statements(2)

        assert statements(20) == first
