from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from catalogue.rules.rate_terms import RateRefused, RateTerms, fits_amount

FROM = datetime(2026, 10, 1, tzinfo=UTC)


def terms(**columns: Any) -> RateTerms:
    return RateTerms(
        **{"prefix": "4477", "rate": Decimal("0.05"), "effective_from": FROM, **columns}
    )


class TestRateTerms:
    @pytest.mark.parametrize(
        "columns",
        [
            {"prefix": ""},
            {"prefix": "9" * 15},
            {"rate": Decimal("-0.00000001")},
            {"rate": Decimal("9999999999.99999999")},
            {"effective_to": datetime(2026, 10, 1, 0, 0, 1, tzinfo=UTC)},
            {"min_cost": Decimal("0.1"), "max_cost": Decimal("0.1")},
            {"min_digits": 8, "max_digits": 8},
            {"steps": "0:0.60/60;60:0.30/1"},
            {"steps": ";".join(f"{start}:-0.1/1" for start in range(8))},
            {"policy": "additive", "status": "blocked", "tag": "on-net", "origin_prefix": "49"},
        ],
    )
    def test_hold_what_a_rate_may_hold(self, columns: dict[str, Any]) -> None:
        held = terms(**columns)

        assert {column: getattr(held, column) for column in columns} == columns

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("prefix", "44a"),
            ("prefix", "+44"),
            ("prefix", "9" * 16),
            ("prefix", "٤٤"),
            ("origin_prefix", "0 44"),
            ("rate", 0.05),
            ("rate", Decimal("NaN")),
            ("rate", Decimal("0.000000001")),
            ("rate", Decimal("10000000000")),
            ("initial_rate", Decimal("Infinity")),
            ("connection_fee", Decimal("0.123456789")),
            ("attempt_fee", Decimal("-10000000000")),
            ("minimum", 0),
            ("increment", 0),
            ("grace", -1),
            ("minimum", 2**31),
            ("effective_from", datetime(2026, 10, 1)),  # noqa: DTZ001 - the refused value
            ("effective_to", FROM),
            ("destination", "United\nKingdom"),
            ("destination", " United Kingdom"),
            ("tag", "vip "),
            ("min_digits", -1),
            ("max_digits", 31),
            ("policy", "ADDITIVE"),
            ("status", "gone"),
            ("destination", "x" * 121),
            ("tag", "x" * 41),
            ("tag", "two words"),
            ("tag", "two;tags"),
            ("steps", "0:0.6"),
            ("steps", "1:0.6/60"),
            ("steps", "0:0.6/60;0:0.3/1"),
            ("steps", "0:0.6/0"),
            ("steps", ";".join(f"{start}:1/1" for start in range(9))),
        ],
    )
    def test_name_the_column_that_is_wrong(self, column: str, value: object) -> None:
        with pytest.raises(RateRefused, match=f"^{column} ") as refusal:
            terms(**{column: value})

        assert refusal.value.column == column

    def test_refuse_a_floor_above_the_cap(self) -> None:
        with pytest.raises(RateRefused, match="above max_cost"):
            terms(min_cost=Decimal("0.2"), max_cost=Decimal("0.1"))

    def test_refuse_crossed_digit_bounds(self) -> None:
        with pytest.raises(RateRefused, match="below min_digits 9"):
            terms(min_digits=9, max_digits=8)


class TestFitsAmount:
    @pytest.mark.parametrize(
        ("amount", "fits"),
        [("1.12345678", True), ("1.123456780", True), ("1.123456789", False), ("1E+30", False)],
    )
    def test_means_eight_decimals_and_no_more_digits_than_are_kept(
        self, amount: str, fits: bool
    ) -> None:
        assert fits_amount(Decimal(amount)) is fits
