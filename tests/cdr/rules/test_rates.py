from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cdr.rules import rates
from cdr.rules.rates import InvalidRate, Rate, RateTable, Rounding

VALID = Rate(
    id=1, prefix="44", rate=Decimal("0.02"), effective_from=datetime(2026, 1, 1, tzinfo=UTC)
)


class TestRate:
    def test_takes_the_published_defaults(self) -> None:
        assert VALID.first_rate == Decimal("0.02")
        assert (VALID.minimum, VALID.increment, VALID.grace) == (1, 1, 0)
        assert (VALID.connection_fee, VALID.attempt_fee) == (Decimal(0), Decimal(0))
        assert (VALID.min_cost, VALID.max_cost, VALID.effective_to) == (None, None, None)
        assert VALID.status is rates.RateStatus.ACTIVE

    def test_has_its_own_price_inside_the_minimum(self) -> None:
        assert replace(VALID, initial_rate=Decimal(1)).first_rate == 1
        assert replace(VALID, initial_rate=Decimal(0)).first_rate == 0

    @pytest.mark.parametrize(
        ("error", "changes"),
        [
            (rates.PrefixNotDigits, {"prefix": "44a"}),
            (rates.PrefixNotDigits, {"prefix": "4٤"}),
            (rates.PrefixNotDigits, {"prefix": "1234567890123456"}),
            (rates.PrefixNotDigits, {"origin_prefix": "+49"}),
            (rates.AmountNotDecimal, {"rate": 0.02}),
            (rates.AmountNotDecimal, {"rate": Decimal("NaN")}),
            (rates.AmountNotDecimal, {"max_cost": Decimal("Infinity")}),
            (rates.AmountTooPrecise, {"rate": Decimal("0.000000001")}),
            (rates.AmountTooPrecise, {"initial_rate": Decimal("0.123456789")}),
            (rates.AmountTooLarge, {"connection_fee": Decimal(10**10)}),
            (rates.AmountTooLarge, {"attempt_fee": Decimal(-(10**10))}),
            (rates.MinimumBelowOne, {"minimum": 0}),
            (rates.IncrementBelowOne, {"increment": 0}),
            (rates.GraceBelowZero, {"grace": -1}),
            (rates.VolumeTooLarge, {"minimum": 2**63}),
            (rates.VolumeTooLarge, {"increment": 2**63}),
            (rates.VolumeTooLarge, {"grace": 2**63}),
            (rates.InstantWithoutZone, {"effective_from": datetime(2026, 1, 1)}),  # noqa: DTZ001
            (rates.EffectiveRangeEmpty, {"effective_to": VALID.effective_from}),
            (rates.DigitBoundsCrossed, {"min_digits": 9, "max_digits": 8}),
            (rates.DigitBoundsCrossed, {"min_digits": -1}),
        ],
    )
    def test_refuses_a_value_naming_its_column(
        self, error: type[InvalidRate], changes: dict[str, Any]
    ) -> None:
        with pytest.raises(error) as refusal:
            replace(VALID, **changes)

        assert refusal.value.column in changes
        assert refusal.value.column in str(refusal.value)

    def test_refuses_a_floor_above_the_cap(self) -> None:
        with pytest.raises(rates.FloorAboveCap) as refusal:
            replace(VALID, min_cost=Decimal(2), max_cost=Decimal(1))

        assert str(refusal.value) == "min_cost '2': the floor is above max_cost 1"

    def test_accepts_the_limits(self) -> None:
        most = Decimal("9999999999.99999999")

        rate = replace(VALID, rate=most, prefix="123456789012345", minimum=2**63 - 1)

        assert rate.rate == most
        assert replace(VALID, rate=Decimal("0.0200000000000")).rate == Decimal("0.02")
        assert replace(VALID, prefix="").prefix == ""


class TestRateTable:
    def test_takes_the_published_defaults(self) -> None:
        table = RateTable()

        assert (table.rounding, table.decimals) == (Rounding.HALF_UP, 6)
        assert table.increment_base is rates.IncrementBase.AFTER_MINIMUM
        assert table.boundary is rates.Boundary.START
        assert table.volume_units_per_rating_unit == 60

    @pytest.mark.parametrize(
        ("error", "column", "value"),
        [
            (rates.DecimalsOutOfRange, "decimals", 9),
            (rates.DecimalsOutOfRange, "decimals", -1),
            (rates.UnknownTimezone, "timezone", "Europe/Atlantis"),
            (rates.UnknownTimezone, "timezone", "../etc/passwd"),
            (rates.UnknownCurrency, "currency", "euro"),
            (rates.UnknownCurrency, "currency", "eur"),
            (rates.UnitsOutOfRange, "volume_units_per_rating_unit", 0),
            (rates.UnitsOutOfRange, "volume_units_per_rating_unit", 10**10 + 1),
        ],
    )
    def test_refuses_a_value_naming_its_column(
        self, error: type[InvalidRate], column: str, value: Any
    ) -> None:
        with pytest.raises(error) as refusal:
            replace(RateTable(), **{column: value})

        assert refusal.value.column == column
