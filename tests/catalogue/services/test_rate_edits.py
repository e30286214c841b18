from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from audit.models import Entry
from catalogue.models import Rate, RateBatchEdit, RateTable
from catalogue.rules.price_steps import parse_price_steps
from catalogue.rules.rate_edits import PriceChange, PriceEdit, RateEdit
from catalogue.rules.rate_terms import RateRefused
from catalogue.selectors.rate_edits import preview_edit
from catalogue.services.rate_edits import (
    NoRatesChosen,
    ask_for_rate_edit,
    make_rate_edit,
    requeue_lost_edits,
)
from tests.factories import LONG_AGO, make_product, make_provider, make_rate, make_rate_table

pytestmark = pytest.mark.django_db
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, tzinfo=UTC)
NOW = datetime(2026, 10, 1, tzinfo=UTC)
DEARER = PriceEdit(PriceChange.PERCENT, Decimal(10))


@pytest.fixture
def table() -> RateTable:
    return make_rate_table(make_product(make_provider()), {"44": "0.04", "49": "0.05"})


def make(table: RateTable, edit: RateEdit, rates: Sequence[Rate] | None = None) -> RateBatchEdit:
    rates = list(table.rates.all()) if rates is None else rates
    asked = ask_for_rate_edit(
        table=table, rate_ids=[rate.pk for rate in rates], edit=edit, at=NOW, actor_id=None
    )
    make_rate_edit(edit_id=asked.pk, at=NOW)
    asked.refresh_from_db()
    return asked


def rates(table: RateTable, prefix: str = "49") -> list[tuple[Any, ...]]:
    rows = table.rates.filter(prefix=prefix).order_by("effective_from", "pk")
    return list(rows.values_list("effective_from", "effective_to", "rate"))


class TestAnEditFromAnInstantOn:
    def test_ends_rates_there_and_goes_on_with_changed_ones(self, table: RateTable) -> None:
        made = make(table, RateEdit(effective_from=JUNE, price=DEARER))

        assert rates(table) == [
            (LONG_AGO, JUNE, Decimal("0.05")),
            (JUNE, None, Decimal("0.055")),
        ]
        assert rates(table, "44")[1] == (JUNE, None, Decimal("0.044"))
        assert made.state == RateBatchEdit.State.DONE
        assert (made.continued_count, made.corrected_count, made.left_count) == (2, 0, 0)
        assert made.changed_from == JUNE

    def test_keeps_every_other_column(self, table: RateTable) -> None:
        make_rate(
            table, "1", minimum=60, tag="vip", max_cost=Decimal(2), effective_to=AUGUST, grace=3
        )

        make(table, RateEdit(effective_from=JUNE, values={"increment": 30}))

        before, after = table.rates.filter(prefix="1").order_by("effective_from")
        changed = {
            column.name
            for column in Rate._meta.concrete_fields
            if column.value_from_object(before) != column.value_from_object(after)
        }
        assert changed == {"id", "effective_from", "effective_to", "increment"}
        assert (before.effective_to, after.effective_to) == (JUNE, AUGUST)

    def test_changes_rates_that_begin_later_themselves(self, table: RateTable) -> None:
        make_rate(table, "49", rate=Decimal("0.06"), effective_from=JULY)

        made = make(table, RateEdit(effective_from=JUNE, price=DEARER))

        assert rates(table) == [
            (LONG_AGO, JUNE, Decimal("0.05")),
            (JUNE, None, Decimal("0.055")),
            (JULY, None, Decimal("0.066")),
        ]
        assert (made.continued_count, made.corrected_count) == (2, 1)

    def test_leaves_rates_that_are_over_by_then(self, table: RateTable) -> None:
        make_rate(table, "49", rate=Decimal("0.06"), effective_from=JUNE, effective_to=JULY)

        made = make(table, RateEdit(effective_from=AUGUST, price=DEARER))

        assert [rate for *_, rate in rates(table)] == [Decimal("0.05"), Decimal("0.06")]
        assert (made.continued_count, made.corrected_count, made.left_count) == (1, 0, 2)

    def test_lets_those_for_other_calls_end_where_they_did(self, table: RateTable) -> None:
        make_rate(table, "49", rate=Decimal("0.06"), effective_from=JULY)
        first = table.rates.get(prefix="49", effective_from=LONG_AGO)

        make(table, RateEdit(effective_from=JUNE, values={"tag": "vip"}), [first])

        rows = table.rates.filter(prefix="49").order_by("effective_from")
        assert list(rows.values_list("tag", "effective_from", "effective_to")) == [
            ("", LONG_AGO, JUNE),
            ("vip", JUNE, JULY),
            ("", JULY, None),
        ]


