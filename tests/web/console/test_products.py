from http import HTTPStatus

import pytest
from django.test import Client

from catalogue.models import Product, ProductKind
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_staff
from tests.web.console.pages import as_role, page, query_count, refused

pytestmark = pytest.mark.django_db
PATH = "/console/products/new/"
NEW = {"code": "pbx", "name": "Office telephony", "kind": "RECURRING"}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


class TestTheList:
    def test_finds_by_name_and_kind(self, staff: Client, provider: Provider) -> None:
        make_product(provider, ProductKind.RECURRING, name="Seat")
        make_product(provider, name="Seat calls")
        make_product(make_provider(), name="Seat elsewhere")

        text = page(staff, "/console/products/?q=seat&kind=VOICE")

        assert "Seat calls" in text
        assert '<td data-label="Name" >Seat</td>' not in text
        assert "Seat elsewhere" not in text

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, provider: Provider
    ) -> None:
        make_product(provider)
        few = query_count(staff, "/console/products/")
        for _ in range(20):
            make_product(provider)

        assert query_count(staff, "/console/products/") == few


class TestAddingAProduct:
    def test_makes_it(self, staff: Client) -> None:
        response = staff.post(PATH, NEW)

        product = Product.objects.get()
        assert response.headers["Location"] == "/console/products/"
        assert (product.code, product.kind) == ("pbx", ProductKind.RECURRING)

    def test_of_voice_is_rated_per_minute_of_seconds(self, staff: Client) -> None:
        staff.post(PATH, {**NEW, "kind": "VOICE"})

        product = Product.objects.get()
        assert (product.rating_unit, product.volume_unit) == ("minute", "second")

    def test_of_what_is_metered_has_units_of_its_own(self, staff: Client) -> None:
        units = {"rating_unit": "GB", "volume_unit": "MB"}
        staff.post(PATH, {**NEW, "kind": "METERED", **units})

        product = Product.objects.get()
        assert (product.kind, product.rating_unit, product.volume_unit) == ("METERED", "GB", "MB")

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"code": "TAKEN"}, "choose another code"),
            ({"name": ""}, "This field is required."),
            ({"kind": "WEEKLY"}, "Select a valid choice."),
            ({"rating_unit": "minute"}, "have units"),
        ],
    )
    def test_with_bad_input_keeps_what_was_typed_and_writes_nothing(
        self, staff: Client, provider: Provider, wrong: dict[str, str], message: str
    ) -> None:
        taken = make_product(provider, code="taken")

        text = refused(staff, PATH, **NEW | {"description": "Seats and numbers"} | wrong)

        [field] = wrong
        assert message in text
        assert f'id="id_{field}_error"' in text
        assert "Seats and numbers" in text
        assert Product.objects.get() == taken

    def test_is_refused_to_a_role_without_the_permission(self, provider: Provider) -> None:
        response = as_role(provider, "Finance").post(PATH, NEW)

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not Product.objects.exists()
