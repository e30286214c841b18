"""Who looks at the reseller portal in its tests: a viewer of Meridian, a reseller of Aurora's."""

import pytest
from django.test import Client

from customers.models import Customer
from resellers.models import Reseller
from tests.factories import (
    make_billing_mode,
    make_code,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_reseller_user,
)


@pytest.fixture
def meridian() -> Reseller:
    reseller = make_reseller(make_provider("aurora", name="Aurora"), organisation="Meridian")
    make_code(reseller, "MERIDIAN", campaign="Autumn fair")
    return reseller


@pytest.fixture
def viewer(client: Client, meridian: Reseller) -> Client:
    client.force_login(make_reseller_user(meridian))
    return client


@pytest.fixture
def payer(meridian: Reseller) -> Reseller:
    """Meridian, in billing mode."""
    make_billing_mode(meridian, make_rate_table(make_product(meridian.provider)))
    return meridian


@pytest.fixture
def below(meridian: Reseller) -> Reseller:
    return make_reseller(meridian.provider, meridian, organisation="Solstice")


@pytest.fixture
def others(meridian: Reseller, below: Reseller) -> list[Customer]:
    """Customers that are not Meridian's own: direct, of a sibling, of a child, of a stranger."""
    provider = meridian.provider
    foreign = make_reseller(make_provider())
    return [
        make_customer(provider, organisation="Direct"),
        make_customer(provider, make_reseller(provider), organisation="Sibling"),
        make_customer(provider, below, organisation="Child"),
        make_customer(foreign.provider, foreign, organisation="Foreign"),
    ]
