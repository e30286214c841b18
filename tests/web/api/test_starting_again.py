"""Files and mendings that were given up, started again by programs."""

from http import HTTPStatus

import pytest
from django.utils import timezone

from audit.models import Entry
from cdr.models import Mending, XdrChunk, XdrFile
from cdr.services.giving_up import give_up_chunk
from cdr.services.mending import give_up_mending
from cdr.services.splitting import split_file
from tests.factories.api import program_of
from tests.factories.cdr import receive
from tests.factories.mending import mend, worked_on
from tests.web.api.test_suspense import wait
from tests.web.api.world import World

pytestmark = pytest.mark.django_db


def failed_file(world: World) -> XdrFile:
    file = receive(world.source, ["junk"])
    split_file(file_id=file.pk, at=timezone.now())
    XdrChunk.objects.update(try_error="OSError: gone", try_count=5)
    give_up_chunk(chunk_id=file.chunks.get().pk, at=timezone.now())
    return file


def failed_mending(world: World) -> Mending:
    wait(world, "K-17")
    mending = mend(world.provider)
    Mending.objects.update(state=Mending.State.AT_WORK, try_error="OSError: gone", try_count=5)
    give_up_mending(mending_id=mending.pk, at=timezone.now())
    return mending


class TestAFile:
    def test_waits_for_workers_again(self, world: World) -> None:
        path = f"xdr-files/{failed_file(world).pk}"
        before = world.program.get(path).json()

        answer = world.program.post(f"{path}/start-again", {})

        after = answer.json()
        assert answer.status_code == HTTPStatus.ACCEPTED
        assert answer["Location"] == f"/api/v1/{path}"
        assert (before["state"], before["chunks"]["failed"]) == ("failed", 1)
        assert (after["state"], after["error"], after["chunks"]["failed"]) == ("rating", "", 0)
        assert XdrChunk.objects.values_list("state", "try_count").get() == ("WAITING", 0)
        assert Entry.objects.get(action="xdr_file.started_again").token is not None

    def test_that_has_not_failed_is_refused(self, world: World) -> None:
        path = f"xdr-files/{failed_file(world).pk}/start-again"
        world.program.post(path, {})

        answer = world.program.post(path, {})

        assert (answer.status_code, answer.json()["code"]) == (409, "FileNotFailed")
        assert Entry.objects.filter(action="xdr_file.started_again").count() == 1


class TestAMending:
    def test_goes_on_where_it_failed(self, world: World) -> None:
        mending = failed_mending(world)

        answer = world.program.post(f"mendings/{mending.pk}/start-again", {})

        after = answer.json()
        assert answer.status_code == HTTPStatus.ACCEPTED
        assert answer["Location"] == f"/api/v1/mendings/{mending.pk}"
        assert (after["state"], after["error"]) == ("at_work", "")
        assert worked_on(mending, timezone.now()).state == "DONE"
        assert Entry.objects.get(action="suspense.mending_started_again").token is not None

    def test_that_has_not_failed_is_refused(self, world: World) -> None:
        wait(world, "K-17")
        mending = mend(world.provider)

        answer = world.program.post(f"mendings/{mending.pk}/start-again", {})

        assert (answer.status_code, answer.json()["code"]) == (409, "MendingNotFailed")


class TestBoth:
    @pytest.fixture
    def paths(self, world: World) -> list[str]:
        mending, file = failed_mending(world), failed_file(world)
        return [f"mendings/{mending.pk}/start-again", f"xdr-files/{file.pk}/start-again"]

    def test_named_by_a_key_are_started_once(self, world: World, paths: list[str]) -> None:
        for number, path in enumerate(paths):
            key = {"Idempotency-Key": str(number)}
            first = world.program.post(path, {}, key)
            second = world.program.post(path, {}, key)

            assert (first.status_code, second.status_code) == (202, 202)
            assert second["Idempotent-Replayed"] == "true"
            assert second.json() == first.json()

    def test_need_the_scope_and_take_nothing_else(self, world: World, paths: list[str]) -> None:
        reader = program_of(world.provider, "xdrs:read")
        for path in paths:
            assert reader.post(path, {}).status_code == HTTPStatus.FORBIDDEN
            assert world.program.get(path).status_code == HTTPStatus.METHOD_NOT_ALLOWED
            assert list(world.program.post(path, {"rows": 1}).json()["fields"]) == ["rows"]

        assert XdrFile.objects.latest("pk").state == "FAILED"
        assert Mending.objects.get().state == "FAILED"

    def test_of_another_provider_are_not_there(self, world: World, paths: list[str]) -> None:
        stranger = World("borealis").program

        for path in paths:
            assert stranger.post(path, {}).status_code == HTTPStatus.NOT_FOUND

        assert XdrFile.objects.latest("pk").state == "FAILED"
        assert Mending.objects.get().state == "FAILED"
