"""Many rates edited at once in the console, and the calls that a change of the past concerns."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalogue.models import Rate, RateBatchEdit, RateTable
from catalogue.rules.rate_edits import RateEdit
from catalogue.services.rate_edits import ask_for_rate_edit, make_rate_edit
from tenancy.models import Provider
from tests.factories import (
    LONG_AGO,
    make_catalogue,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_source,
    make_staff,
    make_vendor,
)
from tests.factories.cdr import Call, import_lines
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
TABLES = "/console/rate-tables/"
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
EDIT = {"way": "from_date", "effective_from": "2026-11-01T01:00", "change": "percent", "by": "10"}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


@pytest.fixture
def table(provider: Provider) -> RateTable:
    rates = {"49": "0.05", "491": "0.06", "1": "0.01"}
    return make_rate_table(make_product(provider), rates, name="Retail")


def made(address: str) -> RateBatchEdit:
    """The edit that was asked for, made as a worker does."""
    asked = RateBatchEdit.objects.get()
    assert address == f"{TABLES}edits/{asked.pk}/"
    make_rate_edit(edit_id=asked.pk, at=timezone.now())
    asked.refresh_from_db()
    return asked


def prices(table: RateTable) -> list[tuple[str, Decimal]]:
    return list(table.rates.order_by("prefix", "effective_from").values_list("prefix", "rate"))


def call(table: RateTable) -> None:
    """A call to Germany by a customer who pays by the table."""
    provider = table.provider
    make_catalogue(provider, [{"product": table.product, "rate_table": table}], is_default=True)
    make_identifier(make_customer(provider), "anna")
    cost = make_rate_table(table.product, {"49": "0.02"})
    import_lines(make_source(table.product, make_vendor(cost)), [Call(account="anna")])


class TestEditingManyRates:
    def test_edits_what_the_list_is_filtered_by(self, staff: Client, table: RateTable) -> None:
        address = f"{TABLES}{table.pk}/edit/?prefix=49"

        assert "Edit 2 rates of Retail" in page(staff, address)
        made(confirm(staff, address, **EDIT))

        assert prices(table) == [
            ("1", Decimal("0.01")),
            ("49", Decimal("0.05")),
            ("49", Decimal("0.055")),
            ("491", Decimal("0.06")),
            ("491", Decimal("0.066")),
        ]

    def test_edits_the_rates_that_were_ticked(self, staff: Client, table: RateTable) -> None:
        ticked = table.rates.get(prefix="1")

        made(confirm(staff, f"{TABLES}{table.pk}/edit/?rate={ticked.pk}&rate=x", **EDIT))

        assert Rate.objects.count() == 4
        assert table.rates.get(prefix="1", effective_from=NOVEMBER).rate == Decimal("0.011")

    def test_says_first_what_it_would_do(self, staff: Client, table: RateTable) -> None:
        make_rate(table, "5", rate=Decimal(2), effective_from=NOVEMBER + timedelta(days=9))
        make_rate(table, "6", effective_to=NOVEMBER - timedelta(days=9))

        response = staff.post(f"{TABLES}{table.pk}/edit/", {**EDIT, "max_cost": "7"})

        text = response.content.decode()
        assert "Edit 4 rates of Retail?" in text
        facts = dict(response.context["review"].facts)
        assert [str(facts[name]) for name in list(facts)[:3]] == ["3", "1", "1"]
        assert "0.011" in str(facts["Least new rate"])
        assert "2.20" in str(facts["Greatest new rate"])
        assert facts["Max cost"] == "7"
        assert "0.055" in text
        assert not RateBatchEdit.objects.exists()

    def test_asks_again_where_the_rates_have_changed(self, staff: Client, table: RateTable) -> None:
        address = f"{TABLES}{table.pk}/edit/"
        review = staff.post(address, EDIT).context["review"]
        table.rates.filter(prefix="1").update(rate=Decimal("0.02"))

        text = refused(staff, address, **EDIT, _confirmed="1", _stated=review.stated)

        assert "This has changed since you saw it" in text
        assert not RateBatchEdit.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "name", "message"),
        [
            ({"effective_from": ""}, "effective_from", "Say from when on."),
            ({"by": ""}, "by", "Say by how much, or to what."),
            ({"by": "ten"}, "by", "Enter a number."),
            ({"by": "-101"}, "by", "a price falls by at most 100 percent"),
            ({"change": ""}, "change", "Say how this changes the rate"),
            ({"change": "", "by": ""}, "change", "Say what is to change"),
            ({"increment": "-1"}, "increment", "greater than or equal to 1"),
            ({"minimum": "0"}, "minimum", "greater than or equal to 1"),
            ({"grace": "-5"}, "grace", "greater than or equal to 0"),
            ({"steps": "60:1/1"}, "steps", "they start at 0 and ascend"),
            ({"origin_prefix": "4a"}, "origin_prefix", "Write up to 15 digits."),
            ({"min_digits": "9", "max_digits": "8"}, "max_digits", "below min_digits 9"),
            ({"effective_to": "2026-10-01T00:00"}, "effective_to", "not after the start"),
            ({"tag": "a", "removed": ["tag"]}, "tag", "choose one"),
            ({"way": "in_place", "min_cost": "3"}, "min_cost", "a floor above its cap"),
        ],
    )
    def test_says_at_the_field_what_no_rate_may_hold(
        self, staff: Client, table: RateTable, fields: dict[str, Any], name: str, message: str
    ) -> None:
        table.rates.update(max_cost=Decimal(2))
        before = prices(table)

        response = staff.post(f"{TABLES}{table.pk}/edit/", {**EDIT, **fields, "_confirmed": "1"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        (error,) = response.context["form"].errors[name]
        assert message in error
        assert message in response.content.decode().replace("&#x27;", "'")
        assert not RateBatchEdit.objects.exists()
        assert prices(table) == before

    def test_needs_rates(self, staff: Client, table: RateTable) -> None:
        text = refused(staff, f"{TABLES}{table.pk}/edit/?prefix=7", **EDIT)

        assert "None of the rates would change" in text

    def test_knows_no_rate_of_another_table(self, staff: Client, table: RateTable) -> None:
        foreign = make_rate_table(make_product(make_provider()), {"49": "1"})

        text = page(staff, f"{TABLES}{table.pk}/edit/?rate={foreign.rates.get().pk}")

        assert "Edit 0 rates of Retail" in text
        assert staff.get(f"{TABLES}{foreign.pk}/edit/").status_code == HTTPStatus.NOT_FOUND

    def test_is_for_who_may_change_rates(self, provider: Provider, table: RateTable) -> None:
        reader = as_role(provider, "Read-only")

        assert reader.get(f"{TABLES}{table.pk}/edit/").status_code == HTTPStatus.FORBIDDEN
        assert "Edit the chosen" not in page(reader, f"{TABLES}{table.pk}/")

    def test_is_offered_below_the_list(self, staff: Client, table: RateTable) -> None:
        text = page(staff, f"{TABLES}{table.pk}/?prefix=49")

        assert f'<a class="button button-quiet" href="{TABLES}{table.pk}/edit/?prefix=49">' in text
        rate = table.rates.get(prefix="491")
        assert f'name="rate" value="{rate.pk}" form="chosen"' in text


class TestTheEditsOfATable:
    def test_are_listed_with_what_they_change(self, staff: Client, table: RateTable) -> None:
        address = confirm(staff, f"{TABLES}{table.pk}/edit/", **EDIT, tag="vip", removed=["steps"])

        text = page(staff, f"{TABLES}{table.pk}/edits/")

        assert "rate +10 %, tag vip, steps taken away" in text
        assert f'<a href="{address}">' in text

    def test_are_none_at_first(self, staff: Client, table: RateTable) -> None:
        assert "No edits yet" in page(staff, f"{TABLES}{table.pk}/edits/")


class TestTheResult:
    def test_is_watched_until_it_is_there(self, staff: Client, table: RateTable) -> None:
        address = confirm(staff, f"{TABLES}{table.pk}/edit/", **EDIT)

        waiting = page(staff, address)
        assert f'hx-get="{address}state/"' in waiting
        edit = made(address)

        assert (edit.continued_count, edit.state) == (3, RateBatchEdit.State.DONE)
        text = page(staff, f"{address}state/")
        assert "Rates edited" in text
        assert 'hx-trigger="every' not in text

    def test_says_why_nothing_was_edited(self, staff: Client, table: RateTable) -> None:
        address = confirm(staff, f"{TABLES}{table.pk}/edit/", **EDIT)
        make_rate(table, "7")
        made(address)

        text = page(staff, address)

        assert "No rate was edited" in text
        assert "was changed since you chose its rates" in text

    def test_counts_the_calls_that_were_rated_before(self, staff: Client, table: RateTable) -> None:
        call(table)
        address = confirm(staff, f"{TABLES}{table.pk}/edit/", **EDIT | {"way": "in_place"})
        made(address)

        assert f'hx-get="{address}affected/"' in page(staff, address)
        text = page(staff, f"{address}affected/")

        assert "one of the 3 changed prefixes" in text
        assert "/console/usage/re-rating/new/?started_from=" in text
        part = staff.get(
            f"{address}affected/", headers={"HX-Request": "true", "HX-Target": "affected"}
        )
        assert "<html" not in part.content.decode()

    def test_counts_none_for_prices_to_come(self, staff: Client, table: RateTable) -> None:
        later = {**EDIT, "effective_from": "2999-01-01T00:00"}
        address = confirm(staff, f"{TABLES}{table.pk}/edit/", **later)
        made(address)

        assert "affected" not in page(staff, address)

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        foreign = make_rate_table(make_product(make_provider()), {"49": "1"})
        edit = ask_for_rate_edit(
            table=foreign,
            rate_ids=[foreign.rates.get().pk],
            edit=RateEdit(values={"minimum": 60}),
            at=LONG_AGO,
            actor_id=None,
        )

        for rest in ("", "state/", "affected/"):
            response = staff.get(f"{TABLES}edits/{edit.pk}/{rest}")
            assert response.status_code == HTTPStatus.NOT_FOUND


class TestAChangeOfOneRate:
    FIELDS = {
        "prefix": "49",
        "destination": "Germany",
        "effective_from": "2026-10-01T00:00",
        "rate": "0.06",
        "connection_fee": "0",
        "attempt_fee": "0",
        "minimum": "1",
        "increment": "1",
        "grace": "0",
        "status": "active",
    }

    def test_in_the_past_leads_to_the_calls_that_it_concerns(
        self, staff: Client, table: RateTable
    ) -> None:
        call(table)

        response = staff.post(f"{TABLES}{table.pk}/new/", self.FIELDS)

        added = table.rates.get(effective_from__gt=LONG_AGO)
        assert response["Location"].startswith(
            f"{TABLES}rates/{added.pk}/affected/?since=2026-10-01"
        )
        text = page(staff, response["Location"])
        assert "since 1 Oct 2026, 00:00" in text
        assert "the changed prefix" in text
        assert "0.10" in text

    def test_since_later_concerns_no_call(self, staff: Client, table: RateTable) -> None:
        call(table)
        rate = table.rates.get(prefix="49")

        text = page(staff, f"{TABLES}rates/{rate.pk}/affected/?since=2026-10-06T00:00:00%2B00:00")

        assert "No call is concerned" in text

    def test_since_no_instant_of_a_calendar_is_since_its_start(
        self, staff: Client, table: RateTable
    ) -> None:
        call(table)
        rate = table.rates.get(prefix="49")

        text = page(staff, f"{TABLES}rates/{rate.pk}/affected/?since=0001-01-01T00:00:00%2B14:00")

        assert "since 1 Jan 2026" in text

    def test_to_come_leads_back_to_the_rate(self, staff: Client, table: RateTable) -> None:
        later = {**self.FIELDS, "effective_from": "2999-01-01T00:00"}

        response = staff.post(f"{TABLES}{table.pk}/new/", later)

        assert response["Location"] == f"{TABLES}{table.pk}/"

    def test_leads_back_who_may_not_see_usage(self, provider: Provider, table: RateTable) -> None:
        rate = table.rates.get(prefix="49")
        client = as_role(provider, "Marketing")

        response = client.get(f"{TABLES}rates/{rate.pk}/affected/")

        assert response.status_code == HTTPStatus.FORBIDDEN

    def test_asks_as_often_for_many_calls(self, staff: Client, table: RateTable) -> None:
        rate = table.rates.get(prefix="49")
        address = f"{TABLES}rates/{rate.pk}/affected/"
        before = query_count(staff, address)
        call(table)

        assert query_count(staff, address) == before
