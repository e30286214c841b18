import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest
import redis

REPOSITORY = Path(__file__).resolve().parents[2]

HOLD = """
import subprocess, sys, time
engines = subprocess.Popen(
    [sys.executable, "-m", "embedded.throwaway"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
)
print(engines.stdout.readline().decode(), end="", flush=True)
time.sleep(300)
"""

# A run of its own: nothing of the run around it may reach it.
OURS = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTEST_ADDOPTS")
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in OURS and not name.startswith("PYTEST_XDIST")
}
TEST = """
import os, psycopg2, pytest, redis

@pytest.mark.parametrize("number", range(4))
def test_has_engines(number):
    print("URLS", os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    psycopg2.connect(os.environ["DATABASE_URL"]).close()
    redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
"""


def start_pytest(directory: Path, *options: str) -> subprocess.Popen[str]:
    (directory / "test_engines.py").write_text(TEST)
    (directory / "pytest.ini").write_text("[pytest]\n")
    plugins = ["no:cacheprovider", "no:valkey", "no:django", "embedded.pytest_plugin"]
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-rP",
            *(f"-p{plugin}" for plugin in plugins),
            *options,
            "--rootdir",
            str(directory),
            str(directory),
        ],
        cwd=REPOSITORY,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )


def urls_printed(run: subprocess.Popen[str]) -> tuple[set[str], set[str]]:
    """The database and Redis URLs the tests of a run saw, once it passed."""
    output, _ = run.communicate()
    assert run.returncode == 0, output
    seen = re.findall(r"^URLS (\S+) (\S+)$", output, re.MULTILINE)
    assert len(seen) == 4
    return {database for database, _ in seen}, {broker for _, broker in seen}


def is_refused(database_url: str) -> bool:
    try:
        psycopg2.connect(database_url).close()
    except psycopg2.OperationalError as error:
        return "Connection refused" in str(error)
    return False


class TestThrowaway:
    def test_engines_end_with_a_holder_that_is_killed(self) -> None:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD], cwd=REPOSITORY, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        urls = json.loads(holder.stdout.readline())
        psycopg2.connect(urls["DATABASE_URL"]).close()
        broker = redis.Redis.from_url(urls["REDIS_URL"], decode_responses=True)
        directory = Path(str(broker.config_get("dir")["dir"])).parent

        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
        deadline = time.monotonic() + 30
        while directory.exists() and time.monotonic() < deadline:
            time.sleep(0.05)

        assert not directory.exists()
        assert is_refused(urls["DATABASE_URL"])
        with pytest.raises(redis.ConnectionError):
            broker.ping()


class TestPytestPlugin:
    def test_two_runs_at_once_each_have_engines_of_their_own(self, tmp_path: Path) -> None:
        (tmp_path / "first").mkdir()
        (tmp_path / "second").mkdir()

        runs = [start_pytest(tmp_path / "first"), start_pytest(tmp_path / "second")]
        seen = [urls_printed(run) for run in runs]

        databases = [*seen[0][0], *seen[1][0]]
        brokers = [*seen[0][1], *seen[1][1]]
        assert len(set(databases)) == len(databases) == 2
        assert len(set(brokers)) == len(brokers) == 2
        assert all(map(is_refused, databases))

    def test_workers_of_a_run_share_the_servers_but_not_the_broker_database(
        self, tmp_path: Path
    ) -> None:
        run = start_pytest(tmp_path, "-n", "2", "--dist", "each", "--maxprocesses", "2")
        output, _ = run.communicate()

        assert run.returncode == 0, output
        seen = re.findall(r"^URLS (\S+) (\S+)/(\d+)$", output, re.MULTILINE)
        assert len(seen) == 8
        assert len({(database, broker) for database, broker, _ in seen}) == 1
        assert {number for _, _, number in seen} == {"1", "2"}
