import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from embedded.files import read_json
from embedded.processes import BackgroundProcess, ProcessFailed, is_alive
from embedded.valkey import ValkeyEngine

REPOSITORY = Path(__file__).resolve().parents[2]


def connect(engine: ValkeyEngine) -> redis.Redis:
    return redis.Redis.from_url(engine.url, decode_responses=True)


def server_pid(engine: ValkeyEngine) -> int:
    pid = BackgroundProcess(engine.root, "valkey").pid()
    assert pid is not None
    return pid


class TestStart:
    def test_gives_a_private_server_that_refuses_rather_than_forgets(self, root: Path) -> None:
        engine = ValkeyEngine(root)

        engine.start()

        assert engine.is_running()
        settings = connect(engine).config_get("bind", "maxmemory-policy", "appendonly", "databases")
        assert settings == {
            "bind": "127.0.0.1",
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
            "databases": "64",
        }
        assert (root / "valkey.json").stat().st_mode & 0o777 == 0o600
        assert (root / "valkey" / "valkey.conf").stat().st_mode & 0o777 == 0o600

    def test_refuses_a_client_without_the_password(self, root: Path) -> None:
        engine = ValkeyEngine(root)
        engine.start()
        port = int(read_json(root / "valkey.json")["port"])

        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()

    def test_does_nothing_while_it_runs(self, root: Path) -> None:
        engine = ValkeyEngine(root)
        engine.start()
        pid = server_pid(engine)

        engine.start()

        assert server_pid(engine) == pid

    def test_by_several_processes_at_once_starts_one_server(self, root: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from embedded.valkey import ValkeyEngine;"
            "ValkeyEngine(Path(sys.argv[1])).start()"
        )
        command = [sys.executable, "-c", script, str(root)]

        starters = [subprocess.Popen(command, cwd=REPOSITORY) for _ in range(3)]

        assert [starter.wait() for starter in starters] == [0, 0, 0]
        assert ValkeyEngine(root).is_running()
        assert (root / "log" / "valkey.log").read_text().count("Valkey is starting") == 1

    def test_of_two_directories_at_once_keeps_them_apart(
        self, make_root: Callable[[], Path]
    ) -> None:
        first, second = ValkeyEngine(make_root()), ValkeyEngine(make_root())

        with ThreadPoolExecutor() as pool:
            list(pool.map(ValkeyEngine.start, [first, second]))

        connect(first).set("only", "here")
        assert connect(second).get("only") is None
        first.stop()
        assert second.is_running()

    def test_moves_to_another_port_when_its_own_is_taken(self, root: Path) -> None:
        engine = ValkeyEngine(root)
        engine.start()
        connect(engine).set("kept", "7")
        engine.stop()
        port = int(read_json(root / "valkey.json")["port"])

        with socket.create_server(("127.0.0.1", port)):
            engine.start()

        assert read_json(root / "valkey.json")["port"] != port
        assert connect(engine).get("kept") == "7"

    def test_says_what_the_server_said_when_it_fails(self, root: Path) -> None:
        engine = ValkeyEngine(root)
        engine.start()
        engine.stop()
        (manifest,) = (root / "valkey").rglob("*.manifest")
        manifest.write_text("spoiled\n")

        with pytest.raises(ProcessFailed, match="manifest"):
            engine.start()


class TestStop:
    def test_keeps_the_data_and_the_address_for_the_next_start(self, root: Path) -> None:
        engine = ValkeyEngine(root)
        engine.start()
        connect(engine).lpush("queue", "task")
        url = engine.url

        engine.stop()
        stopped = not engine.is_running()
        engine.start()

        assert stopped
        assert engine.url == url
        assert connect(engine).lrange("queue", 0, -1) == ["task"]

    def test_of_a_server_never_started_does_nothing(self, root: Path) -> None:
        engine = ValkeyEngine(root)

        engine.stop()

        assert not (root / "valkey").exists()
        assert engine.url == ""


class TestRecovery:
    def test_starts_again_when_the_server_was_killed(self, root: Path) -> None:
        engine = ValkeyEngine(root)
        engine.start()
        connect(engine).set("kept", "7")
        connect(engine).waitaof(1, 0, 5000)
        pid = server_pid(engine)

        os.kill(pid, signal.SIGKILL)
        while is_alive(pid):
            time.sleep(0.01)
        running = engine.is_running()
        engine.start()

        assert not running
        assert server_pid(engine) != pid
        assert connect(engine).get("kept") == "7"


class TestDestroy:
    def test_leaves_nothing(self, root: Path) -> None:
        engine = ValkeyEngine(root)
        engine.start()
        pid = server_pid(engine)

        engine.destroy()

        assert not is_alive(pid)
        assert not (root / "valkey").exists()
        assert engine.url == ""
