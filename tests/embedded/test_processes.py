import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from embedded.processes import BackgroundProcess, background_processes, is_alive

SLEEP = ["/bin/sleep", "300"]


class TestBackgroundProcess:
    def test_runs_until_it_is_stopped(self, tmp_path: Path) -> None:
        process = BackgroundProcess(tmp_path, "worker")

        process.start(SLEEP)
        pid = process.pid()

        assert pid is not None
        assert is_alive(pid)
        process.stop()
        assert not is_alive(pid)
        assert not process.is_running()
        assert not process.pid_path.exists()

    def test_starts_once(self, tmp_path: Path) -> None:
        process = BackgroundProcess(tmp_path, "worker")
        process.start(SLEEP)
        pid = process.pid()

        process.start(SLEEP)

        assert process.pid() == pid
        process.stop()

    def test_writes_its_log(self, tmp_path: Path) -> None:
        process = BackgroundProcess(tmp_path, "worker")

        process.start(["/bin/sh", "-c", "echo out; echo err >&2"])
        while process.is_running():
            time.sleep(0.01)

        assert process.log_tail() == "out\nerr"
        assert process.log_tail(lines=1) == "err"

    def test_is_gone_once_killed_and_starts_again(self, tmp_path: Path) -> None:
        process = BackgroundProcess(tmp_path, "worker")
        process.start(SLEEP)
        killed = process.pid()
        assert killed is not None

        os.kill(killed, signal.SIGKILL)
        while is_alive(killed):
            time.sleep(0.01)

        assert process.pid_path.exists()
        assert not process.is_running()
        process.start(SLEEP)
        assert process.pid() not in {killed, None}
        process.stop()

    def test_leaves_a_stranger_with_a_recycled_pid_alone(self, tmp_path: Path) -> None:
        process = BackgroundProcess(tmp_path, "worker")
        process.start(SLEEP)
        mark = process.pid_path.read_text().split()[1]
        process.stop()
        time.sleep(2 / os.sysconf("SC_CLK_TCK"))  # a start is known to the tick
        with subprocess.Popen(SLEEP) as stranger:
            process.pid_path.write_text(f"{stranger.pid} {mark}\n")

            running = process.is_running()
            process.stop()

            assert not running
            assert is_alive(stranger.pid)
            stranger.kill()

    @pytest.mark.parametrize("written", ["", "no pid", "1"])
    def test_takes_a_spoiled_pid_file_for_none(self, tmp_path: Path, written: str) -> None:
        process = BackgroundProcess(tmp_path, "worker")
        process.pid_path.parent.mkdir()
        process.pid_path.write_text(written)

        assert process.pid() is None

    def test_is_killed_when_it_will_not_end(self, tmp_path: Path) -> None:
        process = BackgroundProcess(tmp_path, "stubborn")
        process.start(["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"])
        pid = process.pid()
        assert pid is not None
        while process.log_tail() != "ready":
            time.sleep(0.01)

        process.stop(patience=0.2)

        assert not is_alive(pid)

    def test_gets_the_given_environment_and_directory(self, tmp_path: Path) -> None:
        process = BackgroundProcess(tmp_path, "worker")

        process.start(["/bin/sh", "-c", 'echo "$PORT"; pwd'], env={"PORT": "8001"}, cwd=Path("/"))
        while process.is_running():
            time.sleep(0.01)

        assert process.log_tail() == "8001\n/"


class TestBackgroundProcesses:
    def test_lists_those_with_a_pid_file_by_name(self, tmp_path: Path) -> None:
        worker, beat = (BackgroundProcess(tmp_path, name) for name in ("worker", "beat"))
        worker.start(SLEEP)
        beat.start(SLEEP)

        listed = background_processes(tmp_path)

        assert listed == [beat, worker]
        worker.stop()
        beat.stop()
        assert background_processes(tmp_path) == []
