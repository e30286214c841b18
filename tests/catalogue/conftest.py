from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.RATE_FILES_DIR = tmp_path / "rate_files"
