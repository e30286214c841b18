from datetime import date

import pytest
from django.test import Client

from catalogue.models import Product
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
from tests.factories.catalogue import make_allowance
from tests.factories.cdr import Call, import_lines
from tests.factories.subscriptions import make_offer, make_subscription
from tests.web.account_centre.pages import page, words_of

pytestmark = pytest.mark.django_db
PATH = "/account/usage/allowances/"


@pytest.fixture
def calls(customer: Customer) -> Product:
    """What the customer's subscription includes 100 minutes of, of which calls used 250 seconds."""
    product = make_product(customer.provider, name="Calls")
    item = make_offer(customer.provider)
    make_allowance(item, product, name="Europe", destinations=["49"], rolls_over=True)
    make_subscription(customer, item, date(2026, 10, 1))
    table = make_rate_table(product, {"49": "0.05"})
    customer.custom_catalogue = make_catalogue(
        customer.provider, [{"product": product, "rate_table": table}]
    ).catalogue
    customer.save()
    make_identifier(customer, "nordwind")
    import_lines(make_source(product, make_vendor(table)), [Call(account="nordwind", seconds=250)])
    return product


class TestAllowances:
    def test_tell_what_is_granted_used_and_left(self, admin: Client, calls: Product) -> None:
        text = words_of(admin, f"{PATH}?month=2026-10")

        assert "October 2026" in text
        assert "Europe Calls to 49; what is left rolls over once" in text
        assert "4 min 10 s of 100 min 100 min 0 min 4 min 10 s 95 min 50 s" in text

    def test_tell_what_rolled_over(self, admin: Client, calls: Product) -> None:
        text = words_of(admin, f"{PATH}?month=2026-11")

        assert "0 min of 195 min 50 s 100 min 95 min 50 s 0 min 195 min 50 s" in text

    def test_draw_what_is_used_and_name_it(self, admin: Client, calls: Product) -> None:
        text = page(admin, f"{PATH}?month=2026-10")

        told = 'aria-label="Europe: 4 min 10 s of 100 min used"'
        assert f'<progress value="250" max="6000" {told}' in text

    def test_are_a_file_in_exact_units(self, admin: Client, calls: Product) -> None:
        response = admin.get(f"{PATH}?month=2026-10&format=csv")

        lines = response.content.decode("utf-8-sig").splitlines()
        assert lines[0].startswith("Month,Allowance,Usage of,For")
        assert lines[1].startswith("2026-10,Europe,Calls,shared,")
        assert lines[1].endswith(",49,6000,0,250,5750,second")

    def test_show_technical_people_volumes_and_no_money(
        self, technical: Client, calls: Product
    ) -> None:
        text = words_of(technical, f"{PATH}?month=2026-10")

        assert "95 min 50 s" in text
        assert "EUR" not in text

    def test_are_ones_own_only(self, admin: Client, customer: Customer) -> None:
        neighbour = make_customer(customer.provider)
        item = make_offer(customer.provider)
        make_allowance(item, make_product(customer.provider), name="Europe")
        make_subscription(neighbour, item, date(2026, 10, 1))

        text = page(admin, f"{PATH}?month=2026-10")

        assert "Europe" not in text
        assert "No allowances in this month" in text

    def test_of_a_month_that_is_none_are_the_present_ones(self, admin: Client) -> None:
        assert "No allowances in this month" in page(admin, f"{PATH}?month=never")
