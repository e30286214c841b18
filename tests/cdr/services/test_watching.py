"""Folders that switches put files into: what is taken, where it goes, and what a kill leaves."""

import gzip
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cdr.models import XdrFile
from cdr.services import watching
from cdr.services.watching import SETTLE, take_files, watched_folder
from tests.cdr.worlds import World, make_world
from tests.factories.cdr import Call, file_of

# When all that the tests have put there is complete, however long they take.
LATER = datetime.now(UTC) + SETTLE + timedelta(hours=1)


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path) -> World:
    settings.XDR_WATCH_DIR = tmp_path / "incoming"
    made = make_world()
    take_files(source=made.source, at=LATER)
    return made


def put(world: World, name: str, content: bytes | None = None) -> Path:
    path = watched_folder(world.source) / name
    path.write_bytes(file_of([Call(account="carla")]) if content is None else content)
    return path


def names(world: World, place: str) -> list[str]:
    return sorted(path.name for path in (watched_folder(world.source) / place).iterdir())


class TestACompleteFile:
    def test_is_received_and_moved_to_done(self, world: World) -> None:
        put(world, "monday.csv")

        (taken,) = take_files(source=world.source, at=LATER)

        file = XdrFile.objects.get()
        assert (taken.name, taken.file) == ("monday.csv", file)
        assert (file.source, file.name, file.received_by) == (world.source, "monday.csv", None)
        assert names(world, "done") == ["monday.csv"]
        assert names(world, "taken") == names(world, "refused") == []

    def test_may_be_compressed(self, world: World) -> None:
        put(world, "monday.csv.gz", gzip.compress(file_of([Call(account="carla")])))

        (taken,) = take_files(source=world.source, at=LATER)

        assert taken.file is not None

    def test_of_the_same_name_as_another_is_kept_beside_it(self, world: World) -> None:
        put(world, "calls.csv")
        take_files(source=world.source, at=LATER)
        put(world, "calls.csv")
        take_files(source=world.source, at=LATER)

        assert XdrFile.objects.count() == 2
        assert len(names(world, "done")) == 2

    def test_of_a_disabled_source_stays(self, world: World) -> None:
        world.source.is_enabled = False
        world.source.save()
        path = put(world, "monday.csv")

        assert take_files(source=world.source, at=LATER) == []
        assert path.exists()


class TestAnUnfinishedFile:
    @pytest.mark.parametrize("name", [".monday.csv", "monday.csv.part", "monday.csv.FILEPART"])
    def test_is_told_by_its_name(self, world: World, name: str) -> None:
        put(world, name)

        assert take_files(source=world.source, at=LATER) == []
        assert not XdrFile.objects.exists()

    def test_is_one_that_was_written_to_just_now(self, world: World) -> None:
        path = put(world, "monday.csv")
        os.utime(path, (0, 0))  # As copying with its times does.

        assert take_files(source=world.source, at=datetime.now(UTC)) == []
        assert len(take_files(source=world.source, at=LATER)) == 1

    def test_is_nothing_but_a_file(self, world: World, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_bytes(b"x")
        (watched_folder(world.source) / "link.csv").symlink_to(secret)
        (watched_folder(world.source) / "folder.csv").mkdir()

        assert take_files(source=world.source, at=LATER) == []


class TestARefusedFile:
    def test_has_the_reason_beside_it(self, world: World) -> None:
        put(world, "empty.csv", b"")

        (taken,) = take_files(source=world.source, at=LATER)

        folder = watched_folder(world.source) / "refused"
        assert taken.file is None
        assert names(world, "refused") == ["empty.csv", "empty.csv.reason.txt"]
        assert (folder / "empty.csv.reason.txt").read_text() == f"{taken.reason}\n"
        assert "is empty" in taken.reason

    def test_is_one_whose_bytes_are_known(self, world: World) -> None:
        content = file_of([Call(account="carla")])
        put(world, "first.csv", content)
        put(world, "second.csv", content)

        take_files(source=world.source, at=LATER)

        reason = watched_folder(world.source) / "refused" / "second.csv.reason.txt"
        assert XdrFile.objects.count() == 1
        assert "was received before" in reason.read_text()

    def test_does_not_keep_the_others_waiting(self, world: World) -> None:
        put(world, "a.csv", b"")
        put(world, "b.csv")

        taken = take_files(source=world.source, at=LATER)

        assert [each.file is not None for each in taken] == [False, True]

    @pytest.mark.parametrize("name", ["a" * 251 + ".csv", "\u00e9" * 120 + "." + "e" * 14])
    def test_of_a_long_name_does_not_either(self, world: World, name: str) -> None:
        for _ in range(2):
            put(world, name, b"")
            take_files(source=world.source, at=LATER)
        put(world, "b.csv")

        (taken,) = take_files(source=world.source, at=LATER)

        assert taken.file is not None
        assert len(names(world, "refused")) == 4
        assert names(world, "taken") == []


class TestAPassThatWasStopped:
    def test_before_the_file_was_received_is_done_again(self, world: World) -> None:
        claim = watched_folder(world.source) / "taken" / ("a" * 32)
        claim.mkdir()
        put(world, "monday.csv").rename(claim / "monday.csv")

        (taken,) = take_files(source=world.source, at=LATER)

        assert taken.file is not None
        assert taken.file.stored_name == f"{'a' * 32}.xdr"
        assert names(world, "done") == ["monday.csv"]

    def test_after_the_file_was_received_puts_it_away(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(world, "monday.csv")

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(watching, "_put_away", stop)
            with pytest.raises(KeyboardInterrupt):
                take_files(source=world.source, at=LATER)
        received = XdrFile.objects.get()

        (taken,) = take_files(source=world.source, at=LATER)

        assert taken.file == received
        assert XdrFile.objects.count() == 1
        assert names(world, "done") == ["monday.csv"]
        assert names(world, "refused") == names(world, "taken") == []

    def test_leaves_the_folder_to_another(self, world: World) -> None:
        put(world, "monday.csv")
        holder = (
            "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
            " print('held', flush=True); time.sleep(60)"
        )
        lock = watched_folder(world.source) / ".lock"
        with subprocess.Popen(
            [sys.executable, "-c", holder, str(lock)], stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            while_held = take_files(source=world.source, at=LATER)
            other.send_signal(signal.SIGKILL)
            other.wait()

        assert while_held == []
        assert len(take_files(source=world.source, at=LATER)) == 1
