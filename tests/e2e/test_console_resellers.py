"""Resellers in a browser: the way through billing mode."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from resellers.models import BillingModeAssignment
from tenancy.models import Provider
from tests.e2e.visits import Visit
from tests.factories import (
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_staff,
)

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora Telecom")


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
