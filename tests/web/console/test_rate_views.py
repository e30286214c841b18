"""Rates at an instant, the history of a prefix, and two tables side by side."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from catalogue.models import RateTable
from tenancy.models import Provider
from tests.factories import (
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_staff,
    make_time_profile,
)
from tests.web.console.pages import page, query_count

pytestmark = pytest.mark.django_db
TABLES = "/console/rate-tables/"
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


@pytest.fixture
def table(provider: Provider) -> RateTable:
    parent = make_rate_table(make_product(provider), {"49": "0.05", "1": "0.01"}, name="Base")
    return make_rate_table(parent.product, {"49": "0.04"}, name="Retail", parent=parent)


def lines(client: Client, path: str) -> list[dict[str, str]]:
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def foreign_table() -> RateTable:
    return make_rate_table(make_product(make_provider()), {"49": "0.02"}, name="Elsewhere")


class TestRatesAtAnInstant:
    def test_are_the_tables_and_those_it_inherits(self, staff: Client, table: RateTable) -> None:
        text = page(staff, f"{TABLES}{table.pk}/at/")

        assert f'inherited from <a href="{TABLES}{table.parent_id}/">Base</a>' in text
        assert "this table" in text
        rows = lines(staff, f"{TABLES}{table.pk}/at/?format=csv")
        assert [(row["Prefix"], row["Rate"], row["From table"]) for row in rows] == [
            ("1", "0.01000000", "Base"),
            ("49", "0.04000000", "Retail"),
        ]

    def test_are_those_of_the_instant(self, staff: Client, table: RateTable) -> None:
        make_rate(table, "49", rate=Decimal("0.03"), effective_from=JUNE)
        address = f"{TABLES}{table.pk}/at/?format=csv&prefix=49&at="

        assert [row["Rate"] for row in lines(staff, f"{address}2026-06-01T01:59")] == ["0.04000000"]
        assert [row["Rate"] for row in lines(staff, f"{address}2026-06-01T02:00")] == ["0.03000000"]
        (row,) = lines(staff, f"{address}2026-05-01T00:00")
        assert row["Until"] == "2026-06-01T02:00:00+02:00"

    def test_are_filtered(self, staff: Client, provider: Provider, table: RateTable) -> None:
        nights = make_time_profile(provider, "Mon-Sun 00:00-06:00")
        make_rate(table, "49", tag="vip", status="blocked", time_profile=nights)
        address = f"{TABLES}{table.pk}/at/?format=csv&"

        def found(query: str) -> list[tuple[str, str]]:
            return [(row["Prefix"], row["Only for"]) for row in lines(staff, address + query)]

        vip = [("49", f"tag vip, {nights.name}")]
        assert found("tag=VIP") == vip
        assert found(f"time_profile={nights.pk}") == vip
        assert found("status=blocked") == vip
        assert found("inherited=true") == [("1", "")]
        assert found("destination=destination 1") == [("1", "")]

    def test_says_at_the_field_what_no_instant_is(self, staff: Client, table: RateTable) -> None:
        text = page(staff, f"{TABLES}{table.pk}/at/?at=yesterday")

        assert "Enter a valid date/time." in text
        assert 'value="yesterday"' in text

    def test_of_another_provider_are_not_there(self, staff: Client) -> None:
        assert staff.get(f"{TABLES}{foreign_table().pk}/at/").status_code == HTTPStatus.NOT_FOUND

    def test_ask_as_often_for_many(self, staff: Client, table: RateTable) -> None:
        before = query_count(staff, f"{TABLES}{table.pk}/at/")
        for number in range(20):
            make_rate(table, f"43{number}")

        assert query_count(staff, f"{TABLES}{table.pk}/at/") == before


class TestTheHistoryOfAPrefix:
    def test_says_from_when_to_when_and_how_far_it_moved(
        self, staff: Client, table: RateTable
    ) -> None:
        make_rate(table, "49", rate=Decimal("0.05"), effective_from=JUNE, effective_to=JULY)
        make_rate(table, "491", rate=Decimal("0.09"))

        rows = lines(staff, f"{TABLES}{table.pk}/prefixes/49/?format=csv")

        assert [
            (row["From"], row["Until"], row["Rate"], row["Change in percent"], row["State"])
            for row in rows
        ] == [
            (
                "2026-06-01T02:00:00+02:00",
                "2026-07-01T02:00:00+02:00",
                "0.05000000",
                "25.00",
                "Over",
            ),
            ("2026-01-01T01:00:00+01:00", "2026-06-01T02:00:00+02:00", "0.04000000", "", "Over"),
        ]

    def test_is_drawn_where_the_price_has_changed(self, staff: Client, table: RateTable) -> None:
        address = f"{TABLES}{table.pk}/prefixes/49/"
        assert "Rate for all calls" not in page(staff, address)

        make_rate(table, "49", rate=Decimal("0.05"), effective_from=JUNE)

        text = page(staff, address)
        assert "Rate for all calls, by start (EUR)" in text
        assert "+25 %" in text

    def test_keeps_rates_for_other_calls_apart(self, staff: Client, table: RateTable) -> None:
        make_rate(table, "49", rate=Decimal("0.08"), tag="vip", effective_from=JUNE)
        make_rate(table, "49", rate=Decimal("0.02"), tag="vip", effective_from=JULY)

        rows = lines(staff, f"{TABLES}{table.pk}/prefixes/49/?format=csv&tag=vip")

        assert [row["Change in percent"] for row in rows] == ["-75.00", ""]

    def test_is_there_for_the_prefix_that_fits_any_number(
        self, staff: Client, table: RateTable
    ) -> None:
        make_rate(table, "", rate=Decimal("0.5"))

        assert "History of any number" in page(staff, f"{TABLES}{table.pk}/prefixes/any/")

    def test_leads_to_that_in_the_parent(self, staff: Client, table: RateTable) -> None:
        text = page(staff, f"{TABLES}{table.pk}/prefixes/49/")

        assert f"{TABLES}{table.parent_id}/prefixes/49/" in text

    def test_is_reached_from_the_list(self, staff: Client, table: RateTable) -> None:
        assert f"{TABLES}{table.pk}/prefixes/49/" in page(staff, f"{TABLES}{table.pk}/")

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        response = staff.get(f"{TABLES}{foreign_table().pk}/prefixes/49/")

        assert response.status_code == HTTPStatus.NOT_FOUND


class TestComparingTables:
    def address(self, left: RateTable, right: RateTable, **more: str) -> str:
        at = "2026-10-01T00:00"
        query = {"left": left.pk, "left_at": at, "right": right.pk, "right_at": at, **more}
        pairs = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{TABLES}compare/?{pairs}"

    @pytest.fixture
    def other(self, table: RateTable) -> RateTable:
        rates: dict[str, Any] = {"49": "0.05", "44": "0.02", "1": {"rate": "0.01", "minimum": 60}}
        return make_rate_table(table.product, rates, name="Offer")

    def test_begins_with_a_form(self, staff: Client, table: RateTable) -> None:
        text = page(staff, f"{TABLES}compare/?left={table.pk}")

        assert text.count(f'<option value="{table.pk}" selected>') == 2
        assert "Rates side by side" not in text

    def test_says_what_is_dearer_and_by_how_much(
        self, staff: Client, table: RateTable, other: RateTable
    ) -> None:
        text = page(staff, self.address(table, other))

        assert "Dearer (1)" in text
        assert "Other terms (1)" in text
        assert "Only right (1)" in text
        assert "+25 %" in text
        assert "minimum: 1 → 60" in text

    def test_shows_one_class_of_them(
        self, staff: Client, table: RateTable, other: RateTable
    ) -> None:
        rows = lines(staff, self.address(table, other, **{"class": "only_right", "format": "csv"}))

        assert [(row["Prefix"], row["Left"], row["Right"], row["Class"]) for row in rows] == [
            ("44", "", "0.02000000", "only_right")
        ]

    def test_has_all_of_them_in_a_file(
        self, staff: Client, table: RateTable, other: RateTable
    ) -> None:
        rows = lines(staff, self.address(table, other, format="csv"))

        assert [
            (row["Prefix"], row["Difference"], row["Percent"], row["Class"]) for row in rows
        ] == [
            ("1", "0.00000000", "0.00", "terms"),
            ("44", "", "", "only_right"),
            ("49", "0.01000000", "25.00", "increased"),
        ]

    def test_goes_by_pages(self, staff: Client, table: RateTable) -> None:
        many = make_rate_table(table.product, {f"4{number:02}": "1" for number in range(60)})
        first = staff.get(self.address(table, many))

        second = staff.get(self.address(table, many, after=first.context["page"].after))
        again = staff.get(self.address(table, many, before=second.context["page"].before))

        shown = [
            [pair.key.prefix for pair in each.context["page"].rows] for each in (first, second)
        ]
        assert [len(each) for each in shown] == [50, 12]
        assert shown[0] + shown[1] == sorted(shown[0] + shown[1])
        assert [pair.key.prefix for pair in again.context["page"].rows] == shown[0]
        assert first.context["page"].before == second.context["page"].after == ""

    def test_compares_a_table_with_itself_at_another_instant(
        self, staff: Client, table: RateTable
    ) -> None:
        make_rate(table, "49", rate=Decimal("0.02"), effective_from=JUNE)

        address = self.address(table, table).replace("left_at=2026-10", "left_at=2026-05")

        assert "Cheaper (1)" in page(staff, address)

    def test_says_that_currencies_differ(self, staff: Client, table: RateTable) -> None:
        dollars = make_rate_table(table.product, {"49": "0.05"}, currency="USD")

        text = page(staff, self.address(table, dollars))

        assert "Two currencies: no differences" in text
        assert "In both (1)" in text
        assert "%<" not in text

    def test_refuses_other_units_at_the_field(
        self, staff: Client, provider: Provider, table: RateTable
    ) -> None:
        sms = make_rate_table(make_product(provider, rating_unit="message"))

        text = page(staff, self.address(table, sms))

        assert "by the message and second" in text
        assert "Rates side by side" not in text

    def test_says_at_the_field_what_is_missing(self, staff: Client, table: RateTable) -> None:
        text = page(staff, f"{TABLES}compare/?left={table.pk}&left_at=x&right=&begins=4a")

        assert "Enter a valid date/time." in text
        assert "This field is required." in text
        assert "Write up to 15 digits." in text

    def test_knows_no_table_of_another_provider(self, staff: Client, table: RateTable) -> None:
        text = page(staff, self.address(table, foreign_table()))

        assert "Select a valid choice." in text
        assert "Elsewhere" not in text

    def test_asks_as_often_for_many(
        self, staff: Client, table: RateTable, other: RateTable
    ) -> None:
        before = query_count(staff, self.address(table, other))
        for number in range(30):
            make_rate(other, f"43{number}")

        assert query_count(staff, self.address(table, other)) == before
