"""What is left after workers, broker and database fail in the middle: the same totals."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count, Sum
from pytest_django import DjangoDbBlocker

from cdr.models import Leg, UsageCharge, Xdr, XdrChunk, XdrFile
from cdr.services.chunks import rate_chunk
from cdr.services.splitting import PATIENCE, requeue_lost, split_file
from common.clock import now
from embedded.postgres import PostgresEngine
from tests.cdr.worlds import World, counts_of, make_world, suspense_of
from tests.factories import make_billing_mode
from tests.factories.cdr import Call, file_of, import_lines, receive
from tests.kills import kill_at_every_statement
from tests.workers import (
    ROOT,
    Worker,
    forget_queued_work,
    running_worker,
    shared_environment,
    start_worker,
    wait_for,
)

LINES_PER_CHUNK = 200
BLOCKED = """
    SELECT 1 FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE '%%cdr_xdrfile%%' AND pid <> pg_backend_pid()
      AND datname = current_database()
"""


@pytest.fixture(autouse=True)
def _broker_of_its_own(settings: Any) -> Iterator[None]:
    settings.XDR_CHUNK_LINES = LINES_PER_CHUNK
    forget_queued_work()
    yield
    forget_queued_work()


def make_busy_world() -> World:
    world = make_world()
    make_billing_mode(world.sub, world.sub_table)
    return world


def lines(count: int) -> list[Call | str]:
    """Calls of every kind, so many of each that every chunk has some."""
    made: list[Call | str] = []
    for number in range(count):
        call = Call(account="carla", seconds=number % 300 + 1, uuid=f"call-{number}")
        match number % 20:
            case 3:
                made.append(call.again(seconds=0))
            case 7:
                made.append(call.again(account="nobody"))
            case 11:
                made.append("broken")
            case 13:
                made.append(call.again(uuid=f"call-{number - 1}", seconds=(number - 1) % 300 + 1))
            case _:
                made.append(call)
    return made


def totals(world: World, file: XdrFile) -> dict[str, Any]:
    """Everything the import brought, summed; ids differ between worlds, these do not."""
    legs = Leg.objects.filter(provider=world.provider)
    charges = UsageCharge.objects.filter(provider=world.provider)
    return {
        "counts": counts_of(file),
        "suspense": suspense_of(file),
        "results": list(
            Xdr.objects.filter(provider=world.provider)
            .values_list("result")
            .annotate(Count("id"), Sum("volume"))
            .order_by("result")
        ),
        "legs": list(
            legs.values_list("kind").annotate(Count("number"), Sum("amount")).order_by("kind")
        ),
        "charges": list(
            charges.values_list("kind", "destination", "day")
            .annotate(Sum("call_count"), Sum("billed_volume"), Sum("amount"))
            .order_by("kind", "destination", "day")
        ),
        "margin": legs.filter(kind=1).aggregate(total=Sum("amount"))["total"] or Decimal(0),
    }


def undisturbed(count: int) -> dict[str, Any]:
    """The totals of the same lines imported in another world where nothing fails."""
    world = make_busy_world()
    return totals(world, import_lines(world.source, lines(count), at=now()))


def is_done(file: XdrFile) -> bool:
    file.refresh_from_db()
    return file.state == XdrFile.State.DONE


def sweep_until_done(file: XdrFile) -> None:
    """Sweep as the scheduler would minutes later, again and again."""

    def swept() -> bool:
        requeue_lost(at=now() + PATIENCE)
        return is_done(file)

    wait_for(swept, "the file to be done", 60)


def is_blocked() -> bool:
    with connection.cursor() as cursor:
        # Within a transaction PostgreSQL goes on showing the activity that it showed first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(BLOCKED)
        return cursor.fetchone() is not None


@contextmanager
def killed_at_the_end(worker: Worker) -> Iterator[None]:
    """The worker is killed with no chance to clean up when the block ends."""
    try:
        yield
    finally:
        worker.kill()


@pytest.mark.django_db(transaction=True)
class TestKilledWorker:
    def test_in_the_middle_of_a_chunk_leaves_the_same_totals(self, tmp_path: Path) -> None:
        world = make_busy_world()
        file = receive(world.source, lines(3 * LINES_PER_CHUNK), at=now())
        split_file(file_id=file.pk, at=now())
        # Held up by this lock, the worker has written all of a chunk and not committed it.
        with transaction.atomic():
            XdrFile.objects.select_for_update().get(pk=file.pk)
            with killed_at_the_end(start_worker(tmp_path)):
                wait_for(is_blocked, "the worker to wait for the lock")
        done_before = file.chunks.filter(state=XdrChunk.State.DONE).count()

        with running_worker(tmp_path):
            sweep_until_done(file)

        assert done_before == 0
        assert totals(world, file) == undisturbed(3 * LINES_PER_CHUNK)

    def test_at_any_moment_leaves_the_same_totals(self, tmp_path: Path) -> None:
        world = make_busy_world()
        file = receive(world.source, lines(10 * LINES_PER_CHUNK), at=now())
        split_file(file_id=file.pk, at=now())
        for already_done in (1, 4):
            with killed_at_the_end(start_worker(tmp_path, children=2)):
                requeue_lost(at=now() + PATIENCE)
                wait_for(
                    lambda: file.chunks.filter(state="DONE").count() >= already_done,  # noqa: B023
                    f"{already_done} chunks to be done",
                )

        with running_worker(tmp_path, children=2):
            sweep_until_done(file)

        assert totals(world, file) == undisturbed(10 * LINES_PER_CHUNK)


@pytest.mark.django_db(transaction=True)
class TestLostSession:
    def test_at_any_statement_of_a_chunk_stores_nothing(self) -> None:
        world = make_busy_world()
        file = receive(world.source, lines(LINES_PER_CHUNK), at=now())
        split_file(file_id=file.pk, at=now())
        chunk = file.chunks.get()

        def check() -> None:
            assert not Xdr.objects.exists()
            assert not UsageCharge.objects.exists()

        kills = kill_at_every_statement(
            lambda: rate_chunk(chunk_id=chunk.pk, at=now()), check=check
        )

        assert kills > 10
        assert is_done(file)
        assert totals(world, file) == undisturbed(LINES_PER_CHUNK)


@pytest.mark.django_db(transaction=True)
class TestLostBroker:
    def test_with_an_unsplit_file_loses_nothing(self, tmp_path: Path) -> None:
        world = make_busy_world()
        file = receive(world.source, lines(2 * LINES_PER_CHUNK), at=now())
        forget_queued_work()

        with running_worker(tmp_path):
            sweep_until_done(file)

        assert totals(world, file) == undisturbed(2 * LINES_PER_CHUNK)

    def test_with_queued_chunks_loses_nothing(self, tmp_path: Path) -> None:
        world = make_busy_world()
        file = receive(world.source, lines(2 * LINES_PER_CHUNK), at=now())
        split_file(file_id=file.pk, at=now())
        forget_queued_work()

        with running_worker(tmp_path):
            sweep_until_done(file)

        assert totals(world, file) == undisturbed(2 * LINES_PER_CHUNK)


@pytest.mark.django_db(transaction=True)
class TestSameWorkTwiceAtOnce:
    def test_is_done_once_by_two_processes(self, tmp_path: Path) -> None:
        world = make_busy_world()
        file = receive(world.source, lines(6 * LINES_PER_CHUNK), at=now())
        split_file(file_id=file.pk, at=now())
        for _ in range(3):
            requeue_lost(at=now() + PATIENCE)

        with running_worker(tmp_path, children=2):
            wait_for(lambda: is_done(file), "the file to be done")

        assert totals(world, file) == undisturbed(6 * LINES_PER_CHUNK)

    def test_of_files_that_share_calls_is_stored_once(self, tmp_path: Path) -> None:
        world = make_busy_world()
        one = receive(world.source, lines(4 * LINES_PER_CHUNK), at=now())
        other = receive(world.source, [*lines(4 * LINES_PER_CHUNK), ""], at=now())

        with running_worker(tmp_path, children=2):
            wait_for(lambda: is_done(one) and is_done(other), "both files to be done")

        both = totals(world, one)["results"]
        assert both == undisturbed(4 * LINES_PER_CHUNK)["results"]

    def test_of_one_file_by_two_commands_is_accepted_once(self, tmp_path: Path) -> None:
        world = make_busy_world()
        path = tmp_path / "october.csv"
        path.write_bytes(file_of(lines(LINES_PER_CHUNK)))
        command = [sys.executable, "manage.py", "import_xdrs", str(path)]
        command += ["--provider", world.provider.slug, "--source", "freeswitch-csv"]
        environment = {**shared_environment(), "PATH": "/usr/bin:/bin"}

        runs = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        ends = sorted((run.wait(60), run.communicate()[1]) for run in runs)

        assert [status for status, _ in ends] == [0, 2]
        assert "was received before" in ends[1][1]
        assert XdrFile.objects.count() == 1


@pytest.fixture
def own_server(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[PostgresEngine]:
    """A PostgreSQL that only this test uses, hence may restart, as the default database."""
    with tempfile.TemporaryDirectory(prefix="tollgate-faults-") as folder:
        # The account PostgreSQL runs as must get at its own directory, which is closed to others.
        Path(folder).chmod(0o711)
        engine = PostgresEngine(Path(folder))
        before = dict(connection.settings_dict)
        try:
            engine.start()
            with django_db_blocker.unblock():
                connect_to(engine)
                call_command("migrate", verbosity=0)
                yield engine
        finally:
            connection.close()
            connection.settings_dict.update(before)
            engine.destroy()


def connect_to(engine: PostgresEngine) -> None:
    url = urlsplit(engine.url)
    connection.close()
    connection.settings_dict.update(
        HOST=url.hostname,
        PORT=url.port,
        USER=url.username,
        PASSWORD=url.password,
        NAME=url.path.lstrip("/"),
    )


class TestRestartedDatabase:
    def test_under_load_leaves_the_same_totals(
        self, own_server: PostgresEngine, tmp_path: Path
    ) -> None:
        world = make_busy_world()
        file = receive(world.source, lines(10 * LINES_PER_CHUNK), at=now())

        with running_worker(tmp_path, children=2) as worker:
            wait_for(lambda: file.chunks.filter(state="DONE").exists(), "a chunk to be done")
            own_server.stop()
            own_server.start()
            connection.close()
            sweep_until_done(file)
            assert worker.process.poll() is None

        assert totals(world, file) == undisturbed(10 * LINES_PER_CHUNK)


class TestCrashedDatabase:
    def test_after_chunks_that_did_not_wait_for_the_disk_leaves_the_same_totals(
        self, own_server: PostgresEngine, tmp_path: Path
    ) -> None:
        world = make_busy_world()
        file = receive(world.source, lines(6 * LINES_PER_CHUNK), at=now())
        split_file(file_id=file.pk, at=now())
        chunk_ids = list(file.chunks.order_by("number").values_list("pk", flat=True))

        for chunk_id in chunk_ids[:3]:
            rate_chunk(chunk_id=chunk_id, at=now())
            crash(own_server)
            stored = Xdr.objects.filter(chunk_id=chunk_id)
            is_kept = XdrChunk.objects.get(pk=chunk_id).state == XdrChunk.State.DONE
            assert stored.exists() == is_kept
        with running_worker(tmp_path, children=2):
            sweep_until_done(file)

        assert totals(world, file) == undisturbed(6 * LINES_PER_CHUNK)


def crash(engine: PostgresEngine) -> None:
    """Kill every process of the server at once, and start it again."""
    lock = engine.root / "postgres" / "data" / "postmaster.pid"
    server = int(lock.read_text().split()[0])
    tasks = Path(f"/proc/{server}/task").iterdir()
    children = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    for pid in [server, *children]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not engine.is_running(), "the server to be gone")
    engine.start()
    connect_to(engine)
