from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.rate_comparison import (
    CallsKey,
    ComparedPair,
    ComparedRate,
    ComparisonClass,
    compare,
    percent_change,
)

KEY = CallsKey("44", "", 0, "", "regular", 0, 1000)
prices = st.decimals(-1000, 1000, places=8)


def rate(**terms: Any) -> ComparedRate:
    values: dict[str, Any] = {
        "id": 1,
        "table_id": 1,
        "destination": "United Kingdom",
        "effective_from": datetime(2026, 1, 1, tzinfo=UTC),
        "rate": Decimal("0.05"),
        "initial_rate": None,
        "connection_fee": Decimal(0),
        "minimum": 1,
        "increment": 1,
        "grace": 0,
        "steps": "",
        "min_cost": None,
        "max_cost": None,
        "attempt_fee": Decimal(0),
        "status": "active",
    }
    return ComparedRate(**values | terms)


def pair(left: ComparedRate | None, right: ComparedRate | None) -> ComparedPair:
    return ComparedPair(KEY, left, right, compare(left, right, same_currency=True))


class TestPercentChange:
    @given(prices.filter(bool), prices)
    def test_is_of_what_the_price_was(self, before: Decimal, after: Decimal) -> None:
        exact = (Fraction(after) - Fraction(before)) * 100 / abs(Fraction(before))

        found = percent_change(before, after)

        assert found is not None
        assert found == found.quantize(Decimal("0.01"))
        assert abs(Fraction(found) - exact) <= Fraction(1, 200)

    def test_is_none_from_nothing(self) -> None:
        assert percent_change(Decimal(0), Decimal(1)) is None

    def test_is_of_the_size_of_a_price_below_zero(self) -> None:
        assert percent_change(Decimal("-0.02"), Decimal("-0.01")) == Decimal("50.00")


class TestAPair:
    @pytest.mark.parametrize(
        ("left", "right", "found"),
        [
            ({}, {}, "equal"),
            ({"initial_rate": Decimal("0.05")}, {}, "equal"),
            ({"effective_from": datetime(2026, 2, 1, tzinfo=UTC)}, {}, "equal"),
            ({}, {"rate": Decimal("0.06"), "minimum": 60}, "increased"),
            ({}, {"rate": Decimal("-0.05")}, "decreased"),
            ({}, {"destination": "UK"}, "terms"),
            ({}, {"max_cost": Decimal(1)}, "terms"),
            ({}, {"rate": Decimal("0.06"), "status": "blocked"}, "terms"),
            ({"steps": "0:1/1"}, {"steps": "0:1/1", "rate": Decimal(2)}, "equal"),
        ],
    )
    def test_is_of_a_class(self, left: Any, right: Any, found: str) -> None:
        assert pair(rate(**left), rate(**right)).comparison_class == found

    def test_with_one_side_has_no_difference(self) -> None:
        alone = [pair(None, rate()), pair(rate(), None)]

        assert [each.comparison_class for each in alone] == [
            ComparisonClass.ONLY_RIGHT,
            ComparisonClass.ONLY_LEFT,
        ]
        assert [(each.difference, each.percent, each.other_terms) for each in alone] == [
            (None, None, ()),
            (None, None, ()),
        ]

    def test_says_the_difference_and_what_else_differs(self) -> None:
        found = pair(rate(), rate(rate=Decimal("0.04"), minimum=60, destination="UK"))

        assert found.difference == Decimal("-0.01")
        assert found.percent == Decimal("-20.00")
        assert found.other_terms == ("destination", "minimum")

    def test_of_blocked_calls_has_no_difference(self) -> None:
        assert pair(rate(), rate(rate=Decimal(1), status="blocked")).difference is None
