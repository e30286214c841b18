from http import HTTPStatus

import pytest
from django.test import Client

from catalogue.models import Catalogue, CatalogueItem, ProductKind
from customers.models import Customer
from tenancy.models import Provider
from tests.factories import (
    make_catalogue,
    make_customer,
    make_product,
    make_provider,
    make_staff,
)
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


@pytest.fixture
def catalogue(provider: Provider) -> Catalogue:
    return make_catalogue(provider, name="Wholesale prices").catalogue


def path(catalogue: Catalogue, rest: str = "") -> str:
    return f"/console/catalogues/{catalogue.pk}/{rest}"


class TestTheList:
    def test_counts_who_buys_from_each(
        self, staff: Client, provider: Provider, catalogue: Catalogue
    ) -> None:
        make_catalogue(provider, name="Standard", is_default=True)
        make_catalogue(make_provider(), name="Foreign", is_default=True)
        make_customer(provider, custom_catalogue=catalogue)
        make_customer(provider)
        make_customer(provider)

        text = page(staff, "/console/catalogues/?format=csv").splitlines()

        assert [line.split(",")[:4] for line in text[1:]] == [
            ["Standard", "True", "1", "2"],
            ["Wholesale prices", "False", "1", "1"],
        ]

    def test_finds_by_name_and_state(self, staff: Client, provider: Provider) -> None:
        make_catalogue(provider, name="Summer", is_enabled=False)
        make_catalogue(provider, name="Winter")

        text = page(staff, "/console/catalogues/?state=false")

        assert "Summer" in text
        assert "Winter" not in text

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, provider: Provider, catalogue: Catalogue
    ) -> None:
        few = query_count(staff, "/console/catalogues/")
        for _ in range(20):
            make_catalogue(provider)

        assert query_count(staff, "/console/catalogues/") == few


class TestAddingACatalogue:
    def test_can_be_the_default_one_once(self, staff: Client) -> None:
        staff.post("/console/catalogues/new/", {"name": "Standard", "is_default": "on"})

        assert Catalogue.objects.get().is_default
        assert "is_default" not in page(staff, "/console/catalogues/new/")

    def test_needs_a_name_of_its_own(self, staff: Client, catalogue: Catalogue) -> None:
        text = refused(staff, "/console/catalogues/new/", name="WHOLESALE PRICES")

        assert 'id="id_name_error"' in text
        assert 'value="WHOLESALE PRICES"' in text
        assert Catalogue.objects.get() == catalogue

    def test_is_refused_to_a_role_without_the_permission(self, provider: Provider) -> None:
        response = as_role(provider, "Finance").post("/console/catalogues/new/", {"name": "A"})

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not Catalogue.objects.exists()


class TestCloning:
    def test_copies_the_items_and_not_the_customers(
        self, staff: Client, provider: Provider, catalogue: Catalogue
    ) -> None:
        CatalogueItem.objects.create(
            provider=provider,
            catalogue=catalogue,
            product=make_product(provider, ProductKind.ONE_TIME),
            currency="EUR",
            price=10,
        )
        make_customer(provider, custom_catalogue=catalogue)

        staff.post(path(catalogue, "clone/"), {"name": "Copy"})

        clone = Catalogue.objects.get(name="Copy")
        assert clone.items.get().price == 10
        assert not Customer.objects.filter(custom_catalogue=clone).exists()


class TestDisabling:
    def test_happens_when_that_is_confirmed(self, staff: Client, catalogue: Catalogue) -> None:
        confirm(staff, path(catalogue, "disable/"))

        catalogue.refresh_from_db()
        assert not catalogue.is_enabled
        assert path(catalogue, "publish/") not in page(staff, path(catalogue))

    def test_of_the_default_one_is_refused(self, staff: Client, provider: Provider) -> None:
        default = make_catalogue(provider, is_default=True).catalogue

        text = refused(staff, path(default, "disable/"), _confirmed="1")

        default.refresh_from_db()
        assert "stays enabled" in text
        assert default.is_enabled

    def test_is_undone_by_enabling(self, staff: Client, provider: Provider) -> None:
        catalogue = make_catalogue(provider, is_enabled=False).catalogue

        confirm(staff, path(catalogue, "enable/"))

        catalogue.refresh_from_db()
        assert catalogue.is_enabled


class TestAssigning:
    def test_asks_who_has_another_catalogue(
        self, staff: Client, provider: Provider, catalogue: Catalogue
    ) -> None:
        other = make_catalogue(provider, name="Old prices").catalogue
        customer = make_customer(provider, custom_catalogue=other)

        asked = staff.post(path(catalogue, "assign/"), {"customer": customer.number})
        before = Customer.objects.get().custom_catalogue
        confirm(staff, path(catalogue, "assign/"), customer=customer.number)

        text = asked.content.decode()
        assert "It buys from Old prices at present" in text
        assert "button-danger" in text
        assert before == other
        assert Customer.objects.get().custom_catalogue == catalogue

    def test_shows_who_has_it(
        self, staff: Client, provider: Provider, catalogue: Catalogue
    ) -> None:
        make_customer(provider, organisation="Nordwind", custom_catalogue=catalogue)
        make_customer(provider, organisation="Suedsee")

        text = page(staff, path(catalogue, "customers/"))

        assert "Nordwind" in text
        assert "Suedsee" not in text

    @pytest.mark.parametrize("number", ["", "x", "999999"])
    def test_needs_a_customer(self, staff: Client, catalogue: Catalogue, number: str) -> None:
        make_customer(make_provider(), number=999999)

        text = refused(staff, path(catalogue, "assign/"), customer=number)

        assert 'id="id_customer_error"' in text

    def test_of_a_disabled_catalogue_is_refused(self, staff: Client, provider: Provider) -> None:
        disabled = make_catalogue(provider, is_enabled=False).catalogue
        customer = make_customer(provider)

        text = refused(staff, path(disabled, "assign/"), customer=customer.number, _confirmed="1")

        customer.refresh_from_db()
        assert "is disabled" in text
        assert customer.custom_catalogue is None

    def test_is_refused_to_a_role_without_the_permission(
        self, provider: Provider, catalogue: Catalogue
    ) -> None:
        customer = make_customer(provider)

        response = as_role(provider, "Product").post(
            path(catalogue, "assign/"), {"customer": customer.number, "_confirmed": "1"}
        )

        customer.refresh_from_db()
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert customer.custom_catalogue is None
