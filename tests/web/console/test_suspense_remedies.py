"""What ends the cause of suspense: a customer for a name, a trunk for a tech prefix."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from cdr.models import Mending, Source, Suspense, Xdr
from tests.cdr.worlds import World, make_world
from tests.factories import (
    make_staff,
    make_trunk,
)
from tests.factories.cdr import Call, import_lines
from tests.factories.mending import mend, worked_on
from tests.web.console.pages import as_role, confirm, page, refused
from tests.web.console.suspense import SUSPENSE

pytestmark = pytest.mark.django_db


class TestGivingToACustomer:
    def test_names_the_customer_and_tries_again(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="K-17"), Call(account="K-17")])
        row = Suspense.objects.order_by("pk").first()
        assert row is not None

        path = f"{SUSPENSE}{row.pk}/give/"
        assert "Give account code K-17 to a customer" in page(staff, path)
        question = staff.post(path, {"customer": world.carla.number}).content.decode()
        assert 'Rows</td><td class="number">2' in question
        assert not world.carla.identifiers.filter(value="K-17").exists()
        confirm(staff, path, customer=world.carla.number)
        mending = worked_on(Mending.objects.get())

        assert mending.freed_count == 2
        assert world.carla.identifiers.filter(value="K-17").exists()

    def test_by_who_may_not_try_again_leaves_that_to_others(self, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])
        path = f"{SUSPENSE}{Suspense.objects.get().pk}/give/"
        clerk = as_role(world.provider, "Accounts & Orders")

        text = page(clerk, path)
        led_to = confirm(clerk, path, customer=world.carla.number)

        assert "what waits for it once somebody who may tries it again" in text
        assert "Give it and try again" not in text
        assert led_to == reverse("console_identifiers", kwargs={"customer_id": world.carla.pk})
        assert not Mending.objects.exists()

    def test_says_nothing_of_what_was_not_done(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])
        path = f"{SUSPENSE}{Suspense.objects.get().pk}/give/"
        mend(world.provider, Mending.Kind.DISCARD, note="A test call.")

        text = refused(staff, path, customer=world.carla.number, _confirmed="1")

        assert "Nothing of it waits any more." in text
        assert "from now on." not in text.replace("to this customer from now on", "")
        assert not world.carla.identifiers.filter(value="K-17").exists()

    def test_refuses_a_customer_that_there_is_not(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])

        path = f"{SUSPENSE}{Suspense.objects.get().pk}/give/"
        response = staff.post(path, {"customer": "99999"})

        assert "There is no customer of this number." in response.content.decode()
        assert not Mending.objects.exists()

    def test_is_only_of_what_could_name_one(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk"])

        answer = staff.get(f"{SUSPENSE}{Suspense.objects.get().pk}/give/")

        assert answer.status_code == HTTPStatus.NOT_FOUND


class TestAddingATrunk:
    @pytest.fixture
    def waiting(self, world: World) -> str:
        """Two calls that wait for the vendor of a tech prefix, and one of another."""
        world.source.default_vendor = None
        world.source.save(update_fields=["default_vendor"])
        world.default_table().rates.update(prefix="44")
        make_trunk(world.source, world.vendor, "66")
        numbers = ("7701442012345678", "7701442012345679", "8801442012345678")
        import_lines(world.source, [Call(account="carla", to=number) for number in numbers])
        row = Suspense.objects.filter(subject="7701").order_by("pk")[0]
        return f"{SUSPENSE}{row.pk}/trunk/"

    def test_begins_with_what_was_dialled_and_is_led_to_from_the_group(
        self, staff: Client, waiting: str
    ) -> None:
        group_of = f"reason=unknown_vendor&subject=7701&source={Source.objects.get().pk}"

        assert waiting in page(staff, f"{SUSPENSE}rows/?{group_of}")
        assert 'value="7701"' in page(staff, waiting)

    def test_says_how_much_it_concerns_then_tries_that_again(
        self, staff: Client, world: World, waiting: str
    ) -> None:
        sent = {"tech_prefix": "7701", "vendor": world.vendor.pk, "tags": "premium"}

        question = staff.post(waiting, sent).content.decode()
        assert 'Rows</td><td class="number">2' in question
        assert "66 " in question
        assert not Mending.objects.exists()
        assert world.source.trunks.count() == 1
        confirm(staff, waiting, **sent)
        mending = worked_on(Mending.objects.get())

        assert (mending.freed_count, mending.row_count) == (2, 2)
        assert sorted(world.source.trunks.values_list("tech_prefix", "vendor_id", "tags")) == [
            ("66", world.vendor.pk, ""),
            ("7701", world.vendor.pk, "premium"),
        ]
        rated = Xdr.objects.filter(result=Xdr.Result.RATED)
        assert set(rated.values_list("vendor_id", "normalised_number")) == {
            (world.vendor.pk, "442012345678"),
            (world.vendor.pk, "442012345679"),
        }
        entry = Entry.objects.get(action="source.edited")
        assert entry.before is not None
        assert entry.before["trunks"] == f"66 {world.vendor}"

    @pytest.mark.parametrize(
        ("prefix", "why"),
        [("66", "66 reaches "), ("77a", "is not a tech prefix"), ("", "required")],
    )
    def test_is_refused_where_it_cannot_be(
        self, staff: Client, world: World, waiting: str, prefix: str, why: str
    ) -> None:
        sent = {"tech_prefix": prefix, "vendor": world.vendor.pk, "_confirmed": "1"}

        text = staff.post(waiting, sent).content.decode()

        assert 'id="id_tech_prefix_error"' in text
        assert why in text
        assert world.source.trunks.count() == 1
        assert not Mending.objects.exists()

    def test_says_nothing_of_what_was_not_done(
        self, staff: Client, world: World, waiting: str
    ) -> None:
        mend(world.provider, Mending.Kind.DISCARD, note="Test calls.")

        text = refused(staff, waiting, tech_prefix="7701", vendor=world.vendor.pk, _confirmed="1")

        assert "Nothing of it waits any more." in text
        assert "7701…" not in text
        assert world.source.trunks.count() == 1

    def test_of_another_providers_vendor_or_row_is_none(
        self, staff: Client, world: World, waiting: str
    ) -> None:
        other = make_world()
        sent = {"tech_prefix": "77", "vendor": other.vendor.pk}
        stranger = Client()
        stranger.force_login(make_staff(other.provider))

        assert 'id="id_vendor_error"' in staff.post(waiting, sent).content.decode()
        assert stranger.get(waiting).status_code == HTTPStatus.NOT_FOUND
        assert world.source.trunks.count() == 1

    def test_is_only_of_what_lacks_a_vendor(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk"])

        answer = staff.get(f"{SUSPENSE}{Suspense.objects.get().pk}/trunk/")

        assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_is_refused_to_a_role_that_only_reads(self, world: World, waiting: str) -> None:
        answer = as_role(world.provider, "Finance").get(waiting)

        assert answer.status_code == HTTPStatus.FORBIDDEN
