"""Gives every test run engines of its own, unless DATABASE_URL and REDIS_URL name others.

Enabled by ``-p embedded.pytest_plugin``: they must be known before pytest-django reads the
settings, which is before any conftest. Workers of pytest-xdist share the engines of the run;
pytest-django gives each a database of its own, and here each gets its own Valkey database.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

_engines: list[subprocess.Popen[bytes]] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        os.environ["REDIS_URL"] = _numbered(os.environ["REDIS_URL"], int(worker[2:]) + 1)
    elif not early_config.known_args_namespace.help:
        _start_missing()
    yield


def pytest_unconfigure() -> None:
    for engines in _engines:
        engines.communicate()


def _start_missing() -> None:
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    engines = subprocess.Popen(
        [sys.executable, "-m", "embedded.throwaway"],
        cwd=Path(__file__).resolve().parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # out of reach of Ctrl-C, which is ours to answer
    )
    _engines.append(engines)
    assert engines.stdout is not None
    line = engines.stdout.readline()
    if not line:
        raise pytest.UsageError("The engines for the test run did not start, see above")
    for variable, url in json.loads(line).items():
        os.environ[variable] = os.environ.get(variable) or url


def _numbered(redis_url: str, number: int) -> str:
    return urlunsplit(urlsplit(redis_url)._replace(path=f"/{number}"))
