from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from catalogue.models import Rate, RateTable
from catalogue.rules.code_deck_files import CodeDeckRefused
from catalogue.rules.rate_terms import RateRefused, RateTerms
from catalogue.services.code_decks import CodeDeckNameTaken, create_code_deck
from catalogue.services.rates import (
    RateAlreadyEnded,
    add_rate,
    add_rates,
    change_rate,
    close_rate,
)
from tests.factories import make_product, make_provider, make_rate, make_rate_table
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
FROM = datetime(2026, 10, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def terms(prefix: str = "44", **columns: Any) -> RateTerms:
    given = {"rate": Decimal("0.05"), "effective_from": FROM, "destination": "UK", **columns}
    return RateTerms(prefix=prefix, **given)


def empty_table(**fields: Any) -> RateTable:
    return make_rate_table(make_product(make_provider()), **fields)


def revision(table: RateTable) -> int:
    return RateTable.objects.get(pk=table.pk).revision


class TestAddRate:
    def test_keeps_every_column(self) -> None:
        table = empty_table()
        given = terms(
            effective_to=FROM + timedelta(days=1),
            initial_rate=Decimal("0.1"),
            connection_fee=Decimal("0.3"),
            minimum=30,
            increment=6,
            grace=2,
            steps="0:0.60/60;60:0.30/1",
            min_cost=Decimal("0.01"),
            max_cost=Decimal(5),
            attempt_fee=Decimal("0.02"),
            policy="additive",
            tag="on-net",
            origin_prefix="49",
            min_digits=8,
            max_digits=15,
            status="stashed",
        )

        rate = add_rate(table=table, terms=given, at=AT, actor_id=None)

        stored = Rate.objects.get(pk=rate.pk)
        columns = {column: getattr(stored, column) for column in RateTerms.__slots__}
        assert RateTerms(**columns) == given
        assert stored.rate_table == table

    def test_makes_compiled_tables_stale(self) -> None:
        table = empty_table()

        add_rate(table=table, terms=terms(), at=AT, actor_id=None)

        assert revision(table) == 2

    def test_takes_the_destination_from_the_code_deck(self) -> None:
        provider = make_provider()
        deck = create_code_deck(
            provider_id=provider.pk,
            name="E.164",
            destinations={"44": "United Kingdom", "447": "United Kingdom, mobile"},
            at=AT,
            actor_id=None,
        )
        table = make_rate_table(make_product(provider), code_deck=deck)

        rate = add_rate(table=table, terms=terms("4477", destination=""), at=AT, actor_id=None)

        assert rate.destination == "United Kingdom, mobile"

    @pytest.mark.parametrize("with_deck", [False, True])
    def test_refuses_a_destination_that_nobody_names(self, with_deck: bool) -> None:
        provider = make_provider()
        deck = create_code_deck(
            provider_id=provider.pk,
            name="E.164",
            destinations={"49": "Germany"},
            at=AT,
            actor_id=None,
        )
        product = make_product(provider)
        table = make_rate_table(product, code_deck=deck if with_deck else None)

        with refused(RateRefused, "none for '44'"):
            add_rate(table=table, terms=terms(destination=""), at=AT, actor_id=None)


class TestAddRates:
    def test_adds_thousands_as_one_change(self) -> None:
        table = empty_table()
        deck = [terms(str(prefix)) for prefix in range(10_000, 15_500)]

        added = add_rates(table=table, rates=deck, at=AT, actor_id=None)

        assert len(added) == table.rates.count() == 5500
        assert all(rate.pk for rate in added)
        entry = Entry.objects.get(action="rate_table.rates_added")
        assert (entry.object_id, entry.after) == (str(table.pk), {"rates": "5500"})

    def test_adds_all_or_none(self) -> None:
        table = empty_table()

        with refused(RateRefused):
            add_rates(
                table=table, rates=[terms(), terms("49", destination="")], at=AT, actor_id=None
            )


class TestChangeRate:
    def test_replaces_columns_and_records_those_that_changed(self) -> None:
        rate = make_rate(empty_table(), "44", destination="UK", effective_from=FROM)

        changed = change_rate(
            rate=rate, terms=terms(rate=Decimal("0.06"), minimum=60), at=AT, actor_id=None
        )

        assert (changed.rate, changed.minimum) == (Decimal("0.06"), 60)
        entry = Entry.objects.get(action="rate.changed")
        assert entry.before == {"rate": "0.05000000", "minimum": "1"}
        assert entry.after == {"rate": "0.06", "minimum": "60"}

    def test_leaves_no_trace_where_nothing_changes(self) -> None:
        table = empty_table()
        rate = make_rate(table, "44", destination="UK", effective_from=FROM)
        before = revision(table)

        change_rate(rate=rate, terms=terms(), at=AT, actor_id=None)

        assert not Entry.objects.exists()
        assert revision(table) == before


class TestCloseRate:
    def test_ends_a_rate(self) -> None:
        rate = make_rate(empty_table(), "44", effective_from=FROM)

        closed = close_rate(rate=rate, effective_to=FROM + timedelta(days=1), at=AT, actor_id=None)

        assert closed.effective_to == FROM + timedelta(days=1)

    def test_may_bring_the_end_forward(self) -> None:
        rate = make_rate(
            empty_table(), "44", effective_from=FROM, effective_to=FROM + timedelta(days=9)
        )

        closed = close_rate(rate=rate, effective_to=FROM + timedelta(days=1), at=AT, actor_id=None)

        assert closed.effective_to == FROM + timedelta(days=1)

    def test_refuses_a_rate_that_ends_before_anyway(self) -> None:
        rate = make_rate(
            empty_table(), "44", effective_from=FROM, effective_to=FROM + timedelta(days=1)
        )

        with refused(RateAlreadyEnded):
            close_rate(rate=rate, effective_to=FROM + timedelta(days=2), at=AT, actor_id=None)

    def test_refuses_to_end_before_the_start(self) -> None:
        rate = make_rate(empty_table(), "44", effective_from=FROM)

        with refused(RateRefused, "not after the start"):
            close_rate(rate=rate, effective_to=FROM, at=AT, actor_id=None)


class TestCreateCodeDeck:
    def test_refuses_a_name_that_reads_the_same(self) -> None:
        provider = make_provider()
        given = {"destinations": {"44": "UK"}, "at": AT, "actor_id": None}
        create_code_deck(provider_id=provider.pk, name="E.164", **given)  # type: ignore[arg-type]

        with refused(CodeDeckNameTaken):
            create_code_deck(provider_id=provider.pk, name="e.164", **given)  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", ["", "x" * 101])
    def test_refuses_a_name_that_cannot_be_kept(self, name: str) -> None:
        provider = make_provider()

        with refused(CodeDeckRefused, match="^Name: "):
            create_code_deck(
                provider_id=provider.pk, name=name, destinations={}, at=AT, actor_id=None
            )

    @pytest.mark.parametrize("entry", [("+44", "UK"), ("", "UK"), ("4" * 16, "UK"), ("44", "")])
    def test_refuses_what_is_no_entry(self, entry: tuple[str, str]) -> None:
        provider = make_provider()

        with refused(CodeDeckRefused):
            create_code_deck(
                provider_id=provider.pk,
                name="E.164",
                destinations={"49": "Germany", entry[0]: entry[1]},
                at=AT,
                actor_id=None,
            )
