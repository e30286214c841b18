"""Customers in a browser: how the pages look, and the way through them without a script."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from customers.models import Customer
from tenancy.models import Provider
from tests.e2e.visits import Visit
from tests.factories import (
    make_customer,
    make_provider,
    make_reseller,
    make_staff,
)

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
NAMES = ["Nordwind Logistics GmbH", "Söhne & Töchter OHG", "Hafen Kontor", "Alpenglück AG"]


@pytest.fixture
def provider() -> Provider:
    provider = make_provider("aurora", name="Aurora Telecom")
    reseller = make_reseller(provider, organisation="Rho Partners")
    states = [Customer.State.ACTIVE, Customer.State.RESTRICTED, Customer.State.DISABLED]
    for serial in range(60):
        make_customer(
            provider,
            reseller if serial % 3 else None,
            organisation=f"{NAMES[serial % 4]} {serial + 1}",
            state=states[serial % 11 % 3],
            credit_limit=Decimal(1500),
        )
    return provider


class TestTheConsolesCustomers:
    def test_look_as_they_should(self, visit: Visits, provider: Provider) -> None:
        window = visit(make_staff(provider))

        window.look_at("/console/customers/?q=nobody", "console-customers-none")
        window.open("/console/customers/new/")
        window.page.get_by_role("button", name="Add customer").click()
        expect(window.page.get_by_text("This field is required.").first).to_be_visible()
        window.complaints.clear()  # Chromium reports the refusal (422) as an error
        window.look("console-customer-create-refused")

    def test_are_searched_while_one_types(self, visit: Visits, provider: Provider) -> None:
        window = visit(make_staff(provider))
        page = window.open("/console/customers/")

        page.get_by_role("searchbox").press_sequentially("hafen")

        expect(page.get_by_text("Nordwind")).to_have_count(0)
        expect(page.get_by_role("link", name="Hafen Kontor 3", exact=True)).to_be_visible()
        assert page.url.endswith("q=hafen&state=&reseller=&since=")
        expect(page.get_by_role("searchbox")).to_be_focused()
        assert window.complaints == []

    def test_are_paged_and_disabled_without_a_script(
        self, visit: Visits, provider: Provider
    ) -> None:
        page = visit(make_staff(provider), java_script_enabled=False).open("/console/customers/")

        page.get_by_role("link", name="Next").click()
        page.get_by_role("link", name="Nordwind Logistics GmbH 57").click()
        page.get_by_role("link", name="State").click()
        page.get_by_label("New state").select_option("TERMINATED")
        page.get_by_label("Reason").fill("Moved away")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("It ends for good")).to_be_visible()
        page.get_by_role("button", name="Change the state").click()

        expect(page.get_by_role("status")).to_contain_text("is terminated now")
        customer = Customer.objects.get(organisation="Nordwind Logistics GmbH 57")
        assert customer.state == Customer.State.TERMINATED

    def test_have_their_menu_behind_a_button_on_a_phone(
        self, visit: Visits, provider: Provider
    ) -> None:
        window = visit(make_staff(provider), java_script_enabled=False)
        window.page.set_viewport_size({"width": 390, "height": 844})
        page = window.open("/console/")

        customers = page.locator("#menu").get_by_role("link", name="Customers")
        expect(customers).to_be_hidden()
        page.get_by_role("button", name="Menu").click()
        customers.click()

        expect(page.get_by_role("heading", name="Customers")).to_be_visible()


class TestComponents:
    def test_look_as_they_should(self, visit: Visits, provider: Provider) -> None:
        window = visit(make_staff(provider))

        window.look_at("/console/_components/", "console-components")
        window.page.get_by_role("button", name="Reverse the payment").click()
        window.look("console-components-dialog")
