import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = "requirements/dev.txt"


def python_that(directory: Path, *cases: str) -> str:
    """A stand-in for a machine's Python that answers as a machine lacking something would."""
    path = directory / "python3"
    path.write_text("\n".join(["#!/bin/sh", 'case "$*" in', *cases, "*) exit 0 ;;", "esac", ""]))
    path.chmod(0o755)
    return str(path)


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run as a user who may install nothing."""
    nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    return subprocess.run(
        list(command),
        check=False,
        cwd=directory,
        capture_output=True,
        text=True,
        user=nobody.pw_uid if nobody else None,
        group=nobody.pw_gid if nobody else None,
        extra_groups=[] if nobody else None,
    )


@pytest.fixture
def checkout(root: Path) -> Path:
    """What a fresh clone is set up by, open to every user."""
    for name in ("scripts", "requirements"):
        shutil.copytree(REPOSITORY / name, root / name)
    shutil.copy(REPOSITORY / "Makefile", root)
    return root


class TestMakeVenv:
    def test_says_which_python_is_missing(self, checkout: Path) -> None:
        ran = run(checkout, "/bin/sh", "scripts/make_venv.sh", "python3.99", REQUIREMENTS)

        assert ran.returncode == 1
        assert ran.stderr == (
            "Tollgate needs Python 3.11 or later, but there is no python3.99; "
            "name one: make PYTHON=python3.12\n"
        )
        assert not (checkout / ".venv").exists()

    def test_says_that_python_is_too_old(self, checkout: Path) -> None:
        python = python_that(
            checkout, "--version) echo Python 3.9.2 ;;", "*version_info*) exit 1 ;;"
        )

        ran = run(checkout, "/bin/sh", "scripts/make_venv.sh", python, REQUIREMENTS)

        assert ran.returncode == 1
        assert ran.stderr == (
            f"Tollgate needs Python 3.11 or later, but {python} is Python 3.9.2; "
            "name another: make PYTHON=python3.12\n"
        )
        assert not (checkout / ".venv").exists()


class TestSystemPackages:
    @pytest.mark.parametrize(
        ("lacking", "named"),
        [
            (["*version_info*) echo 3.12 ;;", "*ensurepip*) exit 1 ;;"], "python3.12-venv"),
            (["*ctypes*) exit 1 ;;"], "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"),
        ],
    )
    def test_names_what_it_may_not_install(
        self, checkout: Path, lacking: list[str], named: str
    ) -> None:
        if run(checkout, "/bin/sh", "-c", "sudo -n true").returncode == 0:
            pytest.skip("this user may install packages")
        python = python_that(checkout, *lacking)

        ran = run(checkout, "/bin/sh", "scripts/system_packages.sh", python)

        assert ran.returncode == 1
        assert ran.stderr.startswith(f"Please install, then run make again: {named} ")
        assert ran.stderr.count("\n") == 1


class TestStop:
    def test_of_a_clone_never_set_up_does_nothing(self, checkout: Path) -> None:
        stopped = run(checkout, "make", "--no-print-directory", "stop")
        cleaned = run(checkout, "make", "--no-print-directory", "clean")

        assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "")
        assert (cleaned.returncode, cleaned.stdout, cleaned.stderr) == (0, "", "")
