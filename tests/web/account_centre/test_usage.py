from datetime import date
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer
from tests.factories import (
    make_catalogue,
    make_customer,
    make_identifier,
    make_product,
    make_rate_table,
    make_source,
    make_vendor,
)
from tests.factories.billing import make_charge, make_usage
from tests.factories.cdr import Call, import_lines
from tests.web.account_centre.pages import page, words_of

pytestmark = pytest.mark.django_db


def call(*customers: Customer, count: int = 1) -> None:
    """Calls of two minutes at 0.05 a minute to 493012345678, by each customer."""
    product = make_product(customers[0].provider)
    table = make_rate_table(product, {"49": "0.05"})
    make_catalogue(
        customers[0].provider, [{"product": product, "rate_table": table}], is_default=True
    )
    for customer in customers:
        make_identifier(customer, f"account-{customer.pk}")
    lines = [
        Call(account=f"account-{customer.pk}", caller=f"4900{customer.pk}")
        for customer in customers
        for _ in range(count)
    ]
    import_lines(make_source(product, make_vendor(table)), lines)


class TestUsageByMonth:
    def test_shows_days_and_destinations_of_ones_own(
        self, admin: Client, customer: Customer
    ) -> None:
        make_usage(customer, "30.00", destination="Atlantis", call_count=7)
        make_usage(customer, "5.00", destination="Atlantis", day=date(2026, 11, 1))
        make_usage(make_customer(customer.provider), "77.00", destination="Elsewhere")

        text = words_of(admin, "/account/usage/?month=2026-10")

        assert "October 2026" in text
        assert "Atlantis 7 30.00 EUR" in text
        assert "15 30" in text
        assert "Elsewhere" not in text

    def test_tells_what_allowances_covered(self, technical: Client, customer: Customer) -> None:
        make_usage(customer, "30.00", destination="Atlantis", included_volume=250)
        make_usage(customer, "5.00", destination="Elsewhere")

        text = words_of(technical, "/account/usage/?month=2026-10")

        assert "Atlantis 4 min 10 s included 1" in text
        assert text.count("included") == 1

    def test_shows_technical_people_calls_but_no_money(
        self, technical: Client, customer: Customer
    ) -> None:
        make_usage(customer, "30.00", destination="Atlantis", call_count=7)

        text = words_of(technical, "/account/usage/?month=2026-10")

        assert "Atlantis 7" in text
        assert "EUR" not in text

    def test_of_a_month_that_is_none_is_the_present_one(self, admin: Client) -> None:
        assert "No usage in this month" in page(admin, "/account/usage/?month=never")


class TestTheListOfCalls:
    def test_shows_ones_own_with_their_price(self, admin: Client, customer: Customer) -> None:
        neighbour = make_customer(customer.provider)
        call(customer, neighbour)

        text = words_of(admin, "/account/usage/calls/")

        assert f"4900{customer.pk} 493012345678 125 Rated 0.10 EUR" in text
        assert f"4900{neighbour.pk} " not in text

    def test_is_a_file_without_money_for_technical_people(
        self, technical: Client, customer: Customer
    ) -> None:
        call(customer)

        text = technical.get("/account/usage/calls/?format=csv").content.decode()

        assert text.splitlines()[0] == "Started,From,To,Seconds,Result"
        assert len(text.splitlines()) == 2

    def test_asks_no_more_queries_for_many(
        self,
        admin: Client,
        customer: Customer,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        call(customer, count=25)

        with django_assert_max_num_queries(40):
            page(admin, "/account/usage/calls/")


class TestUnbilledCharges:
    def test_are_usage_and_charges_not_on_an_invoice(
        self, admin: Client, customer: Customer
    ) -> None:
        make_usage(customer, "30.00", destination="Atlantis", call_count=7)
        make_charge(customer, "20.00")
        make_charge(make_customer(customer.provider), "77.00")

        text = words_of(admin, "/account/unbilled/")
        file = admin.get("/account/unbilled/?format=csv").content.decode()

        assert "Not billed yet 50.00 EUR" in text
        assert "Atlantis 7 30.00 EUR" in text
        assert "One-time Installation" in text
        assert len(file.splitlines()) == 3

    def test_are_not_for_technical_people(self, technical: Client) -> None:
        assert technical.get("/account/unbilled/").status_code == HTTPStatus.FORBIDDEN
