"""What is done about suspense by the API: asked for once, watched, taken back."""

from http import HTTPStatus
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Entry
from cdr.models import Mending, Suspense, Xdr, XdrCorrection
from cdr.services.mending import give_up_mending
from tests.factories import make_identifier
from tests.factories.api import program_of
from tests.factories.cdr import import_lines
from tests.factories.mending import worked_on
from tests.web.api.test_suspense import SET_ACC1, row_of, wait
from tests.web.api.world import World, call

pytestmark = pytest.mark.django_db

KEY = {"Idempotency-Key": "one"}


def asked(world: World, **body: Any) -> Any:
    return world.program.post("mendings", {"choice": {}, **body})


def done(said: Any) -> Mending:
    """The mending that was asked for, after a worker was at it."""
    assert said.status_code == HTTPStatus.ACCEPTED, said.content
    return worked_on(Mending.objects.get(pk=said.json()["id"]), timezone.now())


class TestTryingAgain:
    def test_is_asked_for_watched_and_told(self, world: World) -> None:
        wait(world, "K-17", "K-18")
        make_identifier(world.customer, "K-17")

        answer = asked(world, kind="retry", row_count=2)
        before = world.program.get(f"mendings/{answer.json()['id']}").json()
        done(answer)
        after = world.program.client.get(answer["Location"], headers=world.program.headers).json()

        assert (before["state"], before["done_count"], before["row_count"]) == ("at_work", 0, 2)
        assert (after["state"], after["done_count"], after["freed_count"]) == ("done", 2, 1)
        assert after["waiting"] == [{"reason": "unknown_customer", "row_count": 1}]
        assert after["finished_at"] is not None

    def test_of_a_group_takes_what_the_group_says(self, world: World) -> None:
        wait(world, "K-17", "K-17", "K-18")
        (group, _) = world.program.get("suspense/groups").json()["results"]
        names = ("reason", "source", "named_by", "subject")

        said = asked(world, kind="retry", choice={name: group[name] for name in names}).json()

        assert said["row_count"] == 2
        assert {name: said["choice"][name] for name in names} == {
            name: group[name] for name in names
        }

    def test_is_of_who_asked(self, world: World) -> None:
        wait(world, "K-17")

        asked(world, kind="retry")

        entry = Entry.objects.get(action="suspense.mending_asked")
        assert entry.actor_id == Mending.objects.get().created_by_id is not None


class TestCorrecting:
    def test_of_a_field_is_done_to_the_chosen_row_alone(self, world: World) -> None:
        wait(world, "K-17", "K-17")

        answer = asked(world, kind="correct", choice={"rows": [row_of("K-17").pk]}, change=SET_ACC1)
        mending = done(answer)

        assert answer.json()["change"] == {**SET_ACC1, "old_text": ""}
        assert (mending.freed_count, mending.row_count) == (1, 1)
        assert XdrCorrection.objects.get().account_code == "acc1"
        assert Xdr.objects.filter(result=Xdr.Result.RATED).count() == 1

    def test_of_a_line_reads_it_as_said(self, world: World) -> None:
        import_lines(world.source, ["{no json"])
        row = Suspense.objects.get()
        line = '{"started_at": "%s", "volume": 60, "destination_number": "+493012345"}'
        text = line % call()["started_at"]

        mending = done(
            asked(
                world,
                kind="correct",
                choice={"rows": [row.pk]},
                change={"kind": "line", "new_text": text},
            )
        )

        assert mending.waiting_counts == {"unknown_customer": 1}
        assert Xdr.objects.get().destination_number == "+493012345"

    def test_of_a_line_is_refused_where_it_cannot_be_read_either(self, world: World) -> None:
        import_lines(world.source, ["{no json"])
        row = Suspense.objects.get()

        answer = asked(
            world,
            kind="correct",
            choice={"rows": [row.pk]},
            change={"kind": "line", "new_text": "{nor this"},
        )

        assert (answer.status_code, answer.json()["code"]) == (422, "LineStillUnreadable")
        assert not Mending.objects.exists()


class TestDeciding:
    def test_to_discard_and_taking_it_back(self, world: World) -> None:
        wait(world, "K-17")

        discarded = done(asked(world, kind="discard", note="Test calls"))
        path = f"mendings/{discarded.pk}/take-back"
        wrong = world.program.post(path, {"row_count": 2})
        back = world.program.post(path, {"row_count": 1})
        again = world.program.post(path, {})

        assert (wrong.status_code, wrong.json()["code"]) == (409, "ChoiceChanged")
        assert back.status_code == HTTPStatus.ACCEPTED
        assert (back.json()["kind"], back.json()["undone"]) == ("reopen", discarded.pk)
        assert again.status_code == HTTPStatus.ACCEPTED  # a worker was not at the first yet
        done(back)
        assert Suspense.objects.get().state == "OPEN"
        late = world.program.post(path, {})
        assert (late.status_code, late.json()["code"]) == (409, "NotTakenBack")

    def test_takes_a_reason(self, world: World) -> None:
        wait(world, "K-17")

        answer = asked(world, kind="discard")

        assert (answer.status_code, answer.json()["code"]) == (422, "ReasonMissing")
        assert not Mending.objects.exists()

    def test_to_accept_is_of_what_is_too_old_or_in_the_future(self, world: World) -> None:
        world.program.post("xdrs", call(started_at="2020-01-01T00:00:00Z"))

        refused = asked(world, kind="accept", note="Late switch")
        taken = done(asked(world, kind="accept", note="Late switch", choice={"reason": "too_old"}))

        assert (refused.status_code, refused.json()["code"]) == (422, "NotAcceptable")
        assert taken.row_count == 1


