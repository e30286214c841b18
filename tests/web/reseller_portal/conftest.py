"""Who looks at the reseller portal in its tests: a viewer of Meridian, a reseller of Aurora's."""

import pytest
from django.test import Client

from resellers.models import Reseller
from tests.factories import make_code, make_provider, make_reseller, make_reseller_user


@pytest.fixture
def meridian() -> Reseller:
    reseller = make_reseller(make_provider("aurora", name="Aurora"), organisation="Meridian")
    make_code(reseller, "MERIDIAN", campaign="Autumn fair")
    return reseller


@pytest.fixture
def viewer(client: Client, meridian: Reseller) -> Client:
    client.force_login(make_reseller_user(meridian))
    return client
