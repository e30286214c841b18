"""Resellers and catalogues in a browser: how the pages look, and the way through billing mode."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from catalogue.models import Catalogue, CatalogueItem, ProductKind
from catalogue.services.items import multiply_prices
from catalogue.services.publishing import publish_catalogue
from resellers.models import BillingModeAssignment, Reseller
from resellers.services.codes import create_code
from tenancy.models import Provider
from tests.e2e.visits import Visit
from tests.factories import (
    make_billing_mode,
    make_code,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_reseller_user,
    make_staff,
    make_vendor,
)

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
NAMES = ["Meridian Partners", "Solstice Connect GmbH & Co. KG", "Zenith Süd"]


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora Telecom")


@pytest.fixture
def reseller(provider: Provider) -> Reseller:
    """The middle one of three levels, with codes, customers, users and billing mode."""
    top = make_reseller(provider, organisation=NAMES[0], number=1)
    middle = make_reseller(provider, top, organisation=NAMES[1], number=2)
    make_reseller(provider, middle, organisation=NAMES[2], number=3, state="DISABLED")
    make_code(middle, "SOLSTICE-SPRING", campaign="Spring fair")
    for _ in range(5):
        make_customer(provider, middle)
    make_reseller_user(middle, email="vera@solstice.example")
    create_code(reseller=middle, code="SUMMER", at=AT, actor_id=None)
    table = make_rate_table(make_product(provider, name="Calls"), {"49": "0.03"}, name="Wholesale")
    make_billing_mode(middle, table)
    make_vendor(table, middle, name="Carrier One")
    make_vendor(table, name="Carrier Two", state="DISABLED")
    return middle


@pytest.fixture
def catalogue(provider: Provider) -> Catalogue:
    """Published twice, with a change that is not published."""
    catalogue = Catalogue.objects.create(
        provider=provider, name="Standard", is_default=True, created_at=AT
    )
    for name, price in (("Seat", "12.5"), ("Number", "1.99"), ("Fax", "4")):
        CatalogueItem.objects.create(
            provider=provider,
            catalogue=catalogue,
            product=make_product(provider, ProductKind.RECURRING, name=name),
            currency="EUR",
            price=Decimal(price),
            price_period="MONTH",
            group="Telephony",
        )
    for _ in range(2):
        publish_catalogue(catalogue=catalogue, at=AT, actor_id=None)
        multiply_prices(catalogue=catalogue, factor=Decimal("1.1"), at=AT, actor_id=None)
    Catalogue.objects.create(provider=provider, name="Partners", is_enabled=False, created_at=AT)
    return catalogue


class TestTheLooks:
    def test_of_resellers(self, visit: Visits, provider: Provider, reseller: Reseller) -> None:
        window = visit(make_staff(provider))
        of_it = f"/console/resellers/{reseller.pk}/"

        window.look_at("/console/resellers/", "console-resellers")
        window.look_at("/console/resellers/tree/", "console-reseller-tree")
        window.look_at("/console/resellers/new/", "console-reseller-create")
        window.look_at("/console/vendors/", "console-vendors")
        window.look_at("/console/vendors/new/", "console-vendor-create")
        window.look_at(of_it, "console-reseller")
        for tab in ("customers", "codes", "billing-mode", "wholesale", "users", "history"):
            window.look_at(f"{of_it}{tab}/", f"console-reseller-{tab}")
        window.look_at(f"{of_it}commission/", "console-reseller-commission")
        window.look_at(f"{of_it}disable/", "console-reseller-disable")
        window.look_at(f"{of_it}billing-mode/new/", "console-reseller-billing-mode-assign")

    def test_of_catalogues(self, visit: Visits, provider: Provider, catalogue: Catalogue) -> None:
        window = visit(make_staff(provider))
        of_it = f"/console/catalogues/{catalogue.pk}/"

        window.look_at("/console/products/", "console-products")
        window.look_at("/console/products/new/", "console-product-create")
        window.look_at("/console/catalogues/", "console-catalogues")
        window.look_at(of_it, "console-catalogue")
        window.look_at(f"{of_it}versions/", "console-catalogue-versions")
        window.look_at(f"{of_it}items/new/", "console-catalogue-item-add")
        window.look_at(f"{of_it}publish/", "console-catalogue-publish")
        last = catalogue.versions.order_by("number").last()
        assert last is not None
        window.look_at(f"/console/catalogues/versions/{last.pk}/", "console-catalogue-version")


class TestBillingMode:
    def test_warns_and_is_assigned_without_a_script(
        self, visit: Visits, provider: Provider
    ) -> None:
        reseller = make_reseller(provider)
        table = make_rate_table(make_product(provider), {"49": "0.03"}, name="Wholesale")
        window = visit(make_staff(provider), java_script_enabled=False)

        page = window.open(f"/console/resellers/{reseller.pk}/billing-mode/new/")
        page.get_by_label("Rate table", exact=True).select_option(label=str(table))
        page.get_by_label("Calls between its own customers").select_option("EVERY_CALL")
        page.get_by_label("From").fill("2026-12-01T00:00")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("What they would have cost it")).to_be_visible()
        page.get_by_role("button", name="Assign").click()

        expect(page.get_by_text("Every call")).to_be_visible()
        assert BillingModeAssignment.objects.get().policy == "EVERY_CALL"
