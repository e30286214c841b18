from http import HTTPStatus

import pytest
from django.test import Client

from catalogue.models import RateTable
from resellers.models import ResellerModule, Vendor
from tenancy.models import Provider
from tests.factories import (
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_staff,
    make_vendor,
)
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def table(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider))


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


class TestTheList:
    def test_shows_whose_they_are_and_what_they_charge(
        self, staff: Client, provider: Provider, table: RateTable
    ) -> None:
        make_vendor(table, make_reseller(provider, organisation="Rho"), name="Carrier One")
        make_vendor(make_rate_table(make_product(make_provider())), name="Foreign Carrier")

        text = page(staff, "/console/vendors/")

        assert "Carrier One" in text
        assert "Rho" in text
        assert table.name in text
        assert "Foreign Carrier" not in text

    def test_finds_by_name_and_state(self, staff: Client, table: RateTable) -> None:
        make_vendor(table, name="Carrier One")
        make_vendor(table, name="Carrier Two", state=Vendor.State.DISABLED)

        text = page(staff, "/console/vendors/?q=carrier&state=DISABLED")

        assert "Carrier Two" in text
        assert "Carrier One" not in text

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, provider: Provider, table: RateTable
    ) -> None:
        make_vendor(table, make_reseller(provider))
        few = query_count(staff, "/console/vendors/")
        for _ in range(20):
            make_vendor(table, make_reseller(provider))

        assert query_count(staff, "/console/vendors/") == few

    def test_stays_where_the_reseller_module_is_off(self, staff: Client, table: RateTable) -> None:
        make_vendor(table, name="Carrier One")
        ResellerModule.objects.update(is_enabled=False)

        assert "Carrier One" in page(staff, "/console/vendors/")


class TestAddingAVendor:
    PATH = "/console/vendors/new/"

    def test_makes_it_its_owners(self, staff: Client, provider: Provider, table: RateTable) -> None:
        owner = make_reseller(provider)

        staff.post(self.PATH, {"name": "Carrier", "rate_table": table.pk, "owner": owner.pk})

        vendor = Vendor.objects.get()
        assert (vendor.name, vendor.rate_table, vendor.owner) == ("Carrier", table, owner)

    @pytest.mark.parametrize("name", ["", "TAKEN"])
    def test_needs_a_name_of_its_own(self, staff: Client, table: RateTable, name: str) -> None:
        taken = make_vendor(table, name="Taken")

        text = refused(staff, self.PATH, name=name, rate_table=table.pk)

        assert 'id="id_name_error"' in text
        assert f'<option value="{table.pk}" selected>' in text
        assert Vendor.objects.get() == taken

    def test_takes_no_rate_table_of_another_provider(self, staff: Client) -> None:
        foreign = make_rate_table(make_product(make_provider()))

        text = refused(staff, self.PATH, name="Carrier", rate_table=foreign.pk)

        assert 'id="id_rate_table_error"' in text
        assert not Vendor.objects.exists()

    def test_is_refused_to_a_role_without_the_permission(
        self, provider: Provider, table: RateTable
    ) -> None:
        response = as_role(provider, "Finance").post(
            self.PATH, {"name": "Carrier", "rate_table": table.pk}
        )

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not Vendor.objects.exists()


class TestDisablingAVendor:
    def test_happens_when_that_is_confirmed(self, staff: Client, table: RateTable) -> None:
        vendor = make_vendor(table)
        disable = f"/console/vendors/{vendor.pk}/disable/"

        asked = page(staff, disable)
        confirm(staff, disable)

        vendor.refresh_from_db()
        assert "cannot be enabled again" in asked
        assert vendor.state == Vendor.State.DISABLED
