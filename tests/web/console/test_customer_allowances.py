from datetime import date
from http import HTTPStatus

import pytest
from django.test import Client

from customers.models import Customer
from tests.factories import make_customer, make_product, make_provider, make_staff
from tests.factories.catalogue import make_allowance
from tests.factories.subscriptions import make_offer, make_subscription
from tests.web.account_centre.pages import words
from tests.web.console.pages import page, query_count

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make_customer(make_provider())


@pytest.fixture
def staff(client: Client, customer: Customer) -> Client:
    client.force_login(make_staff(customer.provider))
    return client


def tab(customer: Customer) -> str:
    return f"/console/customers/{customer.pk}/allowances/?month=2026-10"


class TestTheTab:
    def test_shows_each_allowance_of_the_month(self, staff: Client, customer: Customer) -> None:
        item = make_offer(customer.provider)
        calls = make_product(customer.provider, name="Calls")
        make_allowance(item, calls, name="Europe", sharing="POOLED")
        make_subscription(customer, item, date(2026, 10, 1), quantity=3)

        text = words(page(staff, tab(customer)))

        assert "Europe Calls all usage, pooled 0 min of 300 min" in text
        told = f"{item.product.name} Active 3 21.60 EUR Month Europe: 300 min"
        assert told in words(page(staff, f"/console/customers/{customer.pk}/subscriptions/"))

    def test_says_where_there_is_none(self, staff: Client, customer: Customer) -> None:
        assert "No allowances in this month" in page(staff, tab(customer))

    def test_is_a_file(self, staff: Client, customer: Customer) -> None:
        item = make_offer(customer.provider)
        calls = make_product(customer.provider, name="Calls")
        make_allowance(item, calls, name="Europe", volume=90)
        make_subscription(customer, item, date(2026, 10, 1))

        response = staff.get(f"{tab(customer)}&format=csv")

        line = f"2026-10,Europe,Calls,shared,{item.product.name},,90,0,0,90,second"
        assert response.content.decode("utf-8-sig").splitlines()[1] == line

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, customer: Customer
    ) -> None:
        item = make_offer(customer.provider)
        calls = make_product(customer.provider)
        make_allowance(item, calls)
        make_subscription(customer, item, date(2026, 10, 1))
        few = query_count(staff, tab(customer))
        for _ in range(10):
            make_allowance(item, calls)
            make_subscription(customer, item, date(2026, 10, 1))

        assert query_count(staff, tab(customer)) == few

    def test_of_another_providers_customer_does_not_exist(self, staff: Client) -> None:
        foreign = make_customer(make_provider())

        assert staff.get(tab(foreign)).status_code == HTTPStatus.NOT_FOUND

    def test_takes_no_post(self, staff: Client, customer: Customer) -> None:
        assert staff.post(tab(customer)).status_code == HTTPStatus.METHOD_NOT_ALLOWED
