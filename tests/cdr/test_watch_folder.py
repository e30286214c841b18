"""The command, killed again and again while it takes files in."""

import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from cdr.models import XdrFile
from cdr.services.watching import SETTLE, take_files, watched_folder
from common.clock import now
from tests.cdr.worlds import World, make_world
from tests.factories.cdr import Call, file_of
from tests.workers import shared_environment

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
FILES = 6
KILLED_AFTER = 2
PATIENCE = 60


@pytest.fixture
def world(transactional_db: None, settings: Any, tmp_path: Path) -> World:
    settings.XDR_WATCH_DIR = tmp_path / "incoming"
    made = make_world()
    take_files(source=made.source, at=now())
    return made


def put(world: World, count: int) -> None:
    for number in range(count):
        path = watched_folder(world.source) / f"calls-{number:02}.csv"
        path.write_bytes(file_of([Call(account="carla")]))
    time.sleep(SETTLE.total_seconds())


def done(world: World) -> list[str]:
    return sorted(path.name for path in (watched_folder(world.source) / "done").iterdir())


def command_of(world: World, settings: Any) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "manage.py", "watch_folder", "--every", "0.1"]
    command += ["--provider", world.provider.slug, "--source", world.source.slug]
    environment = {
        **shared_environment(),
        "PATH": "/usr/bin:/bin",
        "XDR_WATCH_DIR": str(settings.XDR_WATCH_DIR),
        "XDR_FILES_DIR": str(settings.XDR_FILES_DIR),
    }
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


class TestWatchFolder:
    def test_receives_each_file_once_however_often_it_is_killed(
        self, world: World, settings: Any
    ) -> None:
        put(world, FILES)
        kills = 0

        while len(done(world)) < FILES:
            before, deadline = len(done(world)), time.monotonic() + PATIENCE
            watching = command_of(world, settings)
            while len(done(world)) < min(before + KILLED_AFTER, FILES):
                assert time.monotonic() < deadline, "no file is taken in"
                time.sleep(0.001)
            watching.kill()
            watching.wait()
            kills += 1
        take_files(source=world.source, at=now())

        folder = watched_folder(world.source)
        assert kills > 1
        assert done(world) == [f"calls-{number:02}.csv" for number in range(FILES)]
        assert sorted(XdrFile.objects.values_list("name", flat=True)) == done(world)
        assert list((folder / "refused").iterdir()) == []
        assert list((folder / "taken").iterdir()) == []

    def test_says_what_it_took_and_why_not(self, world: World) -> None:
        (watched_folder(world.source) / "empty.csv").touch()
        put(world, 1)
        output = StringIO()

        call_command(
            "watch_folder",
            provider=world.provider.slug,
            source=world.source.slug,
            once=True,
            stdout=output,
        )

        text = output.getvalue()
        assert f"calls-00.csv received as file {XdrFile.objects.get().pk}." in text
        assert "empty.csv refused: empty.csv is empty" in text
