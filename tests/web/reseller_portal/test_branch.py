"""Sub-resellers and their customers, where the provider opens the branch."""

from http import HTTPStatus

import pytest
from django.test import Client

from customers.models import Customer
from resellers.models import Reseller
from tests.factories import make_customer, make_reseller
from tests.factories.billing import make_usage
from tests.factories.payments import make_invoice
from tests.factories.payouts import day
from tests.web.reseller_portal.pages import (
    INVOICES,
    PAGES,
    TOTALS,
    open_to,
    page,
    shown_without_selectors,
    words_of,
)

pytestmark = pytest.mark.django_db
BELOW = PAGES["sees_branch"]


class TestTheBranch:
    @pytest.fixture
    def family(self, meridian: Reseller, below: Reseller) -> list[Customer]:
        """A customer of Meridian, of its child and of its grandchild."""
        lowest = make_reseller(meridian.provider, below, organisation="Equinox")
        return [make_customer(meridian.provider, row) for row in (meridian, below, lowest)]

    def test_closed_hides_sub_resellers_customers(
        self, viewer: Client, meridian: Reseller, family: list[Customer]
    ) -> None:
        open_to(meridian, "sees_usage_totals", "sees_invoice_status")
        for customer in family:
            make_usage(customer, "1.00")
            make_invoice(customer, "1.00", issued_at=day(10, 5))

        answers = [viewer.get(f"/reseller/customers/{row.pk}/").status_code for row in family]

        assert answers == [200, 404, 404]
        for address in ("/reseller/customers/", TOTALS, INVOICES):
            lines = viewer.get(f"{address}?format=csv").content.decode().splitlines()
            assert len(lines) == 2

    def test_open_shows_them_and_nobody_elses(
        self, viewer: Client, meridian: Reseller, family: list[Customer], others: list[Customer]
    ) -> None:
        open_to(meridian, *PAGES)
        for customer in (*family, *others):
            make_usage(customer, "1.00")
            make_invoice(customer, "1.00", issued_at=day(10, 5))
        child = others[2]
        seen = {row.name for row in (*family, child)}

        answers = {viewer.get(f"/reseller/customers/{row.pk}/").status_code for row in family}

        assert answers == {HTTPStatus.OK}
        for address, column in (("/reseller/customers/", 2), (TOTALS, 1), (INVOICES, 1)):
            lines = viewer.get(f"{address}?format=csv").content.decode().splitlines()
            assert {line.split(",")[column] for line in lines[1:]} == seen
        for row in (others[0], others[1], others[3]):
            answer = viewer.get(f"/reseller/customers/{row.pk}/")
            assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_says_who_brought_whom(
        self, viewer: Client, meridian: Reseller, below: Reseller, family: list[Customer]
    ) -> None:
        open_to(meridian, "sees_branch")

        text = words_of(viewer, f"/reseller/customers/?reseller={below.pk}")

        assert family[1].name in text
        assert family[0].name not in text
        assert "Brought by Solstice" in words_of(viewer, f"/reseller/customers/{family[1].pk}/")

    def test_is_a_tree_of_those_below(
        self, viewer: Client, meridian: Reseller, below: Reseller, family: list[Customer]
    ) -> None:
        open_to(meridian, "sees_branch")
        make_reseller(meridian.provider, organisation="Sibling")

        text = words_of(viewer, BELOW)

        assert f"Solstice Active number {below.number}, 1 customer Equinox Active" in text
        assert "Sibling" not in text
        assert f"/reseller/customers/?reseller={below.pk}" in page(viewer, BELOW)

    def test_leaves_the_first_page_and_the_codes_ones_own(
        self, viewer: Client, meridian: Reseller, family: list[Customer]
    ) -> None:
        open_to(meridian, "sees_branch")

        assert "Customers with your codes 1" in words_of(viewer, "/reseller/")
        codes = viewer.get("/reseller/codes/?format=csv").content.decode().splitlines()
        assert [line.split(",")[0] for line in codes[1:]] == ["MERIDIAN"]

    def test_is_locked_in_the_database_too(
        self, meridian: Reseller, below: Reseller, family: list[Customer], others: list[Customer]
    ) -> None:
        sql = "SELECT id FROM customers_customer"
        assert shown_without_selectors(meridian, sql) == [(family[0].pk,)]
        assert shown_without_selectors(meridian, "SELECT id FROM resellers_reseller") == [
            (meridian.pk,)
        ]

        open_to(meridian, "sees_branch")

        shown = {pk for (pk,) in shown_without_selectors(meridian, sql)}
        assert shown == {row.pk for row in (*family, others[2])}
        of_child = {pk for (pk,) in shown_without_selectors(below, sql)}
        assert of_child == {family[1].pk, others[2].pk}
