"""Workers on several machines that share a database, a broker and the folder of received files.

Each has a directory and an environment of its own, as on another machine, and is killed again and
again, as by a loss of power. What comes out is what comes out where nothing fails.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count, Sum

from cdr.models import Leg, Suspense, UsageCharge, Xdr, XdrChunk, XdrFile
from cdr.services.splitting import PATIENCE, requeue_lost
from common.clock import now
from tests.cdr.test_faults import lines, make_busy_world
from tests.cdr.worlds import World, counts_of
from tests.factories.cdr import Call, import_lines, receive
from tests.workers import ROOT, forget_queued_work, shared_environment

MACHINES = 3
FILES = 5
LINES, LINES_PER_CHUNK = 1_200, 150
KILLED_WITHIN_SECONDS = 0.6
MOST_SECONDS = 90
"""For all of it, on a machine that does much else; alone it takes a third."""

COUNTED = ("rated", "zero", "duplicate", "suspended", "partly_suspended", "blank")


@pytest.fixture(autouse=True)
def _broker_of_its_own(settings: Any) -> Iterator[None]:
    settings.XDR_CHUNK_LINES = LINES_PER_CHUNK
    forget_queued_work()
    yield
    forget_queued_work()


class Machine:
    """A worker that has nothing in common with others but what its environment names."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir()
        self.folder, self.starts = folder, 0
        self.environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environment}
        self.worker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # Of one process: a signal leaves no child of it at work.
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", "cdr"]
        command += ["--pool", "solo", "-n", f"{self.folder.name}@elsewhere", "-l", "info"]
        command += ["--without-gossip", "--without-mingle"]
        with (self.folder / "log").open("ab") as log:
            self.worker = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        self.starts += 1

    @property
    def is_ready(self) -> bool:
        return self.log.count(" ready.") >= self.starts

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        if self.worker is not None:
            self.worker.kill()
            self.worker.wait(10)


class Limit:
    """The time that all waiting of a test may take together."""

    def __init__(self) -> None:
        self.deadline = time.monotonic() + MOST_SECONDS

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        while not condition():
            assert time.monotonic() < self.deadline, f"waited in vain for {what}"
            time.sleep(0.05)


class Sweeper:
    """The scheduler, which finds what was lost with a killed worker; its minutes pass at once."""

    def __init__(self) -> None:
        self.at: datetime = now()

    def sweep(self) -> None:
        self.at += PATIENCE
        requeue_lost(at=self.at)


def calls_of(files: int) -> list[list[Call | str]]:
    """The lines of files of which each repeats half of the one before, in another order."""
    every = lines(LINES // 2 * (files + 1))
    halves = [every[LINES // 2 * at : LINES // 2 * (at + 1)] for at in range(files + 1)]
    return [[*reversed(halves[at + 1]), *halves[at]] for at in range(files)]


def is_over(files: list[XdrFile]) -> bool:
    waiting = XdrFile.objects.filter(pk__in=[file.pk for file in files])
    return not waiting.exclude(state=XdrFile.State.DONE).exists()


def totals(world: World, files: list[XdrFile]) -> dict[str, Any]:
    """All that the files brought, whichever of them brought it first."""
    counts = [counts_of(file) for file in files]
    own = {"provider": world.provider}
    return {
        "counts": {name: sum(found.get(name, 0) for found in counts) for name in COUNTED},
        "xdrs": list(
            Xdr.objects.filter(**own)
            .values_list("result")
            .annotate(Count("id"), Count("dedup_key", distinct=True), Sum("volume"))
            .order_by("result")
        ),
        "legs": list(
            Leg.objects.filter(**own)
            .values_list("kind", "number")
            .annotate(Count("xdr_id"), Sum("amount"), Sum("billed_volume"))
            .order_by("kind", "number")
        ),
        "charges": list(
            UsageCharge.objects.filter(**own)
            .values_list("kind", "destination", "day")
            .annotate(Sum("call_count"), Sum("billed_volume"), Sum("amount"))
            .order_by("kind", "destination", "day")
        ),
        "suspense": list(
            Suspense.objects.filter(**own, state="OPEN")
            .values_list("reason")
            .annotate(Count("pk"))
            .order_by("reason")
        ),
    }


def undisturbed(contents: list[list[Call | str]]) -> dict[str, Any]:
    """The totals of the same files imported in another world, one by one, where nothing fails."""
    world = make_busy_world()
    return totals(world, [import_lines(world.source, part, at=now()) for part in contents])


def lines_at_work(world: World) -> int:
    return XdrChunk.objects.filter(provider=world.provider, state="WAITING").count()


@pytest.fixture
def own_machines(tmp_path: Path) -> Iterator[list[Machine]]:
    """Not started yet; ended with the test, however that ends."""
    machines = [
        Machine(tmp_path / f"machine-{number}", shared_environment()) for number in range(MACHINES)
    ]
    yield machines
    for machine in machines:
        machine.kill()


@pytest.mark.django_db(transaction=True)
class TestSeveralMachines:
    def test_killed_at_random_leave_the_same_totals(self, own_machines: list[Machine]) -> None:
        seed = int(os.environ.get("KILLS_SEED") or random.randrange(10**6))
        print(f"KILLS_SEED={seed} brings the same moments again")  # noqa: T201 - shown on failure
        chance, limit, sweeper = random.Random(seed), Limit(), Sweeper()
        world, contents = make_busy_world(), calls_of(FILES)
        for machine in own_machines:
            machine.start()

        files, hit = [], 0
        for content in contents:
            victim = chance.choice(own_machines)
            limit.wait_for(lambda: victim.is_ready, "the machine to be killed")  # noqa: B023
            files.append(receive(world.source, content, at=now()))
            time.sleep(chance.uniform(0, KILLED_WITHIN_SECONDS))
            victim.kill()
            hit += not is_over(files)
            victim.start()
            sweeper.sweep()

        def swept() -> bool:
            sweeper.sweep()
            time.sleep(0.3)
            return is_over(files)

        limit.wait_for(swept, f"all files to be done; {lines_at_work(world)} chunks are not")
        assert hit, "every machine was killed when all was done"
        assert totals(world, files) == undisturbed(contents)

    def test_of_which_one_has_not_the_folder_leave_the_same_totals(
        self, own_machines: list[Machine], tmp_path: Path
    ) -> None:
        """As where the shared folder is not mounted: it harms nothing but the time it takes."""
        limit, sweeper, world = Limit(), Sweeper(), make_busy_world()
        (content,) = calls_of(1)
        without, whole = own_machines[:2]
        without.environment["XDR_FILES_DIR"] = str(tmp_path / "not mounted")
        without.start()
        file = receive(world.source, content, at=now())
        limit.wait_for(lambda: "cannot read" in without.log, "the one without to say so")
        file.refresh_from_db()
        before = file.state, file.error

        whole.start()

        def swept() -> bool:
            sweeper.sweep()
            time.sleep(0.3)
            return is_over([file])

        limit.wait_for(swept, "the file to be done")
        file.refresh_from_db()
        assert before == (
            "RECEIVED",
            "A worker could not reach the stored file: it waits for one that can.",
        )
        assert file.error == ""
        assert totals(world, [file]) == undisturbed([content])
