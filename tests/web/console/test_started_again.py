"""Files and mendings that were given up: their pages say why, and staff start them again."""

from http import HTTPStatus

import pytest
from django.test import Client

from audit.models import Entry
from cdr.models import Mending, XdrChunk, XdrFile
from cdr.services.giving_up import give_up_chunk
from cdr.services.mending import give_up_mending
from cdr.services.splitting import split_file
from tests.cdr.worlds import World, make_world
from tests.factories.cdr import IMPORT_AT, Call, import_lines, receive
from tests.factories.mending import mend, worked_on
from tests.web.console.pages import as_role, confirm, page, table
from tests.web.console.suspense import SUSPENSE

pytestmark = pytest.mark.django_db
FILES = "/console/usage/files/"
WHY = "IntegrityError: new row violates a constraint"


def failed_file(world: World, *, of_it_at_work: bool = False) -> XdrFile:
    """Of two chunks the second was given up, the first was rated or waits still."""
    if of_it_at_work:
        file = receive(world.source, [Call(account="carla"), Call(account="carla")])
        split_file(file_id=file.pk, at=IMPORT_AT)
    else:
        file = import_lines(world.source, [Call(account="carla"), Call(account="carla")])
    first = file.chunks.get()
    XdrFile.objects.filter(pk=file.pk).update(state=XdrFile.State.RATING, finished_at=None)
    chunk = XdrChunk.objects.create(
        provider=file.provider,
        file=file,
        source=file.source,
        number=2,
        first_line=first.line_count + 1,
        first_byte=first.byte_count,
        byte_count=0,
        line_count=3,
        queued_at=IMPORT_AT,
        try_error=WHY,
    )
    give_up_chunk(chunk_id=chunk.pk, at=IMPORT_AT)
    file.refresh_from_db()
    return file


def failed_mending(world: World) -> Mending:
    import_lines(world.source, ["junk", "rubbish"])
    mending = mend(world.provider)
    Mending.objects.update(state=Mending.State.AT_WORK, try_error=WHY)
    give_up_mending(mending_id=mending.pk, at=IMPORT_AT)
    mending.refresh_from_db()
    return mending


class TestAFileOfWhichAPartWasGivenUp:
    def test_says_so_and_counts_what_is_rated(self, staff: Client, world: World) -> None:
        file = failed_file(world)

        text = page(staff, f"{FILES}{file.pk}/")

        assert "The file is rated in part" in text
        assert f"Lines 3 to 5 were tried five times and could not be rated: {WHY}." in text
        assert "2 of 5" in text
        assert "Not rated" in text
        assert f"{FILES}{file.pk}/again/" in text
        assert "hx-get" not in text

    def test_says_so_while_the_rest_is_rated(self, staff: Client, world: World) -> None:
        file = failed_file(world, of_it_at_work=True)

        text = page(staff, f"{FILES}{file.pk}/")

        assert file.state == "RATING"
        assert "Some lines could not be rated" in text
        assert WHY in text
        assert "hx-get" in text

    def test_is_started_again_by_those_who_may_when_they_confirm(
        self, staff: Client, world: World
    ) -> None:
        file = failed_file(world)
        path = f"{FILES}{file.pk}/again/"
        question = page(staff, path)

        leads_to = confirm(staff, path)

        assert "Lines left" in question
        assert leads_to == f"{FILES}{file.pk}/"
        file.refresh_from_db()
        assert (file.state, file.error) == ("RATING", "")
        assert sorted(file.chunks.values_list("state", flat=True)) == ["DONE", "WAITING"]
        entry = Entry.objects.latest("pk")
        assert (entry.action, entry.actor is not None) == ("xdr_file.started_again", True)

    def test_is_not_started_twice(self, staff: Client, world: World) -> None:
        file = failed_file(world)
        path = f"{FILES}{file.pk}/again/"
        staff.post(path, {"_confirmed": "1"})

        answer = staff.post(path, {"_confirmed": "1"})

        assert "has not failed" in answer.content.decode()
        assert Entry.objects.filter(action="xdr_file.started_again").count() == 1
        assert path not in page(staff, f"{FILES}{file.pk}/")

    def test_is_only_read_by_others(self, world: World) -> None:
        file = failed_file(world)
        finance = as_role(world.provider, "Finance")

        assert "again/" not in page(finance, f"{FILES}{file.pk}/")
        assert finance.get(f"{FILES}{file.pk}/again/").status_code == HTTPStatus.FORBIDDEN

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        file = failed_file(make_world())

        for method in (staff.get, staff.post):
            assert method(f"{FILES}{file.pk}/again/").status_code == HTTPStatus.NOT_FOUND
        file.refresh_from_db()
        assert file.state == "FAILED"

    def test_is_on_the_first_page(self, staff: Client, world: World) -> None:
        failed_file(world)

        assert "xDR files that failed" in page(staff, "/console/")


class TestAMendingThatWasGivenUp:
    def test_says_why(self, staff: Client, world: World) -> None:
        mending = failed_mending(world)
        path = f"{SUSPENSE}done/{mending.pk}/"

        text = page(staff, path)

        assert "It was tried five times and given up" in text
        assert WHY in text
        assert "hx-get" not in text
        assert staff.get(f"{path}progress/")["Location"] == path

    def test_is_found_from_the_first_page(self, staff: Client, world: World) -> None:
        failed_mending(world)

        assert "Work on suspense that was given up" in page(staff, "/console/")
        assert len(table(staff, f"{SUSPENSE}done/?state=FAILED&format=csv")) == 1

    def test_is_started_again_by_those_who_may_when_they_confirm(
        self, staff: Client, world: World
    ) -> None:
        mending = failed_mending(world)
        path = f"{SUSPENSE}done/{mending.pk}/"
        question = page(staff, f"{path}again/")

        leads_to = confirm(staff, f"{path}again/")

        assert WHY in question
        assert leads_to == path
        mending.refresh_from_db()
        assert (mending.state, mending.try_error) == ("AT_WORK", "")
        assert worked_on(mending).state == "DONE"
        again = Entry.objects.get(action="suspense.mending_started_again")
        assert again.actor is not None

    def test_is_not_started_twice(self, staff: Client, world: World) -> None:
        mending = failed_mending(world)
        path = f"{SUSPENSE}done/{mending.pk}/again/"
        staff.post(path, {"_confirmed": "1"})

        answer = staff.post(path, {"_confirmed": "1"})

        assert "is at work" in answer.content.decode()
        assert Entry.objects.filter(action="suspense.mending_started_again").count() == 1

    def test_is_only_read_by_others(self, world: World) -> None:
        mending = failed_mending(world)
        finance = as_role(world.provider, "Finance")

        assert "again/" not in page(finance, f"{SUSPENSE}done/{mending.pk}/")
        answer = finance.get(f"{SUSPENSE}done/{mending.pk}/again/")
        assert answer.status_code == HTTPStatus.FORBIDDEN

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        mending = failed_mending(make_world())

        answer = staff.post(f"{SUSPENSE}done/{mending.pk}/again/", {"_confirmed": "1"})

        assert answer.status_code == HTTPStatus.NOT_FOUND
        mending.refresh_from_db()
        assert mending.state == "FAILED"
