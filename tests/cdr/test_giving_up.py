"""Files and mendings that always fail end, say why, and are finished once they can be."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.models import Entry
from cdr import tasks
from cdr.models import Leg, Mending, Suspense, XdrChunk, XdrFile
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.services import stores
from cdr.services.giving_up import FileNotFailed, start_file_again
from cdr.services.mending import (
    MendingNotFailed,
    ask_for_mending,
    requeue_lost_mendings,
    start_mending_again,
)
from cdr.services.splitting import requeue_lost, split_file
from common.clock import now
from common.tries import KILLED, MOST_TRIES, PAUSE
from tests.cdr.worlds import World, counts_of, make_world
from tests.factories import make_staff
from tests.factories.cdr import IMPORT_AT, Call, import_lines, receive
from tests.factories.tries import fail, let_the_pause_pass, refused

LATER = IMPORT_AT + timedelta(days=1)
LINES_PER_CHUNK = 2


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.XDR_CHUNK_LINES = LINES_PER_CHUNK
    return make_world()


def actions() -> list[str]:
    """What was said of files and suspense, in order."""
    entries = Entry.objects.filter(action__regex="^(xdr_file|suspense)").order_by("pk")
    return list(entries.values_list("action", flat=True))


class Damaged:
    """A file of three chunks whose stored text ends before the last one."""

    def __init__(self, world: World) -> None:
        self.file = receive(world.source, [Call(account="carla") for _ in range(6)])
        split_file(file_id=self.file.pk, at=IMPORT_AT)
        self.path = stores.text_path(self.file)
        self.text = self.path.read_bytes()
        *_, self.last = self.chunk_ids
        self.path.write_bytes(self.text[: XdrChunk.objects.get(pk=self.last).first_byte])

    @property
    def chunk_ids(self) -> list[int]:
        return list(self.file.chunks.order_by("number").values_list("pk", flat=True))

    def rate_last(self) -> None:
        tasks.rate_chunk_task(chunk_id=self.last)

    def rate_all(self) -> None:
        for chunk_id in self.chunk_ids:
            tasks.rate_chunk_task(chunk_id=chunk_id)

    def now(self) -> XdrFile:
        self.file.refresh_from_db()
        return self.file


@pytest.fixture
def damaged(world: World) -> Damaged:
    return Damaged(world)


class TestAChunkThatAlwaysFails:
    def test_is_given_up_when_it_was_tried_five_times(self, damaged: Damaged) -> None:
        fail(XdrChunk, damaged.rate_last, MOST_TRIES - 1)
        before = XdrChunk.objects.get(pk=damaged.last)

        let_the_pause_pass(XdrChunk)
        damaged.rate_last()

        after = XdrChunk.objects.get(pk=damaged.last)
        assert (before.state, before.try_count) == ("WAITING", MOST_TRIES - 1)
        assert (after.state, after.try_count) == ("FAILED", MOST_TRIES)
        assert "chunk_lines_all_counted" in after.try_error

    def test_lets_the_others_be_rated_and_then_fails_the_file(self, damaged: Damaged) -> None:
        fail(XdrChunk, damaged.rate_last)
        while_others_wait = damaged.now().state

        damaged.rate_all()

        assert (while_others_wait, damaged.now().state) == ("RATING", "FAILED")
        assert damaged.file.error.startswith(
            "Lines 5 to 6 were tried five times and could not be rated: IntegrityError: "
        )
        assert counts_of(damaged.file) == {"rated": 4}
        assert requeue_lost(at=LATER) == 0

    def test_is_done_when_somebody_starts_it_again(self, damaged: Damaged, world: World) -> None:
        fail(XdrChunk, damaged.rate_last)
        damaged.rate_all()
        damaged.path.write_bytes(damaged.text)
        staff = make_staff(world.provider)

        start_file_again(file_id=damaged.file.pk, at=LATER, actor_id=staff.pk)
        started = damaged.now().state, damaged.file.error, damaged.file.try_count
        damaged.rate_all()

        assert started == ("RATING", "", 0)
        assert damaged.now().state == "DONE"
        assert counts_of(damaged.file) == {"rated": 6}
        assert Leg.objects.filter(kind=1).count() == 6
        assert actions()[-2:] == ["xdr_file.part_given_up", "xdr_file.started_again"]
        assert Entry.objects.latest("pk").actor_id == staff.pk

    def test_can_be_started_again_while_others_are_rated(self, damaged: Damaged) -> None:
        fail(XdrChunk, damaged.rate_last)
        damaged.path.write_bytes(damaged.text)

        start_file_again(file_id=damaged.file.pk, at=LATER, actor_id=None)
        damaged.rate_all()

        assert damaged.now().state == "DONE"
        assert counts_of(damaged.file) == {"rated": 6}

    def test_leaves_the_others_five_tries_when_it_is_started_again(self, damaged: Damaged) -> None:
        fail(XdrChunk, damaged.rate_last)
        first, *_ = damaged.chunk_ids
        XdrChunk.objects.filter(pk=first).update(
            try_count=MOST_TRIES - 1, try_failed_at=now(), try_error="OSError: gone"
        )

        start_file_again(file_id=damaged.file.pk, at=LATER, actor_id=None)

        chunk = XdrChunk.objects.get(pk=first)
        assert (chunk.state, chunk.try_count, chunk.try_failed_at, chunk.try_error) == (
            "WAITING",
            0,
            None,
            "",
        )

    def test_is_left_alone_in_the_pause_after_a_failure(self, damaged: Damaged) -> None:
        fail(XdrChunk, damaged.rate_last, 1)
        XdrChunk.objects.filter(pk=damaged.last).update(try_failed_at=now())

        for _ in range(20):
            damaged.rate_last()

        assert XdrChunk.objects.get(pk=damaged.last).try_count == 1

        XdrChunk.objects.filter(pk=damaged.last).update(try_failed_at=now() - PAUSE)
        with pytest.raises(Exception, match="chunk_lines_all_counted"):
            damaged.rate_last()

    def test_of_which_workers_die_is_given_up_too(self, damaged: Damaged) -> None:
        XdrChunk.objects.filter(pk=damaged.last).update(
            try_count=MOST_TRIES - 1, try_began_at=now()
        )

        damaged.rate_last()

        chunk = XdrChunk.objects.get(pk=damaged.last)
        assert (chunk.state, chunk.try_error) == ("FAILED", KILLED)


class TestAFileThatHasNotFailed:
    def test_is_not_started_again(self, world: World) -> None:
        file = import_lines(world.source, [Call(account="carla")])
        before = actions()

        with pytest.raises(FileNotFailed):
            start_file_again(file_id=file.pk, at=LATER, actor_id=None)

        file.refresh_from_db()
        assert (file.state, actions()) == ("DONE", before)


class TestAFileThatCannotBeTakenApart:
    @pytest.fixture
    def file(self, world: World) -> XdrFile:
        return receive(world.source, [Call(account="carla") for _ in range(3)])

    def test_is_given_up_and_done_when_it_is_started_again(self, file: XdrFile) -> None:
        with refused("INSERT", "cdr_xdrchunk", "no room for 'Carla' <carla@example.org>"):
            fail(XdrFile, lambda: tasks.split_file_task(file_id=file.pk))
        file.refresh_from_db()
        failed = file.state, file.error
        swept = requeue_lost(at=LATER)

        start_file_again(file_id=file.pk, at=LATER, actor_id=None)
        tasks.split_file_task(file_id=file.pk)
        for chunk_id in file.chunks.values_list("pk", flat=True):
            tasks.rate_chunk_task(chunk_id=chunk_id)

        error = "InternalError: no room for … …"
        assert failed == (
            "FAILED",
            f"It was tried five times and could not be taken apart: {error}.",
        )
        assert swept == 0
        file.refresh_from_db()
        assert (file.state, counts_of(file)) == ("DONE", {"rated": 3})
        assert actions()[-2:] == ["xdr_file.given_up", "xdr_file.started_again"]

    def test_is_read_when_its_text_is_back(self, file: XdrFile) -> None:
        path: Path = stores.text_path(file)
        text = path.read_bytes()
        path.unlink()
        tasks.split_file_task(file_id=file.pk)
        file.refresh_from_db()
        gone = file.state
        path.write_bytes(text)

        start_file_again(file_id=file.pk, at=LATER, actor_id=None)
        tasks.split_file_task(file_id=file.pk)

        file.refresh_from_db()
        assert (gone, file.state) == ("FAILED", "RATING")


class TestAMendingThatAlwaysFails:
    @pytest.fixture
    def mending(self, world: World) -> Mending:
        for _ in range(3):
            import_lines(world.source, [Call(account="K-17") for _ in range(2)])
        return ask_for_mending(
            provider_id=world.provider.pk,
            kind=Mending.Kind.CORRECT,
            choice=Choice(subject="K-17"),
            change=Change(ChangeKind.SET, "account_code", "", "carla"),
            at=IMPORT_AT,
            actor_id=None,
        )

    def mend(self, mending: Mending) -> None:
        tasks.mend_suspense_task(mending_id=mending.pk)

    def test_is_given_up(self, mending: Mending) -> None:
        with refused("INSERT", "cdr_xdrcorrection"):
            fail(Mending, lambda: self.mend(mending))

        mending.refresh_from_db()
        assert (mending.state, mending.try_error) == ("FAILED", "InternalError: out of order")
        assert requeue_lost_mendings(at=LATER) == 0
        assert Suspense.objects.filter(state=Suspense.State.OPEN).count() == 6
        assert actions()[-1] == "suspense.mending_given_up"

    def test_goes_on_where_it_failed_when_it_is_started_again(
        self, mending: Mending, world: World
    ) -> None:
        staff = make_staff(world.provider)
        second = sorted(set(Suspense.objects.values_list("chunk_id", flat=True)))[1]
        with refused("UPDATE", "cdr_suspense", when=f"NEW.chunk_id = {second}"):
            fail(Mending, lambda: self.mend(mending))
        mending.refresh_from_db()
        failed = mending.state, mending.freed_count

        start_mending_again(mending_id=mending.pk, at=LATER, actor_id=staff.pk)
        self.mend(mending)

        mending.refresh_from_db()
        assert failed == ("FAILED", 2)
        assert (mending.state, mending.freed_count, mending.try_count) == ("DONE", 6, 0)
        assert Suspense.objects.filter(state=Suspense.State.RESOLVED).count() == 6
        assert actions()[-2:] == ["suspense.mending_started_again", "suspense.mended"]

    def test_is_not_used_up_by_failures_between_which_it_got_further(
        self, mending: Mending
    ) -> None:
        Mending.objects.update(try_count=MOST_TRIES - 1)
        last = max(Suspense.objects.values_list("chunk_id", flat=True))

        with refused("UPDATE", "cdr_suspense", when=f"NEW.chunk_id = {last}"):
            fail(Mending, lambda: self.mend(mending), 1)

        mending.refresh_from_db()
        assert (mending.state, mending.try_count, mending.freed_count) == ("AT_WORK", 1, 4)
        let_the_pause_pass(Mending)
        self.mend(mending)
        mending.refresh_from_db()
        assert (mending.state, mending.freed_count) == ("DONE", 6)

    def test_is_not_started_again_before(self, mending: Mending) -> None:
        with pytest.raises(MendingNotFailed):
            start_mending_again(mending_id=mending.pk, at=LATER, actor_id=None)

        assert actions()[-1] == "suspense.mending_asked"
