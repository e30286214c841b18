"""Files of xDRs go to a directory of the test."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _own_files_dir(settings: Settings, tmp_path: Path) -> None:
    settings.XDR_FILES_DIR = tmp_path / "xdr_files"
