"""The engine against the published rules read literally, over random tables of every column."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cdr.rating import (
    COST_SCALE,
    Boundary,
    CompiledTable,
    Policy,
    Rate,
    RatedBatch,
    RateStatus,
    RateTable,
    Reason,
    TagColumn,
    Usage,
    align,
    compile_table,
    explain,
)
from cdr.rules.instants import to_microseconds
from tests.cdr.rating.reference import Answer, Call, Deck, answer
from tests.cdr.rating.strategies import (
    START,
    call_lists,
    decks,
    rates,
    small_amounts,
    split_volumes,
    tables,
)

Row = tuple[str, int, int, int, int]
split_points = st.integers(1, 10**6)


def compiled_deck(deck: Deck) -> CompiledTable:
    (table, rates), *parents = deck
    return compile_table(table, rates, parents)


def rate_calls(compiled: CompiledTable, rows: list[Call]) -> RatedBatch:
    sets = list({call.tags for call in rows})
    return compiled.rate(
        align(pl.Series([call.number for call in rows], dtype=pl.String)),
        np.array([to_microseconds(call.started_at) for call in rows], dtype=np.int64),
        np.array([call.volume for call in rows], dtype=np.int64),
        caller=align(pl.Series([call.caller for call in rows], dtype=pl.String)),
        tags=TagColumn(np.array([sets.index(call.tags) for call in rows]), sets),
        included=np.array([call.included for call in rows], dtype=np.int64),
    )


def rows_of(compiled: CompiledTable, batch: RatedBatch) -> list[Row]:
    """State, rate, billed, cost and additive cost of each row."""
    columns = (batch.reason, batch.rate_id, batch.billed, batch.cost, batch.additive_cost)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        (Reason(state).name, rate_id, billed, cost, additive)
        for state, rate_id, billed, cost, additive in rows
    ]


def flattened(expected: Answer) -> Row:
    rate_id = -1 if expected.rate is None else expected.rate.id
    cost, additive = (amount * COST_SCALE for amount in (expected.cost, expected.additive_cost))
    return expected.state, rate_id, expected.billed, int(cost), int(additive)


class TestEveryTable:
    @given(decks(), call_lists())
    def test_is_rated_as_published(self, deck: Deck, rows: list[Call]) -> None:
        compiled = compiled_deck(deck)

        found = rows_of(compiled, rate_calls(compiled, rows))

        assert found == [flattened(answer(deck, call)) for call in rows]

    @given(decks(Boundary.SPLIT), call_lists(split_volumes))
    def test_is_split_as_published(self, deck: Deck, rows: list[Call]) -> None:
        compiled = compiled_deck(deck)

        found = rows_of(compiled, rate_calls(compiled, rows))

        assert found == [flattened(answer(deck, call)) for call in rows]

    @given(decks() | decks(Boundary.SPLIT), call_lists(split_volumes))
    def test_is_explained_as_it_is_rated(self, deck: Deck, rows: list[Call]) -> None:
        (table, rates), *parents = deck
        compiled = compiled_deck(deck)
        batch = rate_calls(compiled, rows)

        for row, call in enumerate(rows):
            usage = Usage(call.number, call.started_at, call.caller, call.tags)
            told = explain(
                table, rates, usage, call.volume, included=call.included, parents=parents
            )

            cost = int(batch.cost[row]) + int(batch.additive_cost[row])
            assert told.reason == batch.reason[row]
            assert (told.winner.id if told.winner else -1) == batch.rate_id[row]
            assert (told.cost or Decimal(0)) * COST_SCALE == cost

    @given(decks() | decks(Boundary.SPLIT), call_lists(split_volumes), st.randoms())
    def test_answers_whatever_the_order_and_the_batch(
        self, deck: Deck, rows: list[Call], random: st.DataObject
    ) -> None:
        compiled = compiled_deck(deck)
        together = rows_of(compiled, rate_calls(compiled, rows))
        order = list(range(len(rows)))
        random.shuffle(order)  # type: ignore[attr-defined]

        shuffled = rows_of(compiled, rate_calls(compiled, [rows[place] for place in order]))
        alone = [rows_of(compiled, rate_calls(compiled, [call]))[0] for call in rows]

        assert [shuffled[order.index(place)] for place in range(len(rows))] == together
        assert alone == together


class TestOneRate:
    @given(tables() | tables(Boundary.SPLIT), rates(is_plain=False), st.data())
    def test_never_asks_less_for_more_at_prices_that_are_not_negative(
        self, table: RateTable, rate: Rate, data: st.DataObject
    ) -> None:
        positive = {
            name: abs(getattr(rate, name)) for name in ("rate", "first_rate", "connection_fee")
        }
        one = replace(
            rate,
            rate=positive["rate"],
            initial_rate=positive["first_rate"],
            connection_fee=positive["connection_fee"],
            steps=rate.steps.replace("-", ""),
            effective_to=None,
            time_profile="",
            policy=Policy.REGULAR,
            status=RateStatus.ACTIVE,
        )
        compiled = compile_table(table, [one])
        volumes = sorted(data.draw(st.lists(st.integers(0, 10**6), min_size=2, max_size=20)))
        number = one.prefix.ljust(max(one.min_digits or 1, 1), "0")
        call = Call(number, one.effective_from, 0, one.origin_prefix, frozenset({one.tag}))

        rows = rows_of(compiled, rate_calls(compiled, [replace(call, volume=v) for v in volumes]))

        charged = [cost for state, _, _, cost, _ in rows if state == "RATED"]
        assert charged == sorted(charged)

    @given(tables(Boundary.SPLIT), rates(), split_points, st.integers(1, 5 * 10**6))
    def test_costs_the_same_with_a_boundary_between_equal_prices_as_without(
        self, table: RateTable, rate: Rate, seconds: int, volume: int
    ) -> None:
        one = replace(rate, effective_to=None, status=RateStatus.ACTIVE)
        same = replace(one, id=2, effective_from=one.effective_from + timedelta(seconds=seconds))
        call = Call(one.prefix or "0", one.effective_from, volume)

        whole, parted = (
            rows_of(compiled, rate_calls(compiled, [call]))[0]
            for compiled in (compile_table(table, [one]), compile_table(table, [one, same]))
        )

        assert (parted[0], *parted[2:]) == (whole[0], *whole[2:])

    @given(tables(Boundary.SPLIT), small_amounts, small_amounts, split_points, split_points)
    def test_costs_the_sum_of_its_parts_where_each_second_is_billed(
        self, table: RateTable, price: Decimal, then: Decimal, seconds: int, more: int
    ) -> None:
        exact = replace(table, decimals=8, volume_units_per_rating_unit=1)
        boundary = START + timedelta(seconds=seconds)
        first = Rate(id=1, prefix="", rate=price, effective_from=START)
        second = Rate(id=2, prefix="", rate=then, effective_from=boundary)
        compiled = compile_table(exact, [first, second])
        calls = [Call("1", START, seconds + more), Call("1", START, seconds)]

        whole, before, after = rate_calls(compiled, [*calls, Call("1", boundary, more)]).cost

        assert whole == before + after
