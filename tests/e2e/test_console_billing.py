"""Customers' tabs, bill runs and sources in a browser: how they look, and choosing estimates."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from billing.models import BillRun, Invoice
from billing.services.credit_notes import credit_amount
from common.clock import now
from common.periods import month
from customers.models import Customer
from tenancy.models import Provider
from tests.e2e.visits import Visit
from tests.factories import (
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_source,
    make_staff,
    make_tax_profile,
    make_trunk,
    make_vendor,
)
from tests.factories.billing import (
    calculate_run,
    invoice_of,
    issue_run,
    item_ids,
    make_chunk,
    make_usage,
)
from tests.payments.books import pay_offline

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
NAMES = ["Nordwind Logistics GmbH", "Soehne & Toechter OHG", "Hafen Kontor", "Alpenglueck AG"]
DESTINATIONS = ["Germany mobile", "Austria fixed", "Spain mobile Movistar"]


@pytest.fixture
def provider() -> Provider:
    provider = make_provider("aurora", name="Aurora Telecom")
    make_tax_profile(provider, "19")
    return provider


@pytest.fixture
def customers(provider: Provider) -> list[Customer]:
    """Four customers, billed for September, with usage of October."""
    found = [make_customer(provider, organisation=name) for name in NAMES]
    chunk = make_chunk(provider)
    for place, customer in enumerate(found, start=1):
        make_usage(customer, str(40 * place), chunk=chunk, day=date(2026, 9, 15))
    issue_run(provider, month(2026, 9))
    for place, customer in enumerate(found, start=1):
        for day in range(1, 32, 2):
            make_usage(
                customer,
                str(Decimal(day * 7 % 11 * place) / 4),
                chunk=chunk,
                day=date(2026, 10, day),
                destination=DESTINATIONS[day % 3],
                call_count=day % 5 + 1,
            )
    return found


class TestACustomersTabs:
    def test_look_as_they_should(
        self, visit: Visits, provider: Provider, customers: list[Customer]
    ) -> None:
        customer = customers[1]
        boss = make_staff(provider, email="boss@aurora.example")
        pay_offline(customer, "60.00", reference="TRF-77", actor_id=boss.pk)
        credit_amount(
            invoice_id=invoice_of(customer).pk,
            gross_amount=Decimal(10),
            reason="A fault on the line",
            at=now(),
            actor_id=boss.pk,
        )
        window = visit(boss)
        root = f"/console/customers/{customer.pk}/"

        window.look_at(f"{root}usage/?month=2026-10", "console-customer-usage")
        window.look_at(f"{root}payments/", "console-customer-payments")
        window.look_at(f"{root}credit-notes/", "console-customer-credit-notes")
        window.look_at(f"{root}activity/", "console-customer-activity")
        window.look_at(f"{root}billing-terms/", "console-customer-billing-terms")


class TestABillRun:
    def test_looks_as_it_should(
        self, visit: Visits, provider: Provider, customers: list[Customer]
    ) -> None:
        run = calculate_run(provider)
        run.items.filter(pk=item_ids(run)[3]).update(state="FAILED", error="No rate for USD.")
        window = visit(make_staff(provider, "Finance"))
        root = f"/console/billing/runs/{run.pk}/"

        window.look_at("/console/billing/runs/new/", "console-bill-run-create")
        window.look_at(root, "console-bill-run-review")
        window.look_at(f"{root}estimates/", "console-bill-run-estimates")
        window.look_at(f"{root}discard/", "console-bill-run-discard")
        estimate = Invoice.objects.filter(state="ESTIMATE").first()
        assert estimate is not None
        window.look_at(f"/console/billing/estimates/{estimate.pk}/", "console-estimate")
        window.look_at("/console/billing/invoices/?period=2026-09", "console-invoices")
        run.items.filter(pk=item_ids(run)[0]).update(state="WAITING")
        since: datetime = now() - timedelta(seconds=90)
        BillRun.objects.filter(pk=run.pk).update(state="CALCULATING", started_at=since)
        window.look_at(root, "console-bill-run-calculating")

    def test_is_approved_in_part_without_a_script(
        self, visit: Visits, provider: Provider, customers: list[Customer]
    ) -> None:
        run = calculate_run(provider)
        staff = make_staff(provider, "Finance")
        page = visit(staff, java_script_enabled=False).open(f"/console/billing/runs/{run.pk}/")

        page.get_by_role("link", name="Choose estimates").click()
        page.get_by_label("Choose Hafen Kontor").check()
        page.get_by_label("Choose Nordwind Logistics GmbH").check()
        page.get_by_role("button", name="Approve the chosen").click()
        expect(page.get_by_role("heading", name="Approve the estimates of 2")).to_be_visible()
        page.get_by_role("button", name="Approve", exact=True).click()

        expect(page.get_by_role("status")).to_contain_text("estimates of 2 payers are approved")
        assert run.items.filter(state="APPROVED").count() == 2
        assert run.items.filter(state="ESTIMATED").count() == 2


class TestSources:
    def test_look_as_they_should(self, visit: Visits, provider: Provider) -> None:
        product = make_product(provider, name="Voice")
        vendor = make_vendor(make_rate_table(product), name="Tailwind")
        source = make_source(product, vendor, name="Berlin switch")
        make_trunk(source, vendor, "77")
        make_source(product, name="Retired switch", is_enabled=False)
        window = visit(make_staff(provider))

        window.look_at("/console/usage/sources/", "console-sources")
        window.look_at(f"/console/usage/sources/{source.pk}/", "console-source-edit")
        window.look_at("/console/usage/sources/new/", "console-source-create")
