from http import HTTPStatus

import pytest
from django.test import Client

from cdr.models import AllowanceCounter, Leg, Xdr
from tests.cdr.worlds import World, make_world
from tests.factories import make_billing_mode, make_customer, make_provider, make_source
from tests.factories.allowances import give_minutes
from tests.web.account_centre.pages import words
from tests.web.console.pages import as_role, page

pytestmark = pytest.mark.django_db
ROOT = "/console/price-a-call/"


@pytest.fixture
def world() -> World:
    world = make_world()
    make_billing_mode(world.sub, world.sub_table)
    return world


@pytest.fixture
def staff(world: World) -> Client:
    return as_role(world.provider, "Product")


def query(world: World, **fields: object) -> str:
    values: dict[str, object] = {
        "source": world.source.pk,
        "destination_number": "+49 30 12345678",
        "started_at": "2026-10-05T11:00",
        "volume": 120,
        "customer": world.carla.number,
    }
    pairs = "&".join(f"{name}={value}" for name, value in (values | fields).items())
    return f"{ROOT}?{pairs}".replace("+", "%2B").replace(" ", "%20")


class TestPriceACall:
    def test_shows_every_leg_with_its_reasons(self, staff: Client, world: World) -> None:
        text = words(page(staff, query(world)))

        for part in (
            "Customer leg: 0.10 EUR",
            "Reseller leg: 0.06 EUR",
            "Vendor leg: 0.04 EUR",
            "Number normalised 493012345678",
            "used",
        ):
            assert part in text

    def test_shows_what_is_left_to_each_party(self, staff: Client, world: World) -> None:
        text = words(page(staff, query(world)))

        assert f"{world.sub} 0.04 EUR" in text
        assert f"{world.root} 0.02 EUR" in text

    def test_tells_what_allowances_would_cover(self, staff: Client, world: World) -> None:
        give_minutes(world.carla, world.product, 90)

        text = words(page(staff, query(world)))

        assert "From allowance 1 min 30 s of Minutes, by what is left of it now" in text
        assert "Customer leg: 0.025 EUR" in text
        assert not AllowanceCounter.objects.exists()

    def test_knows_the_caller_by_what_the_switch_would_send(
        self, staff: Client, world: World
    ) -> None:
        text = words(page(staff, query(world, customer="", account_code="carla")))

        assert f"Customer {world.carla}" in text

    def test_says_what_would_wait_and_why(self, staff: Client, world: World) -> None:
        text = words(page(staff, query(world, customer="", account_code="nobody")))

        assert "It would wait in suspense: unknown customer" in text

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("customer", "999999", "No customer has this number."),
            ("volume", "-1", "greater than or equal to 0"),
            ("destination_number", "", "This field is required."),
            ("started_at", "yesterday", "valid"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self, staff: Client, world: World, field: str, value: str, message: str
    ) -> None:
        response = staff.get(query(world, **{field: value}))

        assert message in response.context["form"].errors[field][0]
        assert value in response.content.decode()
        assert "Customer leg" not in response.content.decode()

    def test_offers_nothing_of_another_provider(self, staff: Client, world: World) -> None:
        foreign = make_customer(make_provider(), number=4242)
        make_source(world.product, name="Own switch")

        response = staff.get(query(world, customer=foreign.number))

        assert response.context["form"].errors["customer"] == ["No customer has this number."]

    def test_writes_nothing(self, staff: Client, world: World) -> None:
        page(staff, query(world))

        assert not Xdr.objects.exists()
        assert not Leg.objects.exists()

    def test_is_not_sent_by_post(self, staff: Client) -> None:
        assert staff.post(ROOT).status_code == HTTPStatus.METHOD_NOT_ALLOWED
