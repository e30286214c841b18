"""Who looks at the account centre in its tests: an admin of one customer of Aurora's."""

import pytest
from django.test import Client

from customers.models import Customer
from tests.factories import make_customer, make_provider, make_team_member


@pytest.fixture
def customer() -> Customer:
    return make_customer(make_provider("aurora", name="Aurora"))


@pytest.fixture
def admin(client: Client, customer: Customer) -> Client:
    client.force_login(make_team_member(customer, "ADMIN"))
    return client


@pytest.fixture
def technical(customer: Customer) -> Client:
    client = Client()
    client.force_login(make_team_member(customer, "TECHNICAL"))
    return client


@pytest.fixture
def billing(customer: Customer) -> Client:
    client = Client()
    client.force_login(make_team_member(customer, "BILLING"))
    return client
