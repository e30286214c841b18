from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalogue.models import ExchangeRate
from tenancy.models import Provider
from tests.factories import make_provider, make_staff

pytestmark = pytest.mark.django_db
RATES = "/console/exchange-rates/"
RATE = {"from_currency": "eur", "to_currency": "USD", "day": "2026-10-02", "rate": "1.0825"}


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def send(client: Client, text: str) -> Any:
    return client.post(f"{RATES}import/", {"file": SimpleUploadedFile("r.csv", text.encode())})


class TestEnteringARate:
    def test_leads_to_the_month_of_the_pair(self, staff: Client, provider: Provider) -> None:
        response = staff.post(f"{RATES}new/", RATE)

        assert response.headers["Location"] == f"{RATES}pairs/EUR-USD/?month=2026-10"
        row = ExchangeRate.objects.get()
        assert (row.provider, row.day, row.rate) == (
            provider,
            date(2026, 10, 2),
            Decimal("1.0825"),
        )

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"rate": "0"}, "rate"),
            ({"rate": "-1.08"}, "rate"),
            ({"rate": "2000000000"}, "rate"),
            ({"to_currency": "EUR"}, "to_currency"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self, staff: Client, wrong: dict[str, str], field: str
    ) -> None:
        response = staff.post(f"{RATES}new/", {**RATE, **wrong})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert list(response.context["form"].errors) == [field]
        assert not ExchangeRate.objects.exists()

    def test_refuses_a_misplaced_point(self, staff: Client) -> None:
        staff.post(f"{RATES}new/", RATE)

        response = staff.post(f"{RATES}new/", {**RATE, "day": "2026-10-03", "rate": "10.825"})

        assert "point misplaced" in response.context["form"].errors["rate"][0]
        assert ExchangeRate.objects.count() == 1


class TestAFileOfRates:
    def test_is_imported_whole(self, staff: Client) -> None:
        staff.post(f"{RATES}new/", RATE)

        response = send(
            staff, "day,from,to,rate\n2026-10-02,EUR,USD,1.09\n2026-10-03,EUR,USD,1.1\n"
        )

        assert response.headers["Location"] == RATES
        assert "1 rates were added and 1 replaced" in staff.get(RATES).content.decode()

    def test_is_imported_not_at_all_where_a_line_is_wrong(self, staff: Client) -> None:
        response = send(staff, "day,from,to,rate\n2026-10-02,EUR,USD,1.09\n2026-10-03,EUR,USD,0\n")

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Line 3" in response.context["form"].errors["file"][0]
        assert not ExchangeRate.objects.exists()


class TestThePair:
    def test_shows_days_without_a_rate(self, staff: Client) -> None:
        staff.post(f"{RATES}new/", RATE)

        text = staff.get(f"{RATES}pairs/EUR-USD/?month=2026-10").content.decode()

        assert "30 of 31 days have no rate of their own" in text
        assert text.count("1.0825 of ") == 10
        assert f"{RATES}new/?from_currency=EUR&amp;to_currency=USD&amp;day=2026-10-03" in text

    def test_is_of_two_currencies(self, staff: Client) -> None:
        assert staff.get(f"{RATES}pairs/eur-usd/").status_code == HTTPStatus.NOT_FOUND

    def test_shows_nobody_elses_rates(self, staff: Client) -> None:
        other = Client()
        other.force_login(make_staff(make_provider()))
        other.post(f"{RATES}new/", RATE)

        text = staff.get(f"{RATES}pairs/EUR-USD/?month=2026-10").content.decode()

        assert "31 of 31 days" in text


class TestRemovingARate:
    def test_asks_first(self, staff: Client) -> None:
        staff.post(f"{RATES}new/", RATE)
        rate = ExchangeRate.objects.get()
        url = f"{RATES}{rate.pk}/remove/"

        assert "1.0825" in staff.get(url).content.decode()
        assert ExchangeRate.objects.exists()
        staff.post(url, {"_confirmed": "1"})
        assert not ExchangeRate.objects.exists()
