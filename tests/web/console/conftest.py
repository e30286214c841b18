import pytest
from django.test import Client

from tests.cdr.worlds import World, make_world
from tests.factories import make_staff


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(client: Client, world: World) -> Client:
    client.force_login(make_staff(world.provider))
    return client
