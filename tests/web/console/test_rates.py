import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalogue.models import Rate, RateTable
from tenancy.models import Provider
from tests.factories import (
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_staff,
)
from tests.web.console.pages import refused, seen

pytestmark = pytest.mark.django_db
TABLES = "/console/rate-tables/"
RECKONED = {
    "rounding": "half_up",
    "decimals": "6",
    "increment_base": "after_minimum",
    "boundary": "start",
    "connection_fee_due": "beyond_allowance",
}
NEW = {
    "prefix": "44",
    "destination": "United Kingdom",
    "effective_from": "2026-10-01T00:00",
    "rate": "0.0125",
    "connection_fee": "0",
    "attempt_fee": "0",
    "minimum": "60",
    "increment": "1",
    "grace": "0",
    "status": "active",
}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


@pytest.fixture
def table(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider), {"49": "0.05"}, name="Retail")


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def as_role(provider: Provider, role: str) -> Client:
    client = Client()
    client.force_login(make_staff(provider, role))
    return client


def url(table: RateTable, rest: str = "") -> str:
    return f"{TABLES}{table.pk}/{rest}"


def prefixes(client: Client, table: RateTable, query: str) -> list[tuple[str, str]]:
    response = client.get(f"{url(table)}?format=csv&{query}")
    rows = csv.DictReader(io.StringIO(response.content.decode()))
    return [(row["Prefix"], row["Rate"]) for row in rows]


class TestTheTables:
    def test_are_the_providers(self, staff: Client, table: RateTable) -> None:
        make_rate_table(make_product(make_provider()), name="Elsewhere")

        text = page(staff, TABLES)

        assert f'<a href="{url(table)}">Retail</a>' in text
        assert "Elsewhere" not in text

    def test_are_added(self, staff: Client, provider: Provider) -> None:
        product = make_product(provider)
        fields = {"name": "Wholesale", "product": product.pk, "currency": "USD", **RECKONED}

        response = staff.post(f"{TABLES}new/", fields)

        added = RateTable.objects.get()
        assert response.headers["Location"] == url(added)
        assert (added.name, added.currency, added.time_zone) == (
            "Wholesale",
            "USD",
            "Europe/Berlin",
        )

    def test_keep_a_name_that_is_taken(self, staff: Client, table: RateTable) -> None:
        fields = {"name": "retail", "product": table.product_id, "currency": "EUR", **RECKONED}

        response = staff.post(f"{TABLES}new/", fields)

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "There is a rate table" in response.content.decode()
        assert RateTable.objects.count() == 1


class TestARateTable:
    CHANGED = {"name": "Retail 2027", "notes": "By contract.", "connection_fee_due": "always"}

    def test_is_changed(self, staff: Client, table: RateTable) -> None:
        before = RateTable.objects.get().revision

        response = staff.post(url(table, "change/"), self.CHANGED)

        after = RateTable.objects.get()
        assert response.headers["Location"] == url(table)
        assert (after.name, after.notes, after.connection_fee_due) == (
            *("Retail 2027", "By contract.", "always"),
        )
        assert after.revision == before + 1
        assert "No call that was rated this month is concerned." in page(staff, url(table))

    def test_keeps_its_name_where_another_has_it(self, staff: Client, table: RateTable) -> None:
        make_rate_table(table.product, name="Wholesale")

        text = refused(staff, url(table, "change/"), **self.CHANGED | {"name": "wholesale"})

        assert "There is a rate table" in text
        assert RateTable.objects.get(pk=table.pk).name == "Retail"

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        foreign = make_rate_table(make_product(make_provider()))

        assert staff.post(url(foreign, "change/"), self.CHANGED).status_code == 404
        assert RateTable.objects.get().name == foreign.name

    def test_in_no_currency_is_refused(self, staff: Client, provider: Provider) -> None:
        product = make_product(provider)
        fields = {"name": "Wholesale", "product": product.pk, **RECKONED}

        for code in ("12A", "EUX"):
            text = refused(staff, f"{TABLES}new/", **fields, currency=code)
            assert "There is no such currency" in text
        assert not RateTable.objects.exists()


