import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.rate_edits import (
    NothingToChange,
    PriceChange,
    PriceEdit,
    RateEdit,
    read,
    written,
)
from catalogue.rules.rate_terms import RateRefused

START = datetime(2026, 10, 1, tzinfo=UTC)
prices = st.decimals(-(10**6), 10**6, places=8)


class TestAPriceEdit:
    @given(prices, st.decimals(-100, 1000, places=8))
    def test_by_percent_is_exact_and_rounded_once(self, price: Decimal, by: Decimal) -> None:
        exact = Fraction(price) * (1 + Fraction(by) / 100)

        found = PriceEdit(PriceChange.PERCENT, by).applied(price)

        assert found == found.quantize(Decimal("1E-8"))
        assert abs(Fraction(found) - exact) <= Fraction(1, 2 * 10**8)

    @given(prices, prices)
    def test_by_an_amount_adds_it(self, price: Decimal, by: Decimal) -> None:
        assert Fraction(PriceEdit(PriceChange.AMOUNT, by).applied(price)) == Fraction(
            price
        ) + Fraction(by)

    @given(prices, prices)
    def test_to_an_amount_is_that(self, price: Decimal, by: Decimal) -> None:
        assert PriceEdit(PriceChange.VALUE, by).applied(price) == by

    @pytest.mark.parametrize(
        ("price", "by", "after"),
        [
            ("0.05", "10", "0.05500000"),
            ("0.00000001", "50", "0.00000002"),
            ("0.00000001", "49.99999999", "0.00000001"),
            ("-0.00000001", "50", "-0.00000002"),
            ("0.05", "-100", "0"),
        ],
    )
    def test_rounds_half_away_from_zero(self, price: str, by: str, after: str) -> None:
        edit = PriceEdit(PriceChange.PERCENT, Decimal(by))

        assert edit.applied(Decimal(price)) == Decimal(after)

    @pytest.mark.parametrize("by", ["-100.01", "0.000000001", "10000000000", "NaN"])
    def test_refuses_what_no_price_can_become(self, by: str) -> None:
        with pytest.raises(RateRefused):
            PriceEdit(PriceChange.PERCENT, Decimal(by))


class TestARateEdit:
    def test_says_something(self) -> None:
        with pytest.raises(NothingToChange):
            RateEdit(effective_from=START)

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("increment", -1),
            ("minimum", 0),
            ("steps", "60:1/1"),
            ("policy", "other"),
            ("origin_prefix", "4a"),
            ("effective_to", START),
        ],
    )
    def test_refuses_what_no_rate_may_hold(self, column: str, value: object) -> None:
        with pytest.raises(RateRefused) as refusal:
            RateEdit(effective_from=START, values={column: value})

        assert refusal.value.column == column

    def test_knows_whether_rates_are_for_other_calls_then(self) -> None:
        assert RateEdit(values={"tag": ""}).changes_calls
        assert not RateEdit(values={"minimum": 60}).changes_calls

    @given(
        start=st.none() | st.just(START),
        price=st.none()
        | st.builds(PriceEdit, st.sampled_from(PriceChange), st.decimals(-99, 99, places=8)),
        values=st.fixed_dictionaries(
            {"minimum": st.integers(1, 99)},
            optional={
                "max_cost": st.none() | st.decimals(0, 99, places=8),
                "effective_to": st.none() | st.just(START + timedelta(days=90)),
                "tag": st.sampled_from(["", "vip"]),
                "time_profile_id": st.none() | st.just(7),
            },
        ),
    )
    def test_is_read_as_it_was_written(
        self, start: datetime | None, price: PriceEdit | None, values: dict[str, Any]
    ) -> None:
        edit = RateEdit(effective_from=start, price=price, values=values)

        assert read(json.loads(json.dumps(written(edit)))) == edit
