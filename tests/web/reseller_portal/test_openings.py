"""What the provider opens to a reseller: shut, open for exactly its own, and shut to all others."""

from datetime import date, timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing.models import InvoiceLine
from common import clock
from customers.models import Customer
from resellers.models import Reseller
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_product,
    make_rate_table,
    make_reseller,
    make_reseller_user,
)
from tests.factories.billing import invoice_of, issue_run, make_charge, make_chunk, make_usage
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


class TestClosed:
    @pytest.mark.parametrize("name", PAGES)
    def test_pages_are_not_there_however_much_else_is_open(
        self, viewer: Client, meridian: Reseller, name: str
    ) -> None:
        open_to(meridian, *(PAGES.keys() - {name}))

        assert viewer.get(PAGES[name]).status_code == HTTPStatus.NOT_FOUND
        assert PAGES[name] not in page(viewer, "/reseller/customers/")

    @pytest.mark.parametrize("name", PAGES)
    def test_pages_come_with_the_next_request_and_go_again(
        self, viewer: Client, meridian: Reseller, name: str
    ) -> None:
        open_to(meridian, name)
        assert PAGES[name] in page(viewer, PAGES[name])

        Reseller.objects.update(**{name: False})

        assert viewer.get(PAGES[name]).status_code == HTTPStatus.NOT_FOUND

    def test_another_reseller_is_not_opened_to(self, meridian: Reseller, client: Client) -> None:
        open_to(meridian, *PAGES)
        client.force_login(make_reseller_user(make_reseller(meridian.provider)))

        answers = {client.get(address).status_code for address in PAGES.values()}

        assert answers == {HTTPStatus.NOT_FOUND}


