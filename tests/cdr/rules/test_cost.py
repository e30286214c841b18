from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given

from cdr.rules.cost import Reason, leg_cost
from cdr.rules.rates import FeeDue, IncrementBase, Rate, RateTable, Rounding
from tests.cdr.rating.strategies import rates, tables, volumes


def make_rate(**columns: Any) -> Rate:
    amounts = {name: Decimal(value) for name, value in columns.items() if isinstance(value, str)}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Rate(**{"id": 1, "prefix": "44", "effective_from": start, **columns, **amounts})


FEE_AND_GRACE = {"rate": "1", "minimum": 30, "grace": 2, "connection_fee": "0.3"}

WORKED = [
    (FEE_AND_GRACE, 0, 0, "0"),
    (FEE_AND_GRACE, 2, 0, "0"),
    (FEE_AND_GRACE, 3, 30, "0.8"),
    (FEE_AND_GRACE, 30, 30, "0.8"),
    (FEE_AND_GRACE, 31, 31, "0.816667"),
    (FEE_AND_GRACE, 45, 45, "1.05"),
    (FEE_AND_GRACE, 61, 61, "1.316667"),
    ({"rate": "0.6", "minimum": 60, "increment": 60}, 61, 120, "1.2"),
    ({"rate": "0.6", "minimum": 30, "increment": 6}, 29, 30, "0.3"),
    ({"rate": "0.6", "minimum": 30, "increment": 6}, 31, 36, "0.36"),
    ({"rate": "0.0125"}, 7, 7, "0.001458"),
    ({"rate": "0.6", "grace": 5}, 5, 0, "0"),
    ({"rate": "0.6", "grace": 5}, 6, 6, "0.06"),
    ({"rate": "-0.6"}, 60, 60, "-0.6"),
]


