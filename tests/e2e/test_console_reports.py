"""The console's first page and its reports in a browser: how they look, and down to a document."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from cdr.models import LegKind, PartyKind, Suspense, SuspenseReason
from common.clock import now
from reports.library import REPORTS
from tenancy.models import Provider
from tests.e2e.visits import Visit
from tests.factories import (
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_staff,
    make_vendor,
)
from tests.factories.billing import make_chunk, make_usage
from tests.factories.payouts import issue
from tests.reports.worlds import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
AUTUMN = "since=2026-09-01&until=2026-11-30"
DESTINATIONS = ("Germany", "Germany mobile", "France", "Austria", "Switzerland", "United Kingdom")


@pytest.fixture
def world() -> World:
    """Two months of trade, usage of it, something overdue and something that waits."""
    world = make_world("aurora", 1)
    for reseller, count in ((world.top, 5), (world.sub, 3), (world.other, 1)):
        for number in range(count):
            make_customer(
                world.provider, reseller, created_at=datetime(2026, 10, 2 + number, tzinfo=UTC)
            )
    issue(world.of_top, at=now() - timedelta(days=3))
    issue(world.direct, "420", "75.60", at=now() - timedelta(days=40), number="INV-LATE")
    carrier = make_vendor(make_rate_table(make_product(world.provider)), name="Carrier One")
    vendor = {"kind": LegKind.VENDOR, "payee_kind": PartyKind.VENDOR, "payee_id": carrier.pk}
    chunk = make_chunk(world.provider)
    for number, destination in enumerate(DESTINATIONS):
        called = {"destination": destination, "chunk": chunk, "day": date(2026, 10, 3 + number)}
        make_usage(world.of_sub, str(9 - number), call_count=40 - number, volume=7000, **called)
        make_usage(world.direct, str(4 + number), call_count=20, volume=2400, **called)
        make_usage(world.sub, str(6 - number), call_count=40, **called)
        make_usage(world.top, "2.50", call_count=40, billed_volume=7000, **vendor, **called)
    Suspense.objects.create(
        provider=world.provider,
        source=chunk.file.source,
        chunk=chunk,
        line_number=1,
        raw="",
        reason=SuspenseReason.UNRATED_CUSTOMER,
        detail="No rate for 882",
        estimated_amount=Decimal("3.40"),
        currency="EUR",
        created_at=now() - timedelta(days=3),
    )
    return world


class TestTheLooks:
    def test_of_the_first_page(self, visit: Visits, world: World) -> None:
        visit(make_staff(world.provider)).look_at("/console/", "console-home")

    def test_of_the_first_page_of_a_new_provider(self, visit: Visits) -> None:
        provider = make_provider(name="Borealis Networks")

        visit(make_staff(provider)).look_at("/console/", "console-home-new")

    def test_of_the_dashboard(self, visit: Visits, world: World) -> None:
        window = visit(make_staff(world.provider))

        window.look_at("/console/reports/", "console-reports")
        window.look_at(f"/console/reports/resellers/?{AUTUMN}", "console-reports-resellers")

    def test_of_every_report(self, visit: Visits, world: World) -> None:
        window = visit(make_staff(world.provider))

        for report in REPORTS:
            window.look_at(
                f"/console/reports/{report.name}/?{AUTUMN}", f"console-report-{report.name}"
            )


class TestDrillingDown:
    def test_goes_from_the_dashboard_to_the_credit_note(self, visit: Visits, world: World) -> None:
        page = visit(make_staff(world.provider)).open(f"/console/reports/resellers/?{AUTUMN}")

        page.get_by_role("link", name="Sales through resellers").click()
        page.get_by_label("Reseller", exact=True).select_option(label="Solstice")
        expect(page).to_have_url(re.compile(f"reseller={world.sub.pk}"))
        row = page.locator("#list .list-card").last.get_by_role("row").nth(1)
        row.get_by_role("link", name="100.00 EUR").click()

        expect(page).to_have_url(re.compile("/console/billing/credit-notes/"))
        expect(page.get_by_role("cell", name="100.00 EUR")).to_be_visible()

    def test_works_without_a_script(self, visit: Visits, world: World) -> None:
        window = visit(make_staff(world.provider, "Finance"), java_script_enabled=False)

        page = window.open("/console/reports/")
        page.get_by_role("link", name="Total reseller-driven sales").click()
        page.get_by_label("From", exact=True).fill("2026-10-01")
        page.get_by_label("To", exact=True).fill("2026-10-31")
        page.get_by_role("button", name="Apply").click()

        expect(page.get_by_text("1,700.00").first).to_be_visible()


class TestTwoProviders:
    def test_never_see_each_others_figures(self, visit: Visits, world: World) -> None:
        other: Provider = make_provider("borealis", name="Borealis")
        issue(make_customer(other), "12345", "0", at=now())

        page = visit(make_staff(world.provider)).open("/console/")
        expect(page.get_by_text("12,345.00")).to_have_count(0)
        page = visit(make_staff(other)).open("/console/")
        expect(page.get_by_text("12,345.00").first).to_be_visible()