class TestUsageTotals:
    def test_are_sums_of_a_month_for_each_of_ones_customers_and_no_money(
        self, viewer: Client, meridian: Reseller, others: list[Customer]
    ) -> None:
        open_to(meridian, "sees_usage_totals")
        provider = meridian.provider
        customer = make_customer(provider, meridian, number=71, organisation="Nord")
        make_customer(provider, meridian, number=72, organisation="Quiet")
        voice = make_chunk(provider, make_product(provider, volume_unit="second"))
        data = make_chunk(provider, make_product(provider, volume_unit="MB"))
        make_usage(customer, "77.10", chunk=voice, call_count=3, volume=170, billed_volume=180)
        make_usage(customer, "0.00", chunk=voice, call_count=1, volume=1000, destination="Mu")
        make_usage(customer, "5.00", chunk=data, call_count=2, volume=9)
        make_usage(customer, "5.00", chunk=voice, day=date(2026, 11, 1), volume=999)
        for other in others:
            make_usage(other, "66.00", call_count=50)

        file = viewer.get(f"{TOTALS}?format=csv").content.decode()

        assert file.splitlines() == [
            "Number,Customer,Calls,Volume",
            '71,Nord,6,"9 MB, 1170 second"',
            "72,Quiet,0,",
        ]
        text = words_of(viewer, TOTALS)
        assert "Usage of customers in October 2026" in text
        assert "71 Nord 6 9 MB, 1,170 second" in text
        assert "EUR" not in text

    def test_stand_on_the_customers_page_by_month(self, viewer: Client, meridian: Reseller) -> None:
        customer = make_customer(meridian.provider, meridian)
        product = make_product(meridian.provider, volume_unit="second")
        chunk = make_chunk(meridian.provider, product)
        this_month = clock.now().date().replace(day=1)
        before = this_month - timedelta(days=1)
        make_usage(customer, "7.00", chunk=chunk, day=this_month, call_count=3, volume=60)
        make_usage(customer, "7.00", chunk=chunk, day=before, call_count=4, volume=6000)
        address = f"/reseller/customers/{customer.pk}/"
        assert "6,000" not in words_of(viewer, address)

        open_to(meridian, "sees_usage_totals")

        text = words_of(viewer, address)
        assert f"{this_month:%B %Y} 3 60 second {before:%B %Y} 4 6,000 second" in text
        assert "7.00" not in text

    def test_lead_from_month_to_month(self, viewer: Client, meridian: Reseller) -> None:
        open_to(meridian, "sees_usage_totals")

        past, present = page(viewer, TOTALS), page(viewer, PAGES["sees_usage_totals"])

        assert "/reseller/usage-totals/2026-09/" in past
        assert "Month after" not in present

    @pytest.mark.parametrize("month", ["2026-13", "october"])
    def test_of_no_month_are_not_found(
        self, viewer: Client, meridian: Reseller, month: str
    ) -> None:
        open_to(meridian, "sees_usage_totals")

        answer = viewer.get(f"/reseller/usage-totals/{month}/").status_code

        assert answer == HTTPStatus.NOT_FOUND

    def test_ask_no_query_for_each(
        self,
        viewer: Client,
        meridian: Reseller,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        open_to(meridian, "sees_usage_totals")
        for _ in range(8):
            make_usage(make_customer(meridian.provider, meridian), "1.00")

        with django_assert_max_num_queries(30):
            page(viewer, TOTALS)

    def test_are_locked_in_the_database_too(
        self, meridian: Reseller, others: list[Customer]
    ) -> None:
        customer = make_customer(meridian.provider, meridian)
        for payer in (customer, *others):
            make_usage(payer, "5.00")
        sql = "SELECT payer_id FROM cdr_usagecharge"
        assert shown_without_selectors(meridian, sql) == []

        open_to(meridian, "sees_usage_totals")

        assert shown_without_selectors(meridian, sql) == [(customer.pk,)]


class TestInvoiceStatus:
    def test_is_number_dates_and_state_of_ones_customers_invoices(
        self, viewer: Client, meridian: Reseller, others: list[Customer]
    ) -> None:
        open_to(meridian, "sees_invoice_status")
        customer = make_customer(meridian.provider, meridian, organisation="Nord")
        late = make_invoice(customer, "77.00", issued_at=day(1, 5))
        make_invoice(customer, "88.00", issued_at=clock.now())
        for other in others:
            make_invoice(other, "66.00", issued_at=day(1, 6))

        lines = viewer.get(f"{INVOICES}?format=csv").content.decode().splitlines()

        assert lines[0] == "Number,Customer,State,Issued,Due"
        assert [line.split(",")[1:3] for line in lines[1:]] == [
            ["Nord", "ISSUED"],
            ["Nord", "OVERDUE"],
        ]
        text = words_of(viewer, INVOICES)
        assert f"{late.number} Nord Overdue 5 Jan 2026" in text
        assert [word for word in ("77.00", "88.00", "66.00", "EUR") if word in text] == []

    def test_filters_by_state_and_customer(self, viewer: Client, meridian: Reseller) -> None:
        open_to(meridian, "sees_invoice_status")
        first = make_customer(meridian.provider, meridian, number=71)
        second = make_customer(meridian.provider, meridian, number=72)
        late = make_invoice(first, "77.00", issued_at=day(1, 5))
        fresh = make_invoice(second, "88.00", issued_at=clock.now())

        by_state = page(viewer, f"{INVOICES}?state=OVERDUE")
        by_customer = page(viewer, f"{INVOICES}?customer=72")

        assert str(late.number) in by_state
        assert str(fresh.number) not in by_state
        assert str(fresh.number) in by_customer
        assert str(late.number) not in by_customer
        assert "Nothing matches" in page(viewer, f"{INVOICES}?customer=x")

    def test_opens_no_invoice(self, viewer: Client, meridian: Reseller) -> None:
        open_to(meridian, *PAGES)
        customer = make_customer(meridian.provider, meridian)
        invoice = make_invoice(customer, "77.00", issued_at=day(1, 5))
        make_billing_mode(meridian, make_rate_table(make_product(meridian.provider)))

        for address in ("", "pdf/"):
            answer = viewer.get(f"/reseller/invoices/{invoice.pk}/{address}")
            assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_asks_no_query_for_each(
        self,
        viewer: Client,
        meridian: Reseller,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        open_to(meridian, "sees_invoice_status")
        for _ in range(8):
            make_invoice(make_customer(meridian.provider, meridian), "1.00", issued_at=day(1, 5))

        with django_assert_max_num_queries(30):
            page(viewer, INVOICES)

    def test_is_locked_in_the_database_too_and_lines_for_good(
        self, meridian: Reseller, others: list[Customer]
    ) -> None:
        customer = make_customer(meridian.provider, meridian)
        mine = make_invoice(customer, "77.00", issued_at=day(1, 5))
        for other in others:
            make_invoice(other, "66.00", issued_at=day(1, 5))
        sql = "SELECT id FROM billing_invoice"
        assert shown_without_selectors(meridian, sql) == []

        open_to(meridian, "sees_invoice_status")

        assert shown_without_selectors(meridian, sql) == [(mine.pk,)]

    def test_never_shows_lines_even_without_a_selector(self, meridian: Reseller) -> None:
        open_to(meridian, *PAGES)
        customer = make_customer(meridian.provider, meridian)
        make_charge(customer, "40.00")
        issue_run(meridian.provider)

        assert InvoiceLine.objects.filter(invoice=invoice_of(customer)).exists()
        for table in ("billing_invoiceline", "billing_invoicetax", "billing_document"):
            assert shown_without_selectors(meridian, f"SELECT id FROM {table}") == []