class TestLegCost:
    @pytest.mark.parametrize(("columns", "volume", "billed", "cost"), WORKED)
    def test_follows_the_worked_rows(
        self, columns: dict[str, Any], volume: int, billed: int, cost: str
    ) -> None:
        leg = leg_cost(RateTable(), make_rate(**columns), volume)

        assert (leg.billed, leg.cost) == (billed, Decimal(cost))

    def test_prices_a_gibibyte_measured_in_kibibytes(self) -> None:
        table = RateTable(volume_units_per_rating_unit=1_048_576)

        leg = leg_cost(table, make_rate(rate="2"), 1_048_576)

        assert (leg.billed, leg.cost) == (1_048_576, Decimal(2))

    def test_charges_the_initial_rate_inside_the_minimum(self) -> None:
        leg = leg_cost(RateTable(), make_rate(rate="0.6", initial_rate="1.2", minimum=30), 40)

        assert leg.parts == ((Decimal("1.2"), 30), (Decimal("0.6"), 10))
        assert leg.cost == Decimal("0.7")

    @pytest.mark.parametrize(
        ("base", "volume", "billed"),
        [
            (IncrementBase.AFTER_MINIMUM, 10, 30),
            (IncrementBase.AFTER_MINIMUM, 31, 50),
            (IncrementBase.AFTER_MINIMUM, 51, 70),
            (IncrementBase.TOTAL, 10, 30),
            (IncrementBase.TOTAL, 31, 40),
            (IncrementBase.TOTAL, 41, 60),
        ],
    )
    def test_counts_increments_from_where_the_table_says(
        self, base: IncrementBase, volume: int, billed: int
    ) -> None:
        table = RateTable(increment_base=base)

        leg = leg_cost(table, make_rate(rate="0.6", minimum=30, increment=20), volume)

        assert (leg.billed, leg.cost) == (billed, Decimal("0.01") * billed)

    @pytest.mark.parametrize(
        ("rounding", "cost", "credit"),
        [
            (Rounding.HALF_UP, "0.03", "-0.03"),
            (Rounding.HALF_EVEN, "0.02", "-0.02"),
            (Rounding.UP, "0.03", "-0.03"),
            (Rounding.DOWN, "0.02", "-0.02"),
        ],
    )
    def test_rounds_a_tie_by_the_rule_of_the_table(
        self, rounding: Rounding, cost: str, credit: str
    ) -> None:
        table = RateTable(rounding=rounding, decimals=2)

        charged = leg_cost(table, make_rate(rate="0.025"), 60)
        credited = leg_cost(table, make_rate(rate="-0.025"), 60)

        assert (charged.cost, credited.cost) == (Decimal(cost), Decimal(credit))

    @pytest.mark.parametrize(("decimals", "cost"), [(0, "1"), (1, "0.7"), (8, "0.66666667")])
    def test_rounds_to_the_decimals_of_the_table(self, decimals: int, cost: str) -> None:
        leg = leg_cost(RateTable(decimals=decimals), make_rate(rate="2"), 20)

        assert leg.cost == Decimal(cost)

    def test_rounds_once_and_not_per_increment(self) -> None:
        leg = leg_cost(RateTable(decimals=2), make_rate(rate="0.2"), 3)

        assert leg.cost == Decimal("0.01")

    def test_is_never_minus_zero(self) -> None:
        leg = leg_cost(RateTable(decimals=2), make_rate(rate="-0.01"), 1)

        assert str(leg.cost) == "0.00"

    def test_charges_an_attempt_its_fee_and_no_connection_fee(self) -> None:
        rate = make_rate(rate="1", attempt_fee="0.01", connection_fee="5", grace=3, min_cost="2")

        leg = leg_cost(RateTable(), rate, 0)

        assert (leg.reason, leg.billed, leg.cost) == (Reason.ZERO_VOLUME, 0, Decimal("0.01"))

    def test_keeps_zero_volume_free_and_price_zero_apart(self) -> None:
        rate = make_rate(rate="0", grace=2)

        legs = [leg_cost(RateTable(), rate, volume) for volume in (0, 2, 3)]

        assert [leg.reason for leg in legs] == [Reason.ZERO_VOLUME, Reason.FREE, Reason.RATED]
        assert [leg.cost for leg in legs] == [0, 0, 0]

    @pytest.mark.parametrize(
        ("due", "columns", "cost"),
        [
            (FeeDue.BEYOND_ALLOWANCE, {}, "0"),
            (FeeDue.ALWAYS, {}, "0.3"),
            (FeeDue.ALWAYS, {"max_cost": "0.2"}, "0.2"),
            (FeeDue.ALWAYS, {"min_cost": "0.5"}, "0.3"),
            (FeeDue.ALWAYS, {"grace": 60}, "0"),
        ],
    )
    def test_charges_the_fee_of_what_an_allowance_covers_where_it_is_due(
        self, due: FeeDue, columns: dict[str, Any], cost: str
    ) -> None:
        table = RateTable(connection_fee_due=due)
        rate = make_rate(rate="1", connection_fee="0.3", **columns)

        leg = leg_cost(table, rate, 60, included=60)

        assert (leg.billed, leg.cost) == (0, Decimal(cost))
        assert leg.reason is (Reason.FREE if rate.grace else Reason.INCLUDED)

    def test_charges_the_fee_once_where_the_allowance_ends_within_the_call(self) -> None:
        rate = make_rate(rate="1", connection_fee="0.3")

        costs = [
            leg_cost(RateTable(connection_fee_due=due), rate, 90, included=60).cost
            for due in FeeDue
        ]

        assert costs == [Decimal("0.8"), Decimal("0.8")]

    @pytest.mark.parametrize(
        ("volume", "cost", "bound"),
        [(3, "0.5", "min_cost"), (60, "1.1", ""), (600, "2", "max_cost")],
    )
    def test_keeps_between_floor_and_cap_fee_included(
        self, volume: int, cost: str, bound: str
    ) -> None:
        rate = make_rate(rate="1", connection_fee="0.1", min_cost="0.5", max_cost="2")

        leg = leg_cost(RateTable(), rate, volume)

        assert (leg.cost, leg.bounded_by) == (Decimal(cost), bound)

    def test_leaves_a_free_volume_free_of_the_floor(self) -> None:
        leg = leg_cost(RateTable(), make_rate(rate="1", grace=5, min_cost="0.5"), 5)

        assert (leg.reason, leg.cost) == (Reason.FREE, Decimal(0))

    def test_refuses_a_negative_volume(self) -> None:
        with pytest.raises(ValueError, match="volume -1"):
            leg_cost(RateTable(), make_rate(rate="1"), -1)

    @given(tables(), rates(), volumes)
    def test_equals_the_formula_in_fractions(
        self, table: RateTable, rate: Rate, volume: int
    ) -> None:
        leg = leg_cost(table, rate, volume)

        billed, exact = formula(table, rate, volume)
        assert leg.billed == billed
        assert Fraction(leg.cost) == rounded(exact, table)

    @given(tables(), rates(), volumes, volumes)
    def test_bills_no_less_for_more(
        self, table: RateTable, rate: Rate, one: int, other: int
    ) -> None:
        less, more = (leg_cost(table, rate, volume) for volume in sorted((one, other)))

        assert less.billed <= more.billed
        if rate.rate >= 0 and less.reason is Reason.RATED:
            assert less.cost <= more.cost


def formula(table: RateTable, rate: Rate, volume: int) -> tuple[int, Fraction]:
    """The published formula, read literally, in exact fractions."""
    units = table.volume_units_per_rating_unit
    if volume == 0:
        return 0, Fraction(rate.attempt_fee)
    if volume <= rate.grace:
        return 0, Fraction(0)
    billed = rate.minimum
    if volume > rate.minimum:
        if table.increment_base is IncrementBase.TOTAL:
            billed = ceil(Fraction(volume, rate.increment)) * rate.increment
        else:
            billed += ceil(Fraction(volume - rate.minimum, rate.increment)) * rate.increment
    first = Fraction(rate.rate if rate.initial_rate is None else rate.initial_rate)
    cost = Fraction(rate.connection_fee) + first * rate.minimum / units
    cost += Fraction(rate.rate) * (billed - rate.minimum) / units
    if rate.min_cost is not None:
        cost = max(cost, Fraction(rate.min_cost))
    if rate.max_cost is not None:
        cost = min(cost, Fraction(rate.max_cost))
    return billed, cost


def rounded(amount: Fraction, table: RateTable) -> Fraction:
    scaled = abs(amount) * 10**table.decimals
    whole, rest = divmod(scaled, 1)
    half = Fraction(1, 2)
    raised = {
        Rounding.HALF_UP: rest >= half,
        Rounding.HALF_EVEN: rest > half or (rest == half and whole % 2 == 1),
        Rounding.UP: rest > 0,
        Rounding.DOWN: False,
    }[table.rounding]
    size = Fraction(whole + raised, 10**table.decimals)
    return size if amount >= 0 else -size