class TestACorrection:
    def test_changes_rates_from_their_own_start(self, table: RateTable) -> None:
        made = make(table, RateEdit(price=PriceEdit(PriceChange.AMOUNT, Decimal("-0.01"))))

        assert rates(table) == [(LONG_AGO, None, Decimal("0.04"))]
        assert (made.corrected_count, made.changed_from) == (2, LONG_AGO)

    def test_takes_away_what_may_be_missing(self, table: RateTable) -> None:
        rate = make_rate(table, "1", max_cost=Decimal(1), tag="vip", effective_to=JUNE)

        make(table, RateEdit(values={"max_cost": None, "tag": "", "effective_to": None}), [rate])

        rate.refresh_from_db()
        assert (rate.max_cost, rate.tag, rate.effective_to) == (None, "", None)

    def test_moves_initial_rates_and_steps_with_the_price(self, table: RateTable) -> None:
        rate = make_rate(table, "1", initial_rate=Decimal("0.1"), steps="0:0.60/60; 60:-0.30/1")

        make(table, RateEdit(price=DEARER), [rate])

        rate.refresh_from_db()
        assert (rate.initial_rate, rate.steps) == (Decimal("0.11"), "0:0.66/60;60:-0.33/1")

    def test_ends_the_rate_before_where_it_did(self, table: RateTable) -> None:
        later = make_rate(table, "49", rate=Decimal("0.06"), effective_from=JULY)

        make(table, RateEdit(values={"tag": "vip"}), [later])

        assert rates(table) == [
            (LONG_AGO, JULY, Decimal("0.05")),
            (JULY, None, Decimal("0.06")),
        ]


class TestAnEdit:
    def test_is_recorded_with_its_counts(self, table: RateTable) -> None:
        made = make(table, RateEdit(effective_from=JUNE, price=DEARER))

        entry = Entry.objects.get(action="rate_table.rates_edited")
        assert entry.object_id == str(table.pk)
        assert entry.after is not None
        assert entry.after["edit"] == str(made.pk)
        assert entry.after["rates_continued"] == "2"
        assert entry.after["price"] == "percent 10"

    def test_is_made_once(self, table: RateTable) -> None:
        made = make(table, RateEdit(price=DEARER))

        make_rate_edit(edit_id=made.pk, at=NOW)

        assert rates(table) == [(LONG_AGO, None, Decimal("0.055"))]

    def test_changes_the_rates_chosen_and_no_other(self, table: RateTable) -> None:
        foreign = make_rate_table(make_product(make_provider()), {"49": "0.05"})
        mine = table.rates.filter(prefix="44")

        make(table, RateEdit(price=DEARER), [*mine, *foreign.rates.all()])

        assert rates(table, "44") == [(LONG_AGO, None, Decimal("0.044"))]
        assert rates(table) == rates(foreign) == [(LONG_AGO, None, Decimal("0.05"))]

    def test_raises_the_revision(self, table: RateTable) -> None:
        table.refresh_from_db()
        before = table.revision

        make(table, RateEdit(price=DEARER))

        table.refresh_from_db()
        assert table.revision > before

    def test_does_nothing_to_a_table_that_was_changed_meanwhile(self, table: RateTable) -> None:
        ids = list(table.rates.values_list("pk", flat=True))
        asked = ask_for_rate_edit(
            table=table, rate_ids=ids, edit=RateEdit(price=DEARER), at=NOW, actor_id=None
        )
        make_rate(table, "1")

        make_rate_edit(edit_id=asked.pk, at=NOW)

        asked.refresh_from_db()
        assert asked.state == RateBatchEdit.State.FAILED
        assert "was changed since" in asked.error
        assert rates(table) == [(LONG_AGO, None, Decimal("0.05"))]

    def test_takes_as_many_statements_for_many_rates(self, table: RateTable) -> None:
        def statements() -> int:
            ids = list(table.rates.values_list("pk", flat=True))
            edit = RateEdit(effective_from=NOW, price=DEARER, values={"tag": "a"})
            with CaptureQueriesContext(connection) as context:
                asked = ask_for_rate_edit(
                    table=table, rate_ids=ids, edit=edit, at=NOW, actor_id=None
                )
                make_rate_edit(edit_id=asked.pk, at=NOW)
            return len(context)

        few = statements()
        table.rates.all().delete()
        for number in range(40):
            make_rate(table, f"5{number:02}")

        assert statements() == few

    def test_is_asked_for_again_where_it_was_lost(self, table: RateTable) -> None:
        ids = list(table.rates.values_list("pk", flat=True))
        ask_for_rate_edit(
            table=table, rate_ids=ids, edit=RateEdit(price=DEARER), at=NOW, actor_id=None
        )

        assert requeue_lost_edits(at=NOW + timedelta(minutes=1)) == 0
        assert requeue_lost_edits(at=NOW + timedelta(minutes=6)) == 1


