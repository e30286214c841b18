"""Tries whose worker is killed count, messages of the same work do not: with real processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from cdr.models import Leg, Mending, Suspense, XdrChunk, XdrFile
from cdr.rules.mending import Choice
from cdr.services.mending import ask_for_mending
from cdr.services.splitting import split_file
from common.clock import now
from common.tries import KILLED, MOST_TRIES
from tests.cdr.test_faults import is_blocked, is_done, killed_at_the_end
from tests.cdr.worlds import World, counts_of, make_world
from tests.factories import make_identifier
from tests.factories.cdr import Call, import_lines, receive
from tests.workers import Worker, forget_queued_work, running_worker, start_worker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

LINES = 60
DUPLICATES = 20
PROCESSES = 4


@pytest.fixture(autouse=True)
def _broker_of_its_own(settings: Any) -> Iterator[None]:
    settings.XDR_CHUNK_LINES = LINES
    forget_queued_work()
    yield
    forget_queued_work()


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def chunk(world: World) -> XdrChunk:
    """Of a healthy file, and nobody was told of it."""
    file = receive(world.source, [Call(account="carla") for _ in range(LINES)], at=now())
    split_file(file_id=file.pk, at=now())
    forget_queued_work()
    return file.chunks.get()


@contextmanager
def held_up(file: XdrFile) -> Iterator[None]:
    """Whoever rates the file's last chunk has written all of it, and cannot commit it."""
    with transaction.atomic():
        XdrFile.objects.select_for_update().get(pk=file.pk)
        yield


def ask(chunk: XdrChunk, times: int = 1) -> None:
    for _ in range(times):
        current_app.send_task("cdr.rate_chunk", kwargs={"chunk_id": chunk.pk})


def ended(worker: Worker, task: str) -> int:
    return sum(f"Task {task}" in line and " succeeded" in line for line in worker.log.splitlines())


def tries(chunk: XdrChunk) -> tuple[str, int]:
    chunk.refresh_from_db()
    return chunk.state, chunk.try_count


class TestAKilledTry:
    def test_counts_when_the_next_one_begins(self, chunk: XdrChunk, tmp_path: Path) -> None:
        for already_killed in range(2):
            with held_up(chunk.file), killed_at_the_end(start_worker(tmp_path)):
                forget_queued_work()
                ask(chunk)
                wait_for(is_blocked, "the worker to wait for the lock")
            assert tries(chunk) == ("WAITING", already_killed)
            assert not Leg.objects.exists()

        forget_queued_work()
        with running_worker(tmp_path):
            ask(chunk)
            wait_for(lambda: is_done(chunk.file), "the file to be done")

        assert tries(chunk) == ("DONE", 0)
        assert counts_of(chunk.file) == {"rated": LINES}

    def test_is_given_up_when_it_was_the_last(self, chunk: XdrChunk, tmp_path: Path) -> None:
        XdrChunk.objects.update(try_count=MOST_TRIES - 1)
        with held_up(chunk.file), killed_at_the_end(start_worker(tmp_path)):
            ask(chunk)
            wait_for(is_blocked, "the worker to wait for the lock")

        forget_queued_work()
        with running_worker(tmp_path):
            ask(chunk)
            wait_for(lambda: tries(chunk)[0] == "FAILED", "the chunk to be given up")

        assert chunk.try_error == KILLED
        chunk.file.refresh_from_db()
        assert chunk.file.state == "FAILED"
        assert KILLED in chunk.file.error


class TestManyMessagesOfHealthyWork:
    def test_end_at_once_while_one_is_at_it(self, chunk: XdrChunk, tmp_path: Path) -> None:
        with running_worker(tmp_path, children=PROCESSES) as worker:
            with held_up(chunk.file):
                ask(chunk, DUPLICATES)
                wait_for(
                    lambda: ended(worker, "cdr.rate_chunk") == DUPLICATES - 1, "all others to end"
                )
                at_work = tries(chunk)
            wait_for(lambda: is_done(chunk.file), "the file to be done")

        assert at_work == ("WAITING", 0)
        assert tries(chunk) == ("DONE", 0)
        assert counts_of(chunk.file) == {"rated": LINES}

    def test_after_a_kill_count_it_once(self, chunk: XdrChunk, tmp_path: Path) -> None:
        with held_up(chunk.file), killed_at_the_end(start_worker(tmp_path)):
            ask(chunk)
            wait_for(is_blocked, "the worker to wait for the lock")

        forget_queued_work()
        with running_worker(tmp_path, children=PROCESSES) as worker:
            with held_up(chunk.file):
                ask(chunk, DUPLICATES)
                wait_for(
                    lambda: ended(worker, "cdr.rate_chunk") == DUPLICATES - 1, "all others to end"
                )
                at_work = tries(chunk)
            wait_for(lambda: is_done(chunk.file), "the file to be done")

        assert at_work == ("WAITING", 1)
        assert tries(chunk) == ("DONE", 0)

    def test_do_not_give_a_mending_up(self, world: World, tmp_path: Path) -> None:
        for _ in range(8):
            import_lines(world.source, [Call(account="late") for _ in range(5)], at=now())
        mending = ask_for_mending(
            provider_id=world.provider.pk,
            kind=Mending.Kind.RETRY,
            choice=Choice(),
            at=now(),
            actor_id=None,
        )
        make_identifier(world.carla, "late")
        forget_queued_work()
        with running_worker(tmp_path, children=PROCESSES) as worker:
            for _ in range(DUPLICATES):
                current_app.send_task("cdr.mend_suspense", kwargs={"mending_id": mending.pk})
            wait_for(lambda: ended(worker, "cdr.mend_suspense") == DUPLICATES, "all to end")

        mending.refresh_from_db()
        assert (mending.state, mending.try_count, mending.freed_count) == ("DONE", 0, 40)
        assert Suspense.objects.filter(state=Suspense.State.OPEN).count() == 0
        assert Leg.objects.filter(kind=1).count() == 40
