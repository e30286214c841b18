import html
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client

from catalogue.models import CatalogueItem, CatalogueItemAllowance, Product, ProductKind
from catalogue.services.publishing import publish_catalogue
from common.clock import now
from tenancy.models import Provider
from tests.factories import make_catalogue, make_product, make_provider, make_staff
from tests.factories.catalogue import make_item_allowance
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
def calls(provider: Provider) -> Product:
    return make_product(provider, name="Calls")


@pytest.fixture
def seat(provider: Provider) -> CatalogueItem:
    return CatalogueItem.objects.create(
        provider=provider,
        catalogue=make_catalogue(provider).catalogue,
        product=make_product(provider, ProductKind.RECURRING, name="Seat"),
        currency="EUR",
        price=Decimal(10),
        price_period="MONTH",
    )


def path(item: CatalogueItem, rest: str = "") -> str:
    return f"/console/catalogues/{item.catalogue_id}/items/{item.pk}/allowances/{rest}"


def sent(product: Product, **changes: object) -> dict[str, object]:
    return {
        "name": "Europe",
        "usage_product": product.pk,
        "volume": "100",
        "unit": "minute",
        "destinations": "440-442, 49",
        "sharing": "POOLED",
        "priority": "3",
        "rolls_over": "on",
        **changes,
    }


