import html
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from catalogue.models import Catalogue, CatalogueItem, CatalogueVersion, Product, ProductKind
from catalogue.services.publishing import publish_catalogue
from common.clock import now
from tenancy.models import Provider
from tests.factories import (
    make_catalogue,
    make_product,
    make_provider,
    make_rate_table,
    make_staff,
)
from tests.web.account_centre.pages import words
from tests.web.console.pages import as_role, confirm, page, query_count, refused, seen

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
    return Catalogue.objects.create(provider=provider, name="Standard", created_at=now())


@pytest.fixture
def seat(provider: Provider) -> Product:
    return make_product(provider, ProductKind.RECURRING, name="Seat")


def path(catalogue: Catalogue, rest: str = "") -> str:
    return f"/console/catalogues/{catalogue.pk}/{rest}"


def make_item(catalogue: Catalogue, product: Product, price: str, **fields: Any) -> CatalogueItem:
    values = {"currency": "EUR", "price_period": "MONTH", "is_available": True}
    return CatalogueItem.objects.create(
        provider=catalogue.provider,
        catalogue=catalogue,
        product=product,
        price=Decimal(price),
        **values | fields,
    )


def sent(product: Product, **changes: object) -> dict[str, object]:
    return {
        "product": product.pk,
        "currency": "EUR",
        "price": "12.50",
        "price_period": "MONTH",
        "group": "Seats",
        "is_available": "on",
        "in_advance": "on",
        **changes,
    }


