import pytest

from cdr.services import single_xdrs
from tests.web.api.world import World


@pytest.fixture(autouse=True)
def forget_open_chunks() -> None:
    """They are known to the process, and the rows of the test before are gone."""
    single_xdrs._open_chunks.clear()


@pytest.fixture
def world() -> World:
    return World()
