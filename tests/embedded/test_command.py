import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from embedded.processes import BackgroundProcess

REPOSITORY = Path(__file__).resolve().parents[2]
REPLACED = ("DATABASE_URL", "REDIS_URL")


def run(checkout: Path, *command: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in REPLACED}
    return subprocess.run(
        [sys.executable, *command],
        check=True,
        cwd=checkout,
        env={**kept, **environment},
        capture_output=True,
        text=True,
    ).stdout


def url(checkout: Path) -> str:
    return run(
        checkout, "-c", "from embedded import engines as e; print(e.database_url(), e.redis_url())"
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """Another checkout of the project, as far as the engines go."""
    shutil.copytree(REPOSITORY / "embedded", tmp_path / "embedded")
    yield tmp_path
    run(tmp_path, "-m", "embedded", "destroy")


class TestCommand:
    def test_starts_stops_and_removes_the_engines_of_its_checkout(self, checkout: Path) -> None:
        run(checkout, "-m", "embedded", "start")
        started = run(checkout, "-m", "embedded", "status")
        urls = url(checkout)
        psycopg2.connect(urls.split()[0]).close()
        run(checkout, "-m", "embedded", "stop")
        stopped = run(checkout, "-m", "embedded", "status")

        assert started == "postgres: running\nvalkey: running\n"
        assert stopped == "postgres: stopped\nvalkey: stopped\n"
        assert url(checkout) == urls
        run(checkout, "-m", "embedded", "destroy")
        assert not (checkout / "var" / "postgres").exists()
        assert not (checkout / "var" / "valkey").exists()

    def test_names_the_cure_where_nothing_was_ever_started(self, checkout: Path) -> None:
        database_url, redis_url = url(checkout).split()

        assert "engines-not-started.run-make-migrate.invalid" in database_url
        assert "engines-not-started.run-make-migrate.invalid" in redis_url
        assert not (checkout / "var").exists()
        with pytest.raises(psycopg2.OperationalError, match="run-make-migrate"):
            psycopg2.connect(database_url)

    def test_leaves_out_engines_that_real_servers_replace(self, checkout: Path) -> None:
        replaced = {"DATABASE_URL": "postgres://elsewhere/", "REDIS_URL": "redis://elsewhere/"}

        run(checkout, "-m", "embedded", "start", **replaced)

        assert not (checkout / "var").exists()
        assert run(checkout, "-m", "embedded", "status", **replaced) == (
            "postgres: replaced by DATABASE_URL\nvalkey: replaced by REDIS_URL\n"
        )

    def test_stop_ends_what_the_checkout_started_in_the_background(self, checkout: Path) -> None:
        worker = BackgroundProcess(checkout / "var", "worker")
        worker.start(["/bin/sleep", "300"])
        status = run(checkout, "-m", "embedded", "status")

        run(checkout, "-m", "embedded", "stop")

        assert status == "postgres: stopped\nvalkey: stopped\nworker: running\n"
        assert not worker.is_running()
