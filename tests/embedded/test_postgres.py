import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from embedded.accounts import server_account
from embedded.files import read_json
from embedded.postgres import PostgresEngine
from embedded.processes import ProcessFailed, is_alive, spawn

REPOSITORY = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
START = "import sys; from pathlib import Path; from embedded.postgres import PostgresEngine as E; "


def execute(engine: PostgresEngine, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(engine.url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    while is_alive(pid):
        time.sleep(0.01)


def postmaster(engine: PostgresEngine) -> int:
    return int((engine.root / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


class TestStart:
    def test_gives_a_database_whose_owner_is_no_superuser(self, root: Path) -> None:
        engine = PostgresEngine(root)

        engine.start()

        assert engine.is_running()
        assert execute(
            engine,
            "SELECT current_database(), rolname, rolsuper, rolbypassrls, rolcreaterole,"
            " rolcreatedb, pg_get_userbyid(datdba) FROM pg_roles, pg_database"
            " WHERE rolname = current_user AND datname = current_database()",
        ) == [("tollgate", "tollgate", False, False, True, True, "tollgate")]

    def test_is_private_safe_and_the_same_everywhere(self, root: Path) -> None:
        engine = PostgresEngine(root)

        engine.start()

        names = ("listen_addresses", "fsync", "jit", "TimeZone")
        settings = [execute(engine, f"SHOW {name}")[0][0] for name in names]
        assert settings == ["127.0.0.1", "on", "off", "UTC"]
        assert execute(
            engine,
            "SELECT 'é' < 'z', upper('é'), pg_encoding_to_char(encoding)"
            " FROM pg_database WHERE datname = 'tollgate'",
        ) == [(False, "É", "UTF8")]
        assert (root / "postgres.json").stat().st_mode & 0o777 == 0o600
        assert (root / "postgres").stat().st_mode & 0o777 == 0o700

    def test_refuses_a_wrong_password(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        port = read_json(root / "postgres.json")["port"]

        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(f"postgres://tollgate:wrong@127.0.0.1:{port}/tollgate")

    def test_does_nothing_while_it_runs(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        pid = postmaster(engine)

        engine.start()

        assert postmaster(engine) == pid

    def test_by_several_processes_at_once_starts_one_server(self, root: Path) -> None:
        command = [sys.executable, "-c", f"{START} E(Path(sys.argv[1])).start()", str(root)]

        starters = [subprocess.Popen(command, cwd=REPOSITORY) for _ in range(3)]

        assert [starter.wait() for starter in starters] == [0, 0, 0]
        engine = PostgresEngine(root)
        assert engine.is_running()
        log = engine.log_path.read_text()
        assert log.count("starting PostgreSQL 18") == 1
        assert "FATAL" not in log

    def test_of_two_directories_at_once_keeps_them_apart(
        self, make_root: Callable[[], Path]
    ) -> None:
        engines = [PostgresEngine(make_root()), PostgresEngine(make_root())]

        with ThreadPoolExecutor() as pool:
            list(pool.map(PostgresEngine.start, engines))

        first, second = engines
        execute(first, "CREATE TABLE only_here ()")
        assert execute(first, "SELECT to_regclass('only_here')::text") == [("only_here",)]
        assert execute(second, "SELECT to_regclass('only_here')::text") == [(None,)]
        first.stop()
        assert second.is_running()

    def test_moves_to_another_port_when_its_own_is_taken(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        execute(engine, "CREATE TABLE kept AS SELECT 7 AS seven")
        engine.stop()
        port = int(read_json(root / "postgres.json")["port"])

        with socket.create_server(("127.0.0.1", port)):
            engine.start()

        assert read_json(root / "postgres.json")["port"] != port
        assert execute(engine, "SELECT seven FROM kept") == [(7,)]

    def test_finishes_an_interrupted_first_start(self, root: Path) -> None:
        engine = PostgresEngine(root)
        (root / "postgres" / "data.new" / "base").mkdir(parents=True)
        account = server_account()
        if account is not None:
            os.chown(root / "postgres", account.uid, account.gid)

        engine.start()

        assert execute(engine, "SELECT 1") == [(1,)]

    def test_refuses_data_whose_passwords_are_lost(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        engine.stop()
        (root / "postgres.json").unlink()

        with pytest.raises(ProcessFailed, match=r"passwords of .* are lost"):
            engine.start()

        assert (root / "postgres" / "data" / "PG_VERSION").exists()
        assert not (root / "postgres.json").exists()

    def test_says_what_the_server_said_when_it_fails(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        engine.stop()
        (root / "postgres" / "data" / "global" / "pg_control").unlink()

        with pytest.raises(ProcessFailed, match="could not find the database system"):
            engine.start()


class TestStop:
    def test_keeps_the_data_and_the_address_for_the_next_start(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        execute(engine, "CREATE TABLE kept AS SELECT 7 AS seven")
        url = engine.url

        engine.stop()
        stopped = not engine.is_running()
        engine.start()

        assert stopped
        assert engine.url == url
        assert execute(engine, "SELECT seven FROM kept") == [(7,)]

    def test_ends_connections_that_are_open(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        connection = psycopg2.connect(engine.url)

        engine.stop()

        with pytest.raises(psycopg2.OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def test_of_a_server_never_started_does_nothing(self, root: Path) -> None:
        engine = PostgresEngine(root)

        engine.stop()

        assert not (root / "postgres").exists()
        assert engine.url == ""


class TestRecovery:
    def test_keeps_what_was_committed_when_the_server_is_killed(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        connection = psycopg2.connect(engine.url)  # its backend outlives the server for a moment
        execute(engine, "CREATE TABLE kept AS SELECT 7 AS seven")
        pid = postmaster(engine)

        kill(pid)
        engine.start()

        assert postmaster(engine) != pid
        assert execute(engine, "SELECT seven FROM kept") == [(7,)]
        connection.close()

    def test_sees_through_a_pid_that_now_belongs_to_somebody_else(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        lock_path = root / "postgres" / "data" / "postmaster.pid"
        lock_lines = lock_path.read_text().splitlines()
        kill(postmaster(engine))
        # PostgreSQL mistakes for itself only what runs under its own account.
        stranger = spawn(
            ["/bin/sleep", "300"], log_path=root / "log" / "sleep", account=server_account()
        )
        lock_path.write_text("\n".join([str(stranger), *lock_lines[1:]]) + "\n")
        running = engine.is_running()

        engine.start()

        assert not running
        assert execute(engine, "SELECT 1") == [(1,)]
        engine.stop()
        assert is_alive(stranger)
        kill(stranger)

    def test_of_a_copied_directory_leaves_the_original_running(
        self, make_root: Callable[[], Path]
    ) -> None:
        original, copy = PostgresEngine(make_root()), PostgresEngine(make_root())
        original.start()
        execute(original, "CREATE TABLE kept AS SELECT 7 AS seven")
        original.stop()
        subprocess.run(
            ["/bin/cp", "-a", *original.root.glob("postgres*"), str(copy.root)], check=True
        )
        original.start()

        copy.start()

        assert copy.url != original.url
        assert execute(copy, "SELECT seven FROM kept") == [(7,)]
        copy.stop()
        assert original.is_running()


class TestDestroy:
    def test_leaves_nothing(self, root: Path) -> None:
        engine = PostgresEngine(root)
        engine.start()
        pid = postmaster(engine)

        engine.destroy()

        assert not is_alive(pid)
        assert not (root / "postgres").exists()
        assert engine.url == ""


@pytest.mark.skipif(not AS_ROOT, reason="needs root, who may run servers as somebody else")
class TestAccounts:
    def test_root_has_it_run_by_an_unprivileged_account(self, root: Path) -> None:
        engine = PostgresEngine(root)

        engine.start()

        owner = Path(f"/proc/{postmaster(engine)}").stat().st_uid
        assert owner == pwd.getpwnam("nobody").pw_uid

    def test_root_may_keep_the_checkout_where_nobody_else_gets(self, root: Path) -> None:
        closed = root / "closed"
        closed.mkdir(mode=0o700)
        engine = PostgresEngine(closed)

        engine.start()

        home = (closed / "postgres").resolve()
        assert home.parent == Path("/var/lib")
        assert execute(engine, "SELECT 1") == [(1,)]
        engine.destroy()
        assert not home.exists()
        assert not (closed / "postgres").is_symlink()

    def test_an_ordinary_user_runs_it_as_himself(self) -> None:
        nobody = pwd.getpwnam("nobody")
        python = readable_python(nobody)
        if python is None:
            pytest.skip("no Python of this version that an ordinary user may run")
        root = Path(tempfile.mkdtemp(prefix="tollgate-test-"))
        os.chown(root, nobody.pw_uid, nobody.pw_gid)
        script = f"{START} e = E(Path(sys.argv[1])); e.start(); print(e.url); e.stop(); e.start()"
        packages = os.pathsep.join([str(REPOSITORY), *sys.path])

        ran = subprocess.run(
            [python, "-c", script, str(root)],
            check=True,
            cwd="/",
            env={"PYTHONPATH": packages},
            capture_output=True,
            text=True,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
        )

        engine = PostgresEngine(root)
        assert ran.stdout == f"{engine.url}\n"
        assert (root / "postgres.json").stat().st_uid == nobody.pw_uid
        assert Path(f"/proc/{postmaster(engine)}").stat().st_uid == nobody.pw_uid
        engine.destroy()
        shutil.rmtree(root)


def readable_python(user: pwd.struct_passwd) -> str | None:
    """A Python of our version that ``user`` may run together with our packages."""
    wanted = f"import sys, psycopg2; assert sys.version_info[:2] == {tuple(sys.version_info[:2])}"
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            ran = subprocess.run(
                [python, "-c", wanted],
                check=False,
                cwd="/",
                env={"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
                capture_output=True,
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
            )
        except OSError:
            continue
        if ran.returncode == 0:
            return python
    return None
