"""Workers to measure, and what they take."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Workers:
    """A Celery worker that rates in processes forked from it."""

    process: subprocess.Popen[bytes]

    def peak_mib(self) -> int:
        """The greatest resident memory that one of its processes has ever had."""
        return max(peak_kib(pid) for pid in children(self.process.pid)) // 1024

    def cpu_seconds(self) -> float:
        """What all its processes have computed for so far."""
        return cpu_seconds(self.process.pid)


@contextmanager
def running_workers(folder: Path, count: int) -> Iterator[Workers]:
    """A worker with `count` processes, ready; stopped at the end."""
    log_path = folder / f"worker-{count}.log"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", "cdr", "-l", "info"]
    with log_path.open("wb") as log:
        process = subprocess.Popen([*command, "-c", str(count)], cwd=ROOT, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while " ready." not in log_path.read_text():
            if time.monotonic() > deadline:
                raise TimeoutError(log_path.read_text())
            time.sleep(0.1)
        yield Workers(process)
    finally:
        process.terminate()
        process.wait()


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)


def cpu_seconds(pid: int) -> float:
    """What a process, its living children and its ended ones have computed for so far."""
    while True:
        try:
            living = [cpu_ticks(child)[0] for child in children(pid)]
        except FileNotFoundError:  # one has ended meanwhile, and is among those now
            continue
        own, ended = cpu_ticks(pid)
        return (own + ended + sum(living)) / TICKS_PER_SECOND


def cpu_ticks(pid: int) -> tuple[int, int]:
    """Of the process itself, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, ended_user, ended_system = map(int, fields[11:15])
    return user + system, ended_user + ended_system


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
