"""The programs that the demo starts and leaves running: web server, worker and scheduler."""

import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from common.errors import DomainError
from embedded.ports import is_free
from embedded.processes import BackgroundProcess

HOST = "127.0.0.1"
WEB_ARGUMENTS = ["--workers", "2", "--threads", "25"]
"""Fifty callers are served at once: the xDRs they send at the same time are rated together."""

_WORKER_PROCESSES = "2"
_QUEUES = "cdr,billing,payments,documents,default"
_PATIENCE_SECONDS = 60
_POLL_SECONDS = 0.1
_PORTS_TRIED = 100
_LAST_PORT = 65_535


class NotStarted(DomainError):
    """A program of the demo did not come up."""


class PortRefused(DomainError):
    """The number is no port."""


@dataclass(frozen=True)
class Installation:
    """The running demo: where its pages are, and its programs."""

    url: str
    programs: tuple[BackgroundProcess, ...]

    def stop(self) -> None:
        """End the programs; the data stay."""
        for program in self.programs:
            program.stop()


def start_installation(wanted_port: int) -> Installation:
    """Start what does not run yet; the web server on `wanted_port` or the next free one.

    :raises PortRefused: if `wanted_port` is none.
    :raises NotStarted: with the end of the program's log.
    """
    if not 1 <= wanted_port <= _LAST_PORT:
        raise PortRefused(f"{wanted_port} is not a port; set PORT to 1 to {_LAST_PORT}.")
    web, worker, beat = (_program(name) for name in ("web", "worker", "beat"))
    port = _known_port() if web.is_running() else _free_port(wanted_port)
    url = f"http://{HOST}:{port}"
    environment = {**os.environ, "PUBLIC_URL": url, "TOLLGATE_MODE": "demo"}
    commands = {
        web: _python("gunicorn", "config.wsgi", "--bind", f"{HOST}:{port}", *WEB_ARGUMENTS),
        worker: _celery("worker", "-c", _WORKER_PROCESSES, "-Q", _QUEUES),
        beat: _celery("beat", "--schedule", str(settings.VAR_DIR / "run" / "beat-schedule")),
    }
    # Noted first: whoever interrupts this finds a running server's port all the same.
    _port_path().parent.mkdir(parents=True, exist_ok=True)
    _port_path().write_text(str(port))
    for program, command in commands.items():
        program.start(command, env=environment, cwd=settings.BASE_DIR)
    _await_ready(web, url)
    return Installation(url, (web, worker, beat))


def _program(name: str) -> BackgroundProcess:
    return BackgroundProcess(settings.VAR_DIR, name)


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def _celery(*arguments: str) -> list[str]:
    return _python("celery", "-A", "config", *arguments, "--loglevel", "WARNING")


def _port_path() -> Path:
    path: Path = settings.VAR_DIR / "run" / "web.port"
    return path


def _known_port() -> int:
    return int(_port_path().read_text())


def _free_port(wanted: int) -> int:
    last = min(wanted + _PORTS_TRIED - 1, _LAST_PORT)
    for port in range(wanted, last + 1):
        if is_free(port):
            return port
    raise NotStarted(f"No port from {wanted} to {last} is free; set PORT.")


def _await_ready(web: BackgroundProcess, url: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _is_ready(url):
        if not web.is_running() or time.monotonic() > deadline:
            raise NotStarted(f"The web server did not come up at {url}:\n{web.log_tail()}")
        time.sleep(_POLL_SECONDS)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
