from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def forget_failed_sign_ins() -> Iterator[None]:
    """Lock-outs are counted in the cache, which no transaction takes back."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _rate_files_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.RATE_FILES_DIR = tmp_path / "rate_files"
