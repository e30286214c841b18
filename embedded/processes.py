"""Processes that outlive the command that started them, found again by a pid file."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.files import write_private

POLL_SECONDS = 0.01

# A child that ended stays a zombie until its parent asks; kept so that we can.
_children: list[subprocess.Popen[bytes]] = []


class ProcessFailed(Exception):
    """A server or command ended, or did not end, when it should not."""


@dataclass(frozen=True)
class Account:
    """A user of the operating system."""

    uid: int
    gid: int


def spawn(
    command: Sequence[str],
    *,
    log_path: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
) -> int:
    """Start ``command`` in a session of its own, out of reach of Ctrl-C; return its pid."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - our own programs
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    _children.append(child)
    return child.pid


def is_alive(pid: int) -> bool:
    """Whether ``pid`` runs; a zombie does not."""
    return start_mark(pid) is not None


def start_mark(pid: int) -> str | None:
    """What tells this process from a later one that is given the same pid; None if it is gone.

    Boot id and start time in clock ticks since boot, so a stepped clock changes nothing.
    """
    _reap()
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name, in parentheses, may itself hold blanks and parentheses.
    fields = stat.rpartition(")")[2].split()
    state, started_ticks = fields[0], fields[19]
    if state in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{started_ticks}"


def command_line(pid: int) -> list[str]:
    """The arguments ``pid`` was started with; empty if it is gone."""
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def terminate(pid: int, *, first: signal.Signals, then: signal.Signals, patience: float) -> None:
    """Send ``first``, after ``patience`` seconds ``then``, and wait until the process is gone.

    :raises ProcessFailed: it is still there ``patience`` seconds after the second signal.
    """
    mark = start_mark(pid)
    for sent in (first, then):
        if mark is None or start_mark(pid) != mark:
            return
        os.kill(pid, sent)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if start_mark(pid) != mark:
                return
            time.sleep(POLL_SECONDS)
    raise ProcessFailed(f"Process {pid} does not end")


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


@dataclass(frozen=True)
class BackgroundProcess:
    """A process known by its pid file ``<root>/run/<name>.pid``, logging to ``<root>/log``."""

    root: Path
    name: str

    @property
    def pid_path(self) -> Path:
        return self.root / "run" / f"{self.name}.pid"

    @property
    def log_path(self) -> Path:
        return self.root / "log" / f"{self.name}.log"

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start ``command`` unless the process runs already. ``env`` replaces the environment."""
        if self.is_running():
            return
        pid = spawn(command, log_path=self.log_path, env=env, cwd=cwd)
        write_private(self.pid_path, f"{pid} {start_mark(pid) or 'ended'}\n")

    def pid(self) -> int | None:
        """The pid while the very process we started is alive, else None."""
        try:
            number, _, mark = self.pid_path.read_text().strip().partition(" ")
        except FileNotFoundError:
            return None
        if not number.isdecimal() or start_mark(int(number)) != mark:
            return None
        return int(number)

    def is_running(self) -> bool:
        return self.pid() is not None

    def stop(self, *, patience: float = 30) -> None:
        """Ask the process to end, insist after ``patience`` seconds; nothing if it is gone."""
        pid = self.pid()
        if pid is not None:
            terminate(pid, first=signal.SIGTERM, then=signal.SIGKILL, patience=patience)
        self.pid_path.unlink(missing_ok=True)

    def log_tail(self, lines: int = 15) -> str:
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


def background_processes(root: Path) -> list[BackgroundProcess]:
    """Every process with a pid file under ``root``, by name."""
    return [BackgroundProcess(root, path.stem) for path in sorted((root / "run").glob("*.pid"))]
