from datetime import date
from http import HTTPStatus

import pytest
from django.test import Client

from resellers.models import Reseller
from tests.factories import (
    make_customer,
    make_product,
    make_reseller,
)
from tests.factories.billing import (
    invoice_of,
    issue_run,
    make_chunk,
    make_usage,
)
from tests.web.reseller_portal.pages import page, words_of

pytestmark = pytest.mark.django_db
ADDRESSES = ("/reseller/usage/", "/reseller/invoices/", "/reseller/owed/")
IN_OCTOBER = "/reseller/usage/?month=2026-10"


class TestOutsideBillingMode:
    @pytest.mark.parametrize("address", ADDRESSES)
    def test_there_is_nothing_to_see(
        self, viewer: Client, meridian: Reseller, address: str
    ) -> None:
        make_usage(meridian, "30.00")

        assert viewer.get(address).status_code == HTTPStatus.FORBIDDEN
        assert address not in page(viewer, "/reseller/")

    def test_no_invoice_opens(self, viewer: Client, meridian: Reseller) -> None:
        make_usage(meridian, "30.00")
        issue_run(meridian.provider)

        for page_of_it in ("", "pdf/"):
            address = f"/reseller/invoices/{invoice_of(meridian).pk}/{page_of_it}"
            assert viewer.get(address).status_code == HTTPStatus.FORBIDDEN


class TestUsage:
    def test_is_in_the_menu_of_who_pays(self, viewer: Client, payer: Reseller) -> None:
        assert ADDRESSES[0] in page(viewer, "/reseller/")
        assert ADDRESSES[1] in page(viewer, ADDRESSES[0])

    def test_sums_ones_own_legs_by_day_and_destination(
        self, viewer: Client, payer: Reseller
    ) -> None:
        chunk = make_chunk(payer.provider, make_product(payer.provider, name="Voice"))
        first, second = date(2026, 10, 1), date(2026, 10, 31)
        make_usage(payer, "10.25", chunk=chunk, day=first, call_count=3)
        make_usage(payer, "1.25", chunk=chunk, day=second, call_count=2)
        make_usage(payer, "5.00", chunk=chunk, day=second, destination="France", call_count=1)
        make_usage(payer, "99.00", chunk=chunk, day=date(2026, 11, 1))
        make_usage(payer, "98.00", chunk=chunk, day=date(2026, 9, 30))

        text = words_of(viewer, IN_OCTOBER)

        assert "Usage in October 2026" in text
        assert "Calls in EUR 6 You owe in EUR 16.50 EUR" in text
        assert "1 Oct 2026 3 10.25 EUR 31 Oct 2026 3 6.25 EUR" in text
        assert "Germany, Voice 5 11.50 EUR France, Voice 1 5.00 EUR" in text

    def test_has_nobody_elses_legs(self, viewer: Client, payer: Reseller) -> None:
        customer = make_customer(payer.provider, payer)
        make_usage(customer, "30.00", destination="Atlantis")
        make_usage(make_reseller(payer.provider, payer), "20.00", destination="Lemuria")
        make_usage(make_reseller(payer.provider), "40.00", destination="Mu")

        text = words_of(viewer, IN_OCTOBER)

        assert "No usage in this month" in text
        assert [name for name in ("Atlantis", "Lemuria", "30.00", "20.00") if name in text] == []

    def test_never_adds_currencies(self, viewer: Client, payer: Reseller) -> None:
        make_usage(payer, "10.00", currency="EUR")
        make_usage(payer, "7.00", currency="USD")

        text = words_of(viewer, IN_OCTOBER)

        assert "You owe in EUR 10.00 EUR Calls in USD 1 You owe in USD 7.00 USD" in text

    def test_is_a_file_of_the_month(self, viewer: Client, payer: Reseller) -> None:
        chunk = make_chunk(
            payer.provider, make_product(payer.provider, name="Voice", volume_unit="second")
        )
        make_usage(payer, "10.25", chunk=chunk, call_count=3, billed_volume=180)
        make_usage(payer, "0.00000001", chunk=chunk)
        make_usage(payer, "99.00", chunk=chunk, day=date(2026, 11, 1))

        response = viewer.get(f"{IN_OCTOBER}&format=csv")

        assert response.headers["Content-Disposition"].endswith('"usage-2026-10.csv"')
        assert response.content.decode().splitlines() == [
            "Day,Product,Destination,Calls,Billed volume,Unit,Amount,Amount currency",
            "2026-10-15,Voice,Germany,4,240,second,10.25000001,EUR",
        ]

    def test_leads_from_month_to_month_up_to_this(self, viewer: Client, payer: Reseller) -> None:
        past, present = page(viewer, "/reseller/usage/?month=2025-12"), page(viewer, ADDRESSES[0])

        assert "?month=2025-11" in past
        assert "?month=2026-01" in past
        assert "Month after" not in present

    @pytest.mark.parametrize("text", ["2026-13", "october", "1500-01"])
    def test_of_no_month_is_not_found(self, viewer: Client, payer: Reseller, text: str) -> None:
        response = viewer.get(f"/reseller/usage/?month={text}")

        assert response.status_code == HTTPStatus.NOT_FOUND