class TestTheRates:
    def test_are_filtered_by_prefix_destination_and_instant(
        self, staff: Client, table: RateTable
    ) -> None:
        june = datetime(2026, 6, 1, tzinfo=UTC)
        make_rate(table, "49", rate=Decimal("0.06"), effective_from=june)
        make_rate(table, "491", rate=Decimal("0.09"), effective_to=june, destination="Mobile")
        make_rate(table, "44", rate=Decimal("0.07"), effective_from=june)

        assert len(prefixes(staff, table, "prefix=49")) == 3
        assert prefixes(staff, table, "destination=mobile") == [("491", "0.09000000")]
        assert prefixes(staff, table, "at=2026-05-31T23:00") == [
            ("49", "0.05000000"),
            ("491", "0.09000000"),
        ]
        assert prefixes(staff, table, "at=2026-06-01T02:00") == [
            ("44", "0.07000000"),
            ("49", "0.06000000"),
        ]

    def test_show_the_rate_that_fits_any_number(self, staff: Client, table: RateTable) -> None:
        rate = make_rate(table, "")

        assert f'<a href="{TABLES}rates/{rate.pk}/">any number</a>' in page(staff, url(table))

    def test_offer_no_change_to_who_may_not_make_it(
        self, provider: Provider, table: RateTable
    ) -> None:
        text = page(as_role(provider, "Read-only"), url(table))

        assert url(table, "export/") in text
        assert url(table, "import/") not in text
        assert url(table, "new/") not in text

    def test_cost_as_many_statements_for_fifty_rows_as_for_one(
        self,
        staff: Client,
        table: RateTable,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for n in range(50):
            make_rate(table, f"1{n}")

        with django_assert_max_num_queries(45):
            page(staff, url(table))


class TestARate:
    def test_is_added(self, staff: Client, table: RateTable) -> None:
        later = {**NEW, "effective_from": "2999-10-01T00:00"}
        response = staff.post(url(table, "new/"), later)

        assert response.headers["Location"] == url(table)
        rate = Rate.objects.get(prefix="44")
        assert (rate.rate, rate.minimum, rate.effective_from) == (
            Decimal("0.0125"),
            60,
            datetime(2999, 9, 30, 22, tzinfo=UTC),
        )

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("rate", "much", "Enter a number."),
            ("minimum", "0", "a volume is from 1"),
            ("prefix", "4x", "a prefix is up to 15 digits"),
            ("effective_to", "2026-09-01T00:00", "not after the start"),
            ("destination", "", "name it"),
        ],
    )
    def test_that_none_can_be_is_refused_at_its_field(
        self, staff: Client, table: RateTable, field: str, value: str, message: str
    ) -> None:
        response = staff.post(url(table, "new/"), {**NEW, field: value})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        text = response.content.decode()
        assert message in text.split(f'id="id_{field}_error"')[1].split("</div>")[0]
        assert 'value="0.0125"' in text or field == "rate"
        assert Rate.objects.count() == 1

    def test_is_changed_and_keeps_what_the_form_does_not_show(
        self, staff: Client, table: RateTable
    ) -> None:
        rate = make_rate(table, "44", tag="vip")

        staff.post(f"{TABLES}rates/{rate.pk}/change/", NEW)

        rate.refresh_from_db()
        assert (rate.rate, rate.minimum, rate.tag) == (Decimal("0.0125"), 60, "vip")

    def test_is_shown_as_it_would_be_typed_and_keeps_its_seconds(
        self, staff: Client, table: RateTable
    ) -> None:
        start = datetime(2026, 9, 30, 22, 0, 17, tzinfo=UTC)
        rate = make_rate(table, "44", effective_from=start)
        path = f"{TABLES}rates/{rate.pk}/change/"

        text = page(staff, path)
        staff.post(path, NEW)

        assert 'name="connection_fee" value="0"' in text
        assert 'name="rate" value="0.05"' in text
        rate.refresh_from_db()
        assert (rate.rate, rate.effective_from) == (Decimal("0.0125"), start)

    def test_that_somebody_changed_meanwhile_is_shown_with_both_values(
        self, staff: Client, table: RateTable
    ) -> None:
        rate = table.rates.get()
        path = f"{TABLES}rates/{rate.pk}/change/"
        shown = seen(page(staff, path))
        Rate.objects.filter(pk=rate.pk).update(rate=Decimal("0.07"), tag="vip")

        text = refused(staff, path, **NEW, seen=shown)

        rate.refresh_from_db()
        assert (rate.rate, rate.prefix) == (Decimal("0.07"), "49")
        at_field = text.split('id="id_rate_error"')[1].split("</div>")[0]
        assert "&#x27;0.07&#x27;" in at_field
        assert "&#x27;0.05&#x27; when you saw it, and you wrote &#x27;0.0125&#x27;" in at_field
        assert "it was empty when you saw it" in text
        staff.post(path, NEW | {"seen": seen(text)})
        rate.refresh_from_db()
        assert (rate.rate, rate.tag) == (Decimal("0.0125"), "vip")

    @pytest.mark.parametrize("damaged", ["{", "[]", "7"])
    def test_is_not_changed_by_a_damaged_form(
        self, staff: Client, table: RateTable, damaged: str
    ) -> None:
        rate = table.rates.get()

        text = refused(staff, f"{TABLES}rates/{rate.pk}/change/", **NEW, seen=damaged)

        assert "came back damaged" in text
        assert Rate.objects.get().rate == Decimal("0.05")

    def test_of_the_past_that_concerns_no_call_leads_back_to_the_rates(
        self, staff: Client, table: RateTable
    ) -> None:
        response = staff.post(url(table, "new/"), NEW)

        assert response.headers["Location"] == url(table)
        assert "No call that was rated before is concerned." in page(staff, url(table))

    def test_is_closed_once(self, staff: Client, table: RateTable) -> None:
        rate = table.rates.get()
        path = f"{TABLES}rates/{rate.pk}/close/"

        staff.post(path, {"effective_to": "2026-12-01T00:00"})
        again = staff.post(path, {"effective_to": "2027-12-01T00:00"})

        rate.refresh_from_db()
        assert rate.effective_to == datetime(2026, 11, 30, 23, tzinfo=UTC)
        assert again.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "ends at" in again.content.decode()

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        foreign = make_rate_table(make_product(make_provider()), {"49": "0.05"})
        rate = foreign.rates.get()

        answers = [
            staff.post(url(foreign, "new/"), NEW),
            staff.post(f"{TABLES}rates/{rate.pk}/change/", NEW),
        ]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert Rate.objects.count() == 1


class TestPricingACall:
    def test_says_what_it_costs_and_why(self, staff: Client, table: RateTable) -> None:
        make_rate(table, "4", rate=Decimal(1))

        text = page(
            staff,
            url(table, "price/?number=%2B493012345&volume=120&started_at=2026-10-01T00:00"),
        )

        assert "0.10" in text
        assert "120 used, minimum 1, increment 1 (after minimum): 120 billed" in text
        assert "a longer prefix fits" in text

    def test_asks_for_digits(self, staff: Client, table: RateTable) -> None:
        text = page(staff, url(table, "price/?number=abc&volume=x&started_at="))

        assert "Write the number as digits" in text
        assert 'value="abc"' in text