class TestTheDraft:
    def test_shows_every_item_with_its_price(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        make_item(catalogue, seat, "12.345", entry_proration=True)

        text = page(staff, path(catalogue))

        assert "Seat" in text
        assert '12.345 <span class="currency">EUR</span>' in text
        assert "Nothing is published yet" in text

    def test_says_how_much_is_not_published(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        item = make_item(catalogue, seat, "10")
        publish_catalogue(catalogue=catalogue, at=now(), actor_id=None)
        unchanged = page(staff, path(catalogue))
        CatalogueItem.objects.filter(pk=item.pk).update(price=Decimal(11))

        changed = page(staff, path(catalogue))

        assert "from version" not in unchanged
        assert "1 item differs from version 1" in changed

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, provider: Provider, catalogue: Catalogue, seat: Product
    ) -> None:
        make_item(catalogue, seat, "10")
        few = query_count(staff, path(catalogue))
        for _ in range(20):
            make_item(catalogue, make_product(provider, ProductKind.RECURRING), "10")

        assert query_count(staff, path(catalogue)) == few

    def test_offers_no_change_to_who_may_only_read(
        self, provider: Provider, catalogue: Catalogue, seat: Product
    ) -> None:
        make_item(catalogue, seat, "10")

        text = page(as_role(provider, "Read-only"), path(catalogue))

        assert "Seat" in text
        assert "/items/new/" not in text
        assert "/remove/" not in text
        assert "/publish/" not in text

    @pytest.mark.parametrize("tab", ["", "versions/", "customers/", "publish/", "items/new/"])
    def test_of_another_provider_does_not_exist(self, staff: Client, tab: str) -> None:
        foreign = make_catalogue(make_provider()).catalogue

        assert staff.get(path(foreign, tab)).status_code == HTTPStatus.NOT_FOUND

    def test_takes_no_post(self, staff: Client, catalogue: Catalogue) -> None:
        assert staff.post(path(catalogue)).status_code == HTTPStatus.METHOD_NOT_ALLOWED


class TestAddingAnItem:
    def test_takes_price_and_terms(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        staff.post(path(catalogue, "items/new/"), sent(seat, exit_proration="on"))

        item = CatalogueItem.objects.get()
        assert (item.product, item.price, item.group) == (seat, Decimal("12.50"), "Seats")
        assert (item.in_advance, item.entry_proration, item.exit_proration) == (True, False, True)

    def test_of_voice_takes_a_rate_table(
        self, staff: Client, provider: Provider, catalogue: Catalogue
    ) -> None:
        voice = make_product(provider)
        table = make_rate_table(voice)

        staff.post(
            path(catalogue, "items/new/"),
            sent(voice, price="", price_period="", rate_table=table.pk),
        )

        assert CatalogueItem.objects.get().rate_table == table

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"price": ""}, "price"),
            ({"price": "-1"}, "price"),
            ({"price": "1.123456789"}, "price"),
            ({"price_period": ""}, "price_period"),
            ({"price_period": "HOUR"}, "price_period"),
            ({"currency": "E1"}, "currency"),
            ({"product": ""}, "product"),
            ({"rate_table": "0"}, "rate_table"),
        ],
    )
    def test_with_bad_input_keeps_what_was_typed_and_writes_nothing(
        self,
        staff: Client,
        catalogue: Catalogue,
        seat: Product,
        wrong: dict[str, str],
        field: str,
    ) -> None:
        text = refused(staff, path(catalogue, "items/new/"), **sent(seat) | wrong)

        assert f'id="id_{field}_error"' in text
        assert 'value="Seats"' in text
        assert not CatalogueItem.objects.exists()

    def test_a_second_time_in_one_currency_is_refused(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        make_item(catalogue, seat, "10")

        text = refused(staff, path(catalogue, "items/new/"), **sent(seat))

        assert "already; change that" in text
        assert CatalogueItem.objects.get().price == 10

    def test_is_refused_to_a_role_without_the_permission(
        self, provider: Provider, catalogue: Catalogue, seat: Product
    ) -> None:
        response = as_role(provider, "Finance").post(path(catalogue, "items/new/"), sent(seat))

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not CatalogueItem.objects.exists()


class TestAnItem:
    def test_can_be_changed(self, staff: Client, catalogue: Catalogue, seat: Product) -> None:
        item = make_item(catalogue, seat, "10")

        form = page(staff, path(catalogue, f"items/{item.pk}/"))
        staff.post(path(catalogue, f"items/{item.pk}/"), sent(seat, price="11"))

        item.refresh_from_db()
        assert 'value="10"' in form
        assert item.price == 11

    def test_that_somebody_changed_meanwhile_is_shown_with_both_values(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        item = make_item(catalogue, seat, "10")
        change = path(catalogue, f"items/{item.pk}/")
        shown = seen(page(staff, change))
        CatalogueItem.objects.update(price=Decimal(12))

        text = refused(staff, change, **sent(seat, price="11"), seen=shown)

        item.refresh_from_db()
        assert item.price == 12
        at_field = text.split('id="id_price_error"')[1].split("</div>")[0]
        told = "Somebody made it '12': it was '10' when you saw it, and you wrote '11'."
        assert html.unescape(at_field).count(told) == 1
        assert "Somebody changed this item while you had it open." in text
        staff.post(change, sent(seat, price="11") | {"seen": seen(text)})
        item.refresh_from_db()
        assert item.price == 11

    def test_is_removed_when_that_is_confirmed(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        item = make_item(catalogue, seat, "10")
        remove = path(catalogue, f"items/{item.pk}/remove/")

        asked = page(staff, remove)
        confirm(staff, remove)

        assert '10.00 <span class="currency">EUR</span>' in asked
        assert not CatalogueItem.objects.exists()

    def test_of_another_catalogue_does_not_exist(
        self, staff: Client, provider: Provider, catalogue: Catalogue, seat: Product
    ) -> None:
        item = make_item(make_catalogue(provider).catalogue, seat, "10")

        response = staff.post(path(catalogue, f"items/{item.pk}/remove/"), {"_confirmed": "1"})

        assert response.status_code == HTTPStatus.NOT_FOUND
        assert CatalogueItem.objects.get() == item


class TestMultiplyingPrices:
    def test_states_them_first_and_happens_when_confirmed(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        item = make_item(catalogue, seat, "20")

        asked = staff.post(path(catalogue, "multiply/"), {"factor": "1.15"}).content.decode()
        before = CatalogueItem.objects.get().price
        confirm(staff, path(catalogue, "multiply/"), factor="1.15")

        item.refresh_from_db()
        assert '20.00 <span class="currency">EUR</span>' in asked
        assert '23.00 <span class="currency">EUR</span>' in asked
        assert before == 20
        assert item.price == 23

    def test_of_one_group_leaves_the_others(
        self, staff: Client, provider: Provider, catalogue: Catalogue, seat: Product
    ) -> None:
        make_item(catalogue, seat, "20", group="Seats")
        line = make_item(catalogue, make_product(provider, ProductKind.RECURRING), "5")

        confirm(staff, path(catalogue, "multiply/"), factor="0.9", group="Seats")

        line.refresh_from_db()
        assert CatalogueItem.objects.get(group="Seats").price == 18
        assert line.price == 5

    @pytest.mark.parametrize("factor", ["", "x", "0", "-1", "1.00000001"])
    def test_by_what_is_no_factor_is_refused(
        self, staff: Client, catalogue: Catalogue, seat: Product, factor: str
    ) -> None:
        item = make_item(catalogue, seat, "0.12345678")

        text = refused(staff, path(catalogue, "multiply/"), factor=factor)

        item.refresh_from_db()
        assert 'id="id_factor_error"' in text
        assert item.price == Decimal("0.12345678")


class TestPublishing:
    def test_states_the_differences_and_happens_when_confirmed(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        item = make_item(catalogue, seat, "10")
        publish_catalogue(catalogue=catalogue, at=now(), actor_id=None)
        CatalogueItem.objects.filter(pk=item.pk).update(price=Decimal("11.5"))

        asked = staff.post(path(catalogue, "publish/"), {}).content.decode()
        confirm(staff, path(catalogue, "publish/"))

        last = CatalogueVersion.objects.order_by("number").last()
        assert "11.5" in asked
        assert last is not None
        assert (last.number, last.effective_at) == (2, last.published_at)

    def test_states_the_price_of_what_comes_and_goes(
        self, staff: Client, catalogue: Catalogue, provider: Provider, seat: Product
    ) -> None:
        gone = make_item(catalogue, seat, "10")
        publish_catalogue(catalogue=catalogue, at=now(), actor_id=None)
        gone.delete()
        make_item(catalogue, make_product(provider, ProductKind.RECURRING), "12.5")

        asked = words(staff.post(path(catalogue, "publish/"), {}).content.decode())

        assert "removed 10.00 EUR a month \N{EN DASH}" in asked
        assert "added \N{EN DASH} 12.50 EUR a month" in asked

    def test_can_wait_for_an_instant(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        make_item(catalogue, seat, "10")

        confirm(staff, path(catalogue, "publish/"), effective_at="2099-01-01T00:00")

        assert CatalogueVersion.objects.get().effective_at.year == 2098  # in UTC
        assert "No version is in effect yet" in page(staff, path(catalogue, "versions/"))

    @pytest.mark.parametrize("effective_at", ["2020-01-01T00:00", "soon"])
    def test_in_the_past_is_refused(
        self, staff: Client, catalogue: Catalogue, seat: Product, effective_at: str
    ) -> None:
        make_item(catalogue, seat, "10")

        text = refused(
            staff, path(catalogue, "publish/"), effective_at=effective_at, _confirmed="1"
        )

        assert 'id="id_effective_at_error"' in text
        assert not CatalogueVersion.objects.exists()

    def test_of_nothing_is_refused(self, staff: Client, catalogue: Catalogue) -> None:
        text = refused(staff, path(catalogue, "publish/"), _confirmed="1")

        assert "has no items to publish" in text
        assert not CatalogueVersion.objects.exists()


class TestAVersion:
    def test_shows_what_changed_since_another(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        item = make_item(catalogue, seat, "10")
        for price in ("10", "11", "12"):
            CatalogueItem.objects.filter(pk=item.pk).update(price=Decimal(price))
            publish_catalogue(catalogue=catalogue, at=now(), actor_id=None)
        last = CatalogueVersion.objects.get(number=3)

        before = page(staff, f"/console/catalogues/versions/{last.pk}/")
        first = page(staff, f"/console/catalogues/versions/{last.pk}/?than=1")

        assert "Changes since version 2" in before
        assert "<td>price</td><td>11</td><td>12</td>" in before
        assert "<td>price</td><td>10</td><td>12</td>" in first

    def test_is_listed_with_the_one_in_effect(
        self, staff: Client, catalogue: Catalogue, seat: Product
    ) -> None:
        make_item(catalogue, seat, "10")
        version = publish_catalogue(catalogue=catalogue, at=now(), actor_id=None)

        text = page(staff, path(catalogue, "versions/"))

        assert f"/console/catalogues/versions/{version.pk}/" in text
        assert "is in effect" in text

    def test_of_another_provider_does_not_exist(self, staff: Client) -> None:
        version = make_catalogue(make_provider())

        response = staff.get(f"/console/catalogues/versions/{version.pk}/")

        assert response.status_code == HTTPStatus.NOT_FOUND