class TestWhatNoRateMayHold:
    @pytest.mark.parametrize(
        ("edit", "column"),
        [
            (RateEdit(price=PriceEdit(PriceChange.PERCENT, Decimal(9_999_999_999))), "by"),
            (RateEdit(values={"min_cost": Decimal(3)}), "min_cost"),
            (RateEdit(values={"min_digits": 14}), "min_digits"),
            (RateEdit(values={"effective_to": LONG_AGO}), "effective_to"),
            (RateEdit(values={"tag": ""}), "tag"),
        ],
    )
    def test_is_refused_by_the_column(self, table: RateTable, edit: RateEdit, column: str) -> None:
        make_rate(table, "49", tag="vip", rate=Decimal(1000), max_cost=Decimal(2), max_digits=None)
        make_rate(table, "44", max_digits=12, tag="b")
        before = list(table.rates.order_by("pk").values())

        with pytest.raises(RateRefused) as refusal:
            make(table, edit)

        assert refusal.value.column == column
        assert list(table.rates.order_by("pk").values()) == before
        assert not RateBatchEdit.objects.exists()

    def test_is_refused_where_nothing_would_change(self, table: RateTable) -> None:
        table.rates.update(effective_to=JUNE)

        with pytest.raises(NoRatesChosen):
            make(table, RateEdit(effective_from=JULY, price=DEARER))
        with pytest.raises(NoRatesChosen):
            make(table, RateEdit(price=DEARER), [])


class TestThePreview:
    def test_says_what_would_be(self, table: RateTable) -> None:
        make_rate(table, "1", rate=Decimal("0.005"), effective_from=AUGUST)
        ids = list(table.rates.values_list("pk", flat=True))
        edit = RateEdit(effective_from=JULY, price=PriceEdit(PriceChange.AMOUNT, Decimal("-0.01")))

        found = preview_edit(table, ids, edit)

        assert (found.continued_count, found.corrected_count, found.left_count) == (2, 1, 0)
        assert (found.least, found.greatest) == (Decimal("-0.005"), Decimal("0.04"))
        assert found.negative_count == 1
        assert [(row.prefix, row.rate_before, row.rate_after) for row in found.examples] == [
            ("1", Decimal("0.005"), Decimal("-0.005")),
            ("44", Decimal("0.04"), Decimal("0.03")),
            ("49", Decimal("0.05"), Decimal("0.04")),
        ]


@pytest.fixture(scope="module")
def any_table(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[RateTable]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_rate_table(make_product(make_provider()))
        transaction.set_rollback(True)


prices = st.decimals(-1000, 1000, places=8)


class TestTheDatabase:
    @given(
        stored=st.lists(st.tuples(prices, st.none() | prices, prices), min_size=1, max_size=5),
        change=st.sampled_from(PriceChange),
        by=st.decimals(-100, 1000, places=8),
    )
    def test_reckons_as_the_rule_does(
        self,
        any_table: RateTable,
        stored: list[tuple[Decimal, Decimal | None, Decimal]],
        change: PriceChange,
        by: Decimal,
    ) -> None:
        any_table.rates.all().delete()
        for number, (rate, initial, step) in enumerate(stored):
            steps = f"0:{step:f}/60;60:1/1"
            make_rate(any_table, f"4{number}", rate=rate, initial_rate=initial, steps=steps)
        price = PriceEdit(change, by)

        make(any_table, RateEdit(price=price))

        moves = change is not PriceChange.VALUE
        for found, (rate, initial, step) in zip(
            any_table.rates.order_by("prefix"), stored, strict=True
        ):
            assert found.rate == price.applied(rate)
            wanted = price.applied(initial) if moves and initial is not None else initial
            assert found.initial_rate == wanted
            first, second = parse_price_steps(found.steps)
            assert (first.price, second.price) == (
                (price.applied(step), price.applied(Decimal(1))) if moves else (step, 1)
            )
