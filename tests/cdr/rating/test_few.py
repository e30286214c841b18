"""What is done with few rows is what is done with many: the same rows, repeated, get the same."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.importers.chunks import MAX_LINE_BYTES, split_lines
from cdr.rating import Rate, RateTable, compile_table
from cdr.rating.dedup import dedup_keys, is_repeated
from cdr.rating.dial_plans import DialPlan, normalise
from cdr.rating.few import FEW, looked_up
from cdr.rating.legs import PlannedLegs
from cdr.rating.numbers import align
from cdr.rating.prices import PricedLegs, PriceTable
from cdr.rating.usage import UsageSums, sum_usage
from cdr.services.copying import days
from common.copying import timestamps

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
MANY = FEW + 1
PLANS = [
    DialPlan(country_prefix="49"),
    DialPlan(),
    DialPlan("1", international_prefix="011", trunk_prefix=None, national_digits=10),
]
dialled = st.one_of(
    st.none(),
    st.text("0149+ ()./-x#\t\u00a0\u2003\x1c\x85\n٤", max_size=22),
    st.from_regex(r"(\+|00|0|011|99|9901)?[1-9][0-9]{5,15}", fullmatch=True),
)
names = st.one_of(st.none(), st.text("ab\u00e9 ", max_size=3))
seconds = st.integers(0, 3)


class TestFewNumbers:
    @given(st.lists(dialled, min_size=1, max_size=5), st.sampled_from(PLANS), st.booleans())
    def test_are_normalised_as_many(
        self, numbers: list[str | None], plan: DialPlan, with_trunks: bool
    ) -> None:
        trunks = {"99": 0, "9901": 1} if with_trunks else None
        few = pl.Series(numbers, dtype=pl.String)

        found = normalise(few, plan=plan, tech_prefixes=trunks)
        of_many = normalise(pl.concat([few] * MANY), plan=plan, tech_prefixes=trunks)

        assert found.equals(of_many.head(len(few)))
        assert found.schema == of_many.schema

    @given(st.lists(dialled, min_size=1, max_size=5))
    def test_have_the_keys_of_many(self, numbers: list[str | None]) -> None:
        few = pl.Series(numbers, dtype=pl.String)

        assert align(few).tolist() == align(pl.concat([few] * MANY))[: len(few)].tolist()


class TestFewXdrs:
    @given(st.lists(st.tuples(names, names, seconds, names, names, seconds), min_size=1))
    def test_are_known_by_the_keys_of_many(
        self, rows: list[tuple[str | None, str | None, int, str | None, str | None, int]]
    ) -> None:
        schema = {
            "call_id": pl.String,
            "leg_id": pl.String,
            "started_at": pl.Int64,
            "caller_number": pl.String,
            "destination_number": pl.String,
            "duration_seconds": pl.Int64,
        }
        few = pl.DataFrame(rows, schema=schema, orient="row")
        many = pl.concat([few] * MANY)

        keys, of_many = dedup_keys(few, source_id=7), dedup_keys(many, source_id=7)

        assert keys.equals(of_many.head(len(few)))
        repeated = is_repeated(few.with_columns(keys))
        assert repeated.equals(is_repeated(many.with_columns(of_many)).head(len(few)))

    @given(st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=1, max_size=6))
    def test_are_looked_up_as_many(self, keys: list[int | None]) -> None:
        few = pl.Series("key", keys, dtype=pl.Int64)
        rows = {"name": ["a", None, "c"], "of": [1, 2, 3], "id": [10, 11, None]}
        known = pl.DataFrame(rows, schema={"name": pl.String, "of": pl.Int64, "id": pl.Int64})

        found, of_many = (looked_up(each, known, "of") for each in (few, pl.concat([few] * MANY)))

        assert found.equals(of_many.head(len(few)))
        assert looked_up(few, known.clear(), "of")["id"].to_list() == [None] * len(keys)

    @given(st.lists(st.integers(0, 2**51), min_size=1, max_size=4))
    def test_are_of_the_days_of_many(self, instants: list[int]) -> None:
        few = pl.Series("instant", [*instants, None], dtype=pl.Int64)

        found = days(few, "America/New_York")

        of_many = days(pl.concat([few] * MANY), "America/New_York")
        assert found.to_list() == of_many.head(len(few)).to_list()

    @given(st.lists(st.integers(0, 2**51), min_size=1, max_size=4))
    def test_are_of_the_instants_of_many(self, instants: list[int]) -> None:
        few = pl.Series("instant", [*instants, None], dtype=pl.Int64)

        found = timestamps(few)

        of_many = timestamps(pl.concat([few] * MANY))
        assert found.to_list() == of_many.head(len(few)).to_list()


class TestFewLines:
    @pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
    @given(st.lists(st.text("a\u00e9\t\r\x1c\u2003 ", max_size=4), min_size=1, max_size=5))
    def test_are_split_as_many(self, end: bytes, texts: list[str]) -> None:
        few = "\n".join(texts).encode() + end
        many = few.removesuffix(b"\n") + b"\n" + b"long\n" * MAX_LINE_BYTES

        found, of_many = (split_lines(each, first_line=3) for each in (few, many))

        count = len(of_many.readable) - MAX_LINE_BYTES
        assert found.readable.equals(of_many.readable.head(count))
        assert len(found.readable) == count


def made_table(table_id: int, currency: str) -> PriceTable:
    rates = [
        Rate(
            id=place,
            prefix=str(place),
            destination=f"D{place}",
            rate=Decimal(1),
            effective_from=LONG_AGO,
        )
        for place in (1, 2)
    ]
    compiled = compile_table(RateTable(name=str(table_id), currency=currency), rates)
    return PriceTable(table_id, str(table_id), currency, compiled)


TABLES = {5: made_table(5, "EUR"), 6: made_table(6, "USD")}
leg = st.tuples(st.integers(0, 2), st.integers(1, 2), st.sampled_from([5, 6]), st.integers(0, 1))


class TestFewLegs:
    @given(st.lists(st.tuples(leg, st.booleans()), min_size=1, max_size=12))
    def test_are_summed_as_many(self, legs: list[tuple[tuple[int, int, int, int], bool]]) -> None:
        chosen = np.array([is_chosen for _, is_chosen in legs])
        few = summed([each for each, _ in legs], chosen)
        # Legs of somebody else, which come after all of these.
        others = [(0, 9, 6, 1)] * MANY
        many = summed([*(each for each, _ in legs), *others], np.append(chosen, [True] * MANY))

        assert few.sums.schema == many.sums.schema
        count = int(chosen.sum())
        found = few.sums[few.place].rows()
        assert found == many.sums[many.place[:count]].rows()
        payers = few.sums.select("payer_kind", "payer_id", "day")
        assert payers.equals(payers.sort(payers.columns))


def summed(legs: list[tuple[int, int, int, int]], chosen: np.ndarray) -> UsageSums:
    """Legs by xDR, payer, table and destination, of three xDRs."""
    row, payer, table, destination = np.array(legs, dtype=np.int64).T
    ones = np.ones(len(legs), dtype=np.int64)
    kinds = ones.astype(np.int8)
    planned = PlannedLegs(row, ones, kinds, kinds, payer, kinds, ones, table, kinds[:3])
    cost = np.arange(len(legs)) + 2**62
    priced = PricedLegs(
        rate_index=destination.astype(np.int32),
        destination=destination.astype(np.int32),
        rate_id=ones,
        billed=ones * 60,
        cost=cost,
        additive_cost=ones * 0,
        reason=ones.astype(np.uint8),
        total_before=ones * 0,
    )
    by_xdr = pl.DataFrame(
        {
            "volume": [60, 61, 62],
            "reseller_id": [0, 3, -1],
            "day": [date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 1)],
        }
    )
    return sum_usage(planned, priced, TABLES, chosen=chosen, by_xdr=by_xdr, included=ones * 2)
