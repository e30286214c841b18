import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded.postgres import PostgresEngine
from embedded.valkey import ValkeyEngine


@pytest.fixture
def make_root() -> Iterator[Callable[[], Path]]:
    """Makes directories for engines, open to pass through, and cleans up after the engines."""
    roots: list[Path] = []

    def make() -> Path:
        root = Path(tempfile.mkdtemp(prefix="tollgate-test-"))
        root.chmod(0o711)
        roots.append(root)
        return root

    yield make

    for root in roots:
        PostgresEngine(root).destroy()
        ValkeyEngine(root).destroy()
        shutil.rmtree(root)


@pytest.fixture
def root(make_root: Callable[[], Path]) -> Path:
    return make_root()
