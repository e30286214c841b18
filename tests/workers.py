"""A Celery worker in a process of its own, on the database and broker of the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from redis import Redis

from config.celery import ALL_QUEUES

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
END_SECONDS = 30
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Worker:
    """A running worker; its tasks run in `children` processes forked from it."""

    process: subprocess.Popen[bytes]
    log_path: Path

    def kill(self) -> None:
        """End it and its children at once, with no chance to clean up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(END_SECONDS)

    def stop(self) -> None:
        """Ask it to end; insist if it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")


@contextmanager
def running_worker(
    folder: Path, *, children: int = 1, environment: Mapping[str, str] | None = None
) -> Iterator[Worker]:
    """A worker that takes tasks of every queue; stopped at the end, its log kept in `folder`."""
    worker = start_worker(folder, children=children, environment=environment)
    try:
        yield worker
    finally:
        worker.stop()


def start_worker(
    folder: Path, *, children: int = 1, environment: Mapping[str, str] | None = None
) -> Worker:
    """The worker once it is ready; whoever starts it stops it."""
    log_path = folder / f"worker-{time.monotonic_ns()}.log"
    arguments = [
        "worker",
        "-Q",
        ",".join(ALL_QUEUES),
        "-c",
        str(children),
        "-l",
        "info",
        "-n",
        log_path.stem,
    ]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", *arguments],
            cwd=ROOT,
            env={**os.environ, **shared_environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    worker = Worker(process, log_path)
    try:
        wait_for(lambda: " ready." in worker.log, "the worker to be ready", START_SECONDS)
    except AssertionError:
        worker.stop()
        raise AssertionError(f"The worker did not start:\n{worker.log}") from None
    return worker


def shared_environment() -> dict[str, str]:
    """Settings for another process to share this test's database, broker and files."""
    database = connection.settings_dict
    user, password = quote(database["USER"]), quote(database["PASSWORD"], safe="")
    address = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return {
        "DATABASE_URL": f"postgres://{user}:{password}@{address}",
        "REDIS_URL": settings.REDIS_URL,
        "XDR_FILES_DIR": str(settings.XDR_FILES_DIR),
        "RATE_FILES_DIR": str(settings.RATE_FILES_DIR),
        "XDR_CHUNK_LINES": str(settings.XDR_CHUNK_LINES),
    }


def forget_queued_work() -> None:
    """Empty the test's broker, as if it had been lost with all it held."""
    with Redis.from_url(settings.REDIS_URL) as broker:
        broker.flushdb()


def wait_for(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Poll until the condition holds.

    :raises AssertionError: it did not in `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(POLL_SECONDS)
