import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def root() -> Iterator[Path]:
    """A directory that other users may pass through, which pytest's own are not."""
    root = Path(tempfile.mkdtemp(prefix="tollgate-test-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)