class TestTheList:
    def test_shows_what_the_item_includes(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        terms = {"destinations": ["49", "440", "441", "442"], "sharing": "OWN", "rolls_over": True}
        make_item_allowance(seat, calls, name="Europe", volume=5_930, **terms)

        text = words(page(staff, path(seat)))

        assert "Europe Calls 98 min 50 s own 1 49, 440-442 once" in text

    def test_is_on_the_draft_too(self, staff: Client, seat: CatalogueItem, calls: Product) -> None:
        make_item_allowance(seat, calls, name="Europe", destinations=["49"])

        text = page(staff, f"/console/catalogues/{seat.catalogue_id}/")

        assert "Europe: 100 min" in text
        assert path(seat) in text

    def test_offers_no_change_to_who_may_only_read(
        self, provider: Provider, seat: CatalogueItem, calls: Product
    ) -> None:
        make_item_allowance(seat, calls, name="Europe")

        text = page(as_role(provider, "Read-only"), path(seat))

        assert "Europe" in text
        assert "/new/" not in text
        assert "/remove/" not in text

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        make_item_allowance(seat, calls)
        few = query_count(staff, path(seat))
        for _ in range(20):
            make_item_allowance(seat, calls)

        assert query_count(staff, path(seat)) == few

    def test_takes_no_post(self, staff: Client, seat: CatalogueItem) -> None:
        assert staff.post(path(seat)).status_code == HTTPStatus.METHOD_NOT_ALLOWED


class TestAdding:
    def test_keeps_the_terms_in_volume_units(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        response = staff.post(path(seat, "new/"), sent(calls))

        assert response.headers["Location"] == path(seat)
        row = CatalogueItemAllowance.objects.get()
        assert (row.item, row.name, row.usage_product) == (seat, "Europe", calls)
        assert (row.volume, row.priority, row.rolls_over) == (6_000, 3, True)
        assert (row.sharing, row.destinations) == ("POOLED", ["49", "440", "441", "442"])

    def test_of_traffic_takes_gigabytes(
        self, staff: Client, provider: Provider, seat: CatalogueItem
    ) -> None:
        metered = {"rating_unit": "GB", "volume_unit": "kB"}
        traffic = make_product(provider, ProductKind.METERED, name="Traffic", **metered)

        staff.post(path(seat, "new/"), sent(traffic, volume="1.5", unit="GB", destinations=""))

        row = CatalogueItemAllowance.objects.get()
        assert (row.volume, row.destinations) == (1_500_000, [])
        assert "1.5 GB" in page(staff, path(seat))

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("name", "", "This field is required"),
            ("usage_product", "999999999", "Select a valid choice"),
            ("volume", "0", "more than nothing"),
            ("volume", "-1", "greater than or equal to 0"),
            ("volume", "a lot", "Enter a number"),
            ("unit", "GB", "cannot be given in GB"),
            ("destinations", "+49", "Not understood"),
            ("destinations", "4930-493", "differ in length"),
            ("priority", "1000", "less than or equal to 999"),
            ("sharing", "EVERYBODY", "Select a valid choice"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self,
        staff: Client,
        seat: CatalogueItem,
        calls: Product,
        field: str,
        value: str,
        told: str,
    ) -> None:
        text = refused(staff, path(seat, "new/"), **sent(calls, **{field: value}))

        assert f'id="id_{field}_error"' in text
        assert told in text
        assert not CatalogueItemAllowance.objects.exists()

    def test_refuses_what_is_no_whole_number_of_seconds(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        text = refused(staff, path(seat, "new/"), **sent(calls, volume="0.01"))

        assert 'id="id_unit_error"' in text
        assert "0.01 minute is not a whole number of second" in text

    def test_refuses_a_name_twice(self, staff: Client, seat: CatalogueItem, calls: Product) -> None:
        make_item_allowance(seat, calls, name="europe")

        text = refused(staff, path(seat, "new/"), **sent(calls))

        assert 'id="id_name_error"' in text
        assert CatalogueItemAllowance.objects.count() == 1

    def test_offers_usage_of_its_own_provider_only(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        foreign = make_product(make_provider(), name="Foreign calls")

        text = page(staff, path(seat, "new/"))

        assert "Calls" in text
        assert "Foreign calls" not in text
        assert ">Seat</option>" not in text
        refused(staff, path(seat, "new/"), **sent(foreign))

    def test_is_refused_to_who_may_only_read(
        self, provider: Provider, seat: CatalogueItem, calls: Product
    ) -> None:
        response = as_role(provider, "Finance").post(path(seat, "new/"), sent(calls))

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not CatalogueItemAllowance.objects.exists()


class TestChanging:
    def test_that_somebody_changed_meanwhile_is_shown_with_both_values(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        row = make_item_allowance(seat, calls, name="Europe", volume=6_000)
        change = path(seat, f"{row.pk}/")
        shown = seen(page(staff, change))
        CatalogueItemAllowance.objects.update(volume=90, destinations=["44"])

        text = refused(staff, change, **sent(calls, volume="200"), seen=shown)

        row.refresh_from_db()
        assert row.volume == 90
        at_field = html.unescape(text.split('id="id_volume_error"')[1].split("</div>")[0])
        told = "Somebody made it '90 second': it was '100 minute' when you saw it, and you wrote"
        assert f"{told} '200 minute'." in at_field
        assert "Somebody changed this allowance while you had it open." in text
        staff.post(change, sent(calls, volume="200") | {"seen": seen(text)})
        row.refresh_from_db()
        assert row.volume == 12_000

    def test_begins_with_what_is_there(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        row = make_item_allowance(seat, calls, destinations=["49", "440", "441", "442"])

        text = page(staff, path(seat, f"{row.pk}/"))

        assert 'value="100"' in text
        assert '<option value="minute" selected' in text
        assert "49, 440-442" in text

    def test_keeps_what_was_sent(self, staff: Client, seat: CatalogueItem, calls: Product) -> None:
        row = make_item_allowance(seat, calls)

        response = staff.post(
            path(seat, f"{row.pk}/"), sent(calls, volume="90", unit="second", rolls_over="")
        )

        assert response.headers["Location"] == path(seat)
        row.refresh_from_db()
        assert (row.name, row.volume, row.rolls_over) == ("Europe", 90, False)

    def test_of_another_item_or_provider_does_not_exist(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        other = make_provider()
        item = CatalogueItem.objects.create(
            provider=other,
            catalogue=make_catalogue(other).catalogue,
            product=make_product(other, ProductKind.RECURRING),
            currency="EUR",
            price=Decimal(10),
            price_period="MONTH",
        )
        foreign = make_item_allowance(item, make_product(other))

        for rest in (f"{foreign.pk}/", f"{foreign.pk}/remove/"):
            assert staff.get(path(seat, rest)).status_code == HTTPStatus.NOT_FOUND
            assert staff.post(path(item, rest)).status_code == HTTPStatus.NOT_FOUND


class TestRemoving:
    def test_says_what_goes_and_takes_it_away(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        row = make_item_allowance(seat, calls, name="Europe")
        url = path(seat, f"{row.pk}/remove/")

        assert "Europe: 100 min of Calls a month" in page(staff, url)
        confirm(staff, url)

        assert not CatalogueItemAllowance.objects.exists()


class TestVersions:
    def test_show_what_they_include_and_what_changed(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        publish_catalogue(catalogue=seat.catalogue, at=now(), actor_id=None)
        row = make_item_allowance(seat, calls, name="Europe")
        url = f"/console/catalogues/{seat.catalogue_id}/"
        assert "1 item differs from version" in page(staff, url)
        second = publish_catalogue(catalogue=seat.catalogue, at=now(), actor_id=None)
        CatalogueItemAllowance.objects.filter(pk=row.pk).update(volume=9_000, sharing="POOLED")
        third = publish_catalogue(catalogue=seat.catalogue, at=now(), actor_id=None)

        added = words(page(staff, f"/console/catalogues/versions/{second.pk}/"))
        changed = words(page(staff, f"/console/catalogues/versions/{third.pk}/"))
        listed = words(page(staff, f"/console/catalogues/versions/{third.pk}/allowances/"))

        whole = "Europe: 100 min of Calls, shared, priority 1"
        assert f"Seat, EUR allowance added \N{EN DASH} {whole}" in added
        assert "Seat, EUR Europe: volume 100 min 150 min" in changed
        assert "Seat, EUR Europe: for shared pooled" in changed
        assert "Seat EUR Europe Calls 150 min pooled 1 all no" in listed

    def test_are_reviewed_with_it_before_they_are_published(
        self, staff: Client, seat: CatalogueItem, calls: Product
    ) -> None:
        make_item_allowance(seat, calls, name="Europe")

        response = staff.post(f"/console/catalogues/{seat.catalogue_id}/publish/", {})

        assert "Europe: 100 min of Calls, shared, priority 1" in response.content.decode()
