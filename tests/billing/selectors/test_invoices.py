"""Which invoices there are for whom."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.models import Invoice
from billing.selectors.details import invoice_detail
from billing.selectors.invoices import (
    UnknownInvoice,
    estimates,
    invoice_by_id,
    invoices,
    open_invoices,
    overdue_invoices,
)
from billing.services.settlement import settle_invoice
from common.periods import month
from common.scope import Scope, Surface
from customers.models import Customer
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller, make_tax_profile
from tests.factories.billing import (
    IN_NOVEMBER,
    OCTOBER,
    calculate_run,
    invoice_of,
    issue_run,
    make_charge,
    make_usage,
)

pytestmark = pytest.mark.django_db

IN_DECEMBER = datetime(2026, 12, 2, 9, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def of_customer(customer: Customer) -> Scope:
    return Scope(
        provider_id=customer.provider_id, surface=Surface.ACCOUNT_CENTRE, customer_id=customer.pk
    )


def system(provider: Provider) -> Scope:
    return Scope.system(provider.pk)


class TestInvoices:
    def test_are_the_issued_ones_the_latest_first(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_charge(customer, "1")
        issue_run(provider)
        make_charge(customer, "2")
        issue_run(provider, month(2026, 11), IN_DECEMBER)
        make_charge(customer, "3")
        calculate_run(provider, month(2026, 12), datetime(2027, 1, 2, tzinfo=UTC))

        assert [row.net_amount for row in invoices(system(provider))] == [2, 1]

    def test_are_a_customer_s_own_in_the_account_centre(self, provider: Provider) -> None:
        mine, other = make_customer(provider), make_customer(provider)
        for customer in (mine, other):
            make_charge(customer, "1")
        issue_run(provider)

        assert [row.customer for row in invoices(of_customer(mine))] == [mine]
        with pytest.raises(UnknownInvoice):
            invoice_by_id(of_customer(mine), invoice_of(other).pk)

    def test_are_addressed_to_the_reseller_in_its_portal(self, provider: Provider) -> None:
        reseller, other = make_reseller(provider), make_reseller(provider)
        make_usage(make_customer(provider, reseller), "1")
        make_usage(reseller, "1")
        make_usage(other, "1")
        issue_run(provider)
        scope = Scope(
            provider_id=provider.pk, surface=Surface.RESELLER_PORTAL, reseller_id=reseller.pk
        )

        assert [row.reseller for row in invoices(scope)] == [reseller]

    def test_are_never_another_provider_s(self, provider: Provider) -> None:
        customer = make_customer(make_provider())
        make_charge(customer, "1")
        issue_run(customer.provider)

        assert not invoices(system(provider))
        with pytest.raises(UnknownInvoice):
            invoice_detail(system(provider), invoice_of(customer).pk)


class TestEstimates:
    def test_are_for_the_provider_only(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_charge(customer, "1")
        run = calculate_run(provider)

        assert [row.customer for row in estimates(system(provider), run.pk)] == [customer]
        assert not estimates(of_customer(customer), run.pk)
        with pytest.raises(UnknownInvoice):
            invoice_by_id(system(provider), invoice_of(customer).pk)


class TestOpenInvoices:
    @pytest.fixture
    def customer(self, provider: Provider) -> Customer:
        """Owes 1 since October, 2 since November."""
        customer = make_customer(provider)
        make_charge(customer, "1")
        issue_run(provider, OCTOBER, IN_NOVEMBER)
        make_charge(customer, "2")
        issue_run(provider, month(2026, 11), IN_DECEMBER)
        return customer

    def amounts(self, customer: Customer) -> list[Decimal]:
        rows = open_invoices(of_customer(customer), customer.pk, "EUR")
        return [row.due_amount for row in rows]

    def test_come_oldest_due_first(self, customer: Customer) -> None:
        assert self.amounts(customer) == [1, 2]

    def test_are_without_the_paid(self, customer: Customer) -> None:
        settle_invoice(
            invoice_id=Invoice.objects.earliest("pk").pk,
            amount=Decimal(1),
        )

        assert self.amounts(customer) == [2]

    def test_are_overdue_after_their_last_day(self, customer: Customer, provider: Provider) -> None:
        def overdue(day: date) -> list[Decimal]:
            return [row.due_amount for row in overdue_invoices(system(provider), day)]

        assert overdue(date(2026, 11, 17)) == []
        assert overdue(date(2026, 11, 18)) == [1]
        assert overdue(date(2026, 12, 17)) == [1, 2]


class TestAnInvoiceDetail:
    def test_says_everything_the_invoice_says(self, provider: Provider) -> None:
        make_tax_profile(provider, "19")
        customer = make_customer(provider)
        make_charge(customer, "50", description="Installation")
        volumes = {"billed_volume": 90, "included_volume": 40}
        make_usage(customer, "10", destination="Austria", call_count=7, **volumes)
        issue_run(provider)

        detail = invoice_detail(of_customer(customer), invoice_of(customer).pk)

        usage, one_time = detail.groups
        assert (usage.group, usage.net_amount) == ("USAGE", Decimal(10))
        assert (usage.lines[0].call_count, usage.lines[0].billed_volume) == (7, 90)
        assert usage.lines[0].included_volume == 40
        assert (one_time.group, one_time.lines[0].description) == ("ONE_TIME", "Installation")
        assert [(tax.percent, tax.base_amount, tax.tax_amount) for tax in detail.taxes] == [
            (Decimal(19), Decimal(60), Decimal("11.40"))
        ]
        assert (detail.number, detail.gross_amount) == ("INV-2026-000001", Decimal("71.40"))