class TestAMending:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "kind"),
            ({"kind": "reopen"}, "kind"),
            ({"kind": "correct"}, "change"),
            ({"kind": "retry", "change": SET_ACC1}, "change"),
            ({"kind": "retry", "choice": {"reasn": "blocked"}}, "choice"),
            ({"kind": "retry", "choice": None}, "choice"),
            ({"kind": "retry", "choice": []}, "choice"),
            ({"kind": "retry", "choice": {"rows": [0]}}, "choice"),
            ({"kind": "retry", "colour": "red"}, "colour"),
            ({"kind": "retry", "note": "x" * 301}, "note"),
            ({"kind": "retry", "row_count": 0}, "row_count"),
        ],
    )
    def test_is_refused_where_it_says_what_cannot_be(
        self, world: World, body: dict[str, Any], field: str
    ) -> None:
        wait(world, "K-17")

        answer = asked(world, **body)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert field in answer.json()["fields"]
        assert not Mending.objects.exists()

    @pytest.mark.parametrize("body", [b"{", b"[]", b"1"])
    def test_is_an_object_of_json(self, world: World, body: bytes) -> None:
        answer = world.program.post("mendings", body)

        assert answer.status_code in (400, 422)
        assert not Mending.objects.exists()

    def test_of_nothing_that_waits_is_refused(self, world: World) -> None:
        answer = asked(world, kind="retry")

        assert (answer.status_code, answer.json()["code"]) == (422, "NothingChosen")

    def test_of_other_rows_than_were_told_is_a_conflict(self, world: World) -> None:
        wait(world, "K-17", "K-18")

        answer = asked(world, kind="retry", row_count=1)

        assert (answer.status_code, answer.json()["code"]) == (409, "ChoiceChanged")
        assert not Mending.objects.exists()

    def test_named_by_a_key_is_begun_once(self, world: World) -> None:
        wait(world, "K-17")
        body = {"kind": "retry", "choice": {}}

        first = world.program.post("mendings", body, KEY)
        second = world.program.post("mendings", body, KEY)

        assert second.status_code == HTTPStatus.ACCEPTED
        assert second["Idempotent-Replayed"] == "true"
        assert second["Location"] == first["Location"]
        assert Mending.objects.count() == 1

    def test_needs_the_scope_and_the_permission(self, world: World) -> None:
        wait(world, "K-17")
        body = {"kind": "retry", "choice": {}}

        reader = program_of(world.provider, "xdrs:read")

        assert reader.post("mendings", body).status_code == HTTPStatus.FORBIDDEN
        assert reader.post("mendings/1/take-back", {}).status_code == HTTPStatus.FORBIDDEN
        assert not Mending.objects.exists()

    def test_is_never_of_another_providers_rows(self, world: World) -> None:
        wait(world, "K-17")
        discarded = done(asked(world, kind="discard", note="Test calls"))
        wait(world, "K-18")
        stranger = World("borealis").program

        answer = stranger.post(
            "mendings", {"kind": "retry", "choice": {"rows": [row_of("K-18").pk]}}
        )
        back = stranger.post(f"mendings/{discarded.pk}/take-back", {})

        assert (answer.status_code, answer.json()["code"]) == (422, "NothingChosen")
        assert back.status_code == HTTPStatus.NOT_FOUND
        assert Mending.objects.count() == 1

    def test_that_was_given_up_says_why(self, world: World) -> None:
        wait(world, "K-17")
        pk = asked(world, kind="retry").json()["id"]
        Mending.objects.filter(pk=pk).update(try_error="OSError: gone")
        before = world.program.get(f"mendings/{pk}").json()

        give_up_mending(mending_id=pk, at=timezone.now())

        after = world.program.get(f"mendings/{pk}").json()
        assert (before["state"], before["error"]) == ("at_work", "")
        assert (after["state"], after["error"]) == ("failed", "OSError: gone")


class TestTheList:
    def test_narrows_the_latest_first(self, world: World) -> None:
        wait(world, "K-17")
        first = done(asked(world, kind="retry"))
        second = Mending.objects.get(pk=asked(world, kind="retry").json()["id"])

        def found(**query: Any) -> list[int]:
            page = world.program.get("mendings", **query).json()
            return [each["id"] for each in page["results"]]

        assert found() == [second.pk, first.pk]
        assert found(state="done") == [first.pk]
        assert found(kind="discard") == []
        assert world.program.get("mendings", state="lost").status_code == 422
