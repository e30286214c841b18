import re
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from cdr.models import Mending, Suspense, Xdr
from tests.cdr.worlds import World, make_world
from tests.factories import (
    make_identifier,
)
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.mending import mend, worked_on
from tests.web.console.pages import as_role, confirm, page, refused, table
from tests.web.console.suspense import SUSPENSE, group

pytestmark = pytest.mark.django_db


class TestTryingAgain:
    PATH = f"{SUSPENSE}try-again/"

    def test_asks_first_then_leaves_it_to_a_worker(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="nobody"), "junk"])
        make_identifier(world.carla, "new")

        question = page(staff, f"{self.PATH}?reason=unknown_customer")
        assert "Rows" in question
        assert not Mending.objects.exists()
        response = staff.post(f"{self.PATH}?reason=unknown_customer", {"_confirmed": "1"})

        mending = Mending.objects.get()
        address = f"{SUSPENSE}done/{mending.pk}/"
        assert response.headers["Location"] == address
        assert "Progress" in page(staff, address)
        assert "Try again, 0 of 2" in page(staff, SUSPENSE)
        worked_on(mending)
        assert Xdr.objects.get(account_code="new").customer == world.carla
        text = page(staff, address)
        assert "Progress" not in text
        assert "Unknown customer" in text

    def test_is_of_the_rows_that_were_chosen(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="nobody"), "junk"])
        first, second, _ = Suspense.objects.order_by("line_number")

        asked = f"{self.PATH}?chosen=1&row={first.pk}&row={second.pk}"
        staff.post(asked, {"_confirmed": "1"})

        assert Mending.objects.get().row_count == 2

    def test_acts_on_no_more_than_was_agreed_to(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new")])
        path = f"{self.PATH}?reason=unknown_customer"
        [stated] = re.findall(r'name="_stated" value="(.+?)"', page(staff, path))
        import_lines(world.source, [Call(account="nobody")])

        text = refused(staff, path, _stated=stated, _confirmed="1")

        assert "This has changed since you saw it" in text
        assert 'Rows</td><td class="number">2' in text
        assert not Mending.objects.exists()

    def test_of_a_customer_leads_to_what_waits_of_this_one(
        self, staff: Client, world: World
    ) -> None:
        world.default_table().rates.all().delete()
        rows = [Call(account="carla"), Call(account="nobody")]
        import_lines(world.source, rows)

        asked = f"customer={world.carla.number}"
        text = page(staff, confirm(staff, f"{self.PATH}?{asked}"))

        assert f'href="/console/usage/suspense/rows/?{asked}">What waits of these still' in text
        assert str(world.carla) in text

    def test_of_nothing_chosen_is_of_nothing(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk"])

        response = staff.post(f"{self.PATH}?chosen=1", {"_confirmed": "1"})

        assert "Nothing of it waits any more" in response.content.decode()
        assert not Mending.objects.exists()

    def test_is_not_there_for_what_there_is_not(self, staff: Client, world: World) -> None:
        others = make_world().source.pk
        numbers = ("row=x", "row=" + "9" * 5000, "customer=99999")
        for asked in ("reason=weather", f"source={others}", *numbers):
            answer = staff.get(f"{self.PATH}?{asked}")
            assert answer.status_code == HTTPStatus.NOT_FOUND, asked

    def test_is_for_those_who_may_change_usage(self, world: World) -> None:
        import_lines(world.source, [Call(account="new")])

        answer = as_role(world.provider, "Finance").post(self.PATH, {"_confirmed": "1"})

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert not Mending.objects.exists()

    def test_never_touches_another_provider(self, staff: Client) -> None:
        import_lines(make_world().source, [Call(account="new")])
        row = Suspense.objects.get()

        response = staff.post(f"{self.PATH}?row={row.pk}", {"_confirmed": "1"})

        assert "Nothing of it waits any more" in response.content.decode()
        assert not Mending.objects.exists()


class TestCorrectingAGroup:
    PATH = f"{SUSPENSE}correct/"
    SENT = {"field": "account_code", "kind": "SET", "old_text": "", "new_text": "carla"}

    def test_shows_what_it_would_become_before_anything_is_written(
        self, staff: Client, world: World
    ) -> None:
        import_lines(world.source, [Call(account="K-17"), Call(account="K-17")])
        path = f"{self.PATH}?{group('unknown_customer', 'K-17', world)}"
        assert 'value="K-17"' in page(staff, path)

        review = staff.post(path, self.SENT).content.decode()

        assert "Chosen: 2 rows" in review
        assert "K-17</span> → " in review
        assert "customer leg" in review
        assert "0.10" in review
        assert not Mending.objects.exists()

        response = staff.post(path, {**self.SENT, "_confirmed": "1"})
        worked_on(Mending.objects.get())

        assert Xdr.objects.filter(customer=world.carla).count() == 2
        text = page(staff, response.headers["Location"])
        assert "Account code is “carla”" in text
        xdr = Xdr.objects.order_by("id").first()
        assert xdr is not None
        address = reverse("console_xdr", kwargs={"xdr_key": xdr.pk})
        assert "Account code “carla”" in page(staff, address)

    def test_is_refused_at_the_field(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])

        response = staff.post(self.PATH, {**self.SENT, "kind": "PREFIX"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Say what is to be read otherwise." in response.content.decode()
        assert not Mending.objects.exists()

    def test_of_lines_reads_a_text_otherwise(self, staff: Client, world: World) -> None:
        bad = Call(account="carla").line.replace("2026-10-05", "2026-13-05")
        import_lines(world.source, [bad])
        sent = {"kind": "TEXT", "old_text": "2026-13", "new_text": "2026-10"}

        staff.post(f"{self.PATH}?reason=unparsable", {**sent, "_confirmed": "1"})
        worked_on(Mending.objects.get())

        assert Xdr.objects.get().started_at == CALL_AT


class TestDiscarding:
    def test_says_why_states_how_much_and_can_be_taken_back(
        self, staff: Client, world: World
    ) -> None:
        import_lines(world.source, ["junk", "rubbish"])
        path = f"{SUSPENSE}discard/?reason=unparsable"
        assert "note" in staff.post(path, {"note": " "}).content.decode()
        assert not Mending.objects.exists()

        assert "A test." in staff.post(path, {"note": "A test."}).content.decode()
        staff.post(path, {"note": "A test.", "_confirmed": "1"})
        mending = worked_on(Mending.objects.get())

        assert Suspense.objects.filter(state=Suspense.State.DISCARDED).count() == 2
        back = f"{SUSPENSE}done/{mending.pk}/take-back/"
        assert back in page(staff, f"{SUSPENSE}done/{mending.pk}/")
        staff.post(back, {"_confirmed": "1"})
        worked_on(Mending.objects.latest("pk"))
        assert Suspense.objects.filter(state=Suspense.State.OPEN).count() == 2
        assert [row["Why"] for row in table(staff, f"{SUSPENSE}done/?format=csv")] == [
            "",
            "A test.",
        ]

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        other = make_world()
        import_lines(other.source, ["junk"])
        mending = mend(other.provider, Mending.Kind.DISCARD, note="Theirs.")

        for path in ("", "progress/", "take-back/"):
            answer = staff.get(f"{SUSPENSE}done/{mending.pk}/{path}")
            assert answer.status_code == HTTPStatus.NOT_FOUND


class TestAccepting:
    def test_is_of_what_came_too_late_or_too_early(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk"])

        response = staff.post(f"{SUSPENSE}accept/", {"note": "Late.", "_confirmed": "1"})

        assert "Only what is too old" in response.content.decode()
        assert not Mending.objects.exists()


class TestCorrectingALine:
    def test_is_read_at_once_and_rated_by_a_worker(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk"])
        row = Suspense.objects.get()
        line = Call(account="carla").line
        path = f"{SUSPENSE}{row.pk}/correct/"
        assert "junk</textarea>" in page(staff, path)

        assert "customer leg" in staff.post(path, {"new_text": line}).content.decode()
        staff.post(path, {"new_text": line, "_confirmed": "1"})

        row.refresh_from_db()
        assert (row.raw, row.state) == ("junk", Suspense.State.OPEN)
        worked_on(Mending.objects.get())
        row.refresh_from_db()
        assert (row.correction, row.raw, row.state) == (line, "junk", Suspense.State.RESOLVED)
        assert Xdr.objects.get().customer == world.carla

    def test_names_the_xdr_that_it_would_be_once_more(self, staff: Client, world: World) -> None:
        line = Call(account="carla").line
        import_lines(world.source, [line])
        import_lines(world.source, ["junk"])
        stored = Xdr.objects.get()

        path = f"{SUSPENSE}{Suspense.objects.get().pk}/correct/"
        text = staff.post(path, {"new_text": line}).content.decode()

        address = reverse("console_xdr", kwargs={"xdr_key": stored.pk})
        assert f'duplicate of <a href="{address}">xDR {stored.id}</a>, stored on' in text
        assert "customer leg" not in text

    def test_that_cannot_be_read_either_is_refused_with_what_was_typed(
        self, staff: Client, world: World
    ) -> None:
        import_lines(world.source, ["junk"])
        row = Suspense.objects.get()

        response = staff.post(f"{SUSPENSE}{row.pk}/correct/", {"new_text": "more junk"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        text = response.content.decode()
        assert "Line 1 as corrected:" in text
        assert "more junk</textarea>" in text
        assert not Mending.objects.exists()
