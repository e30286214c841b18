"""How a document writes figures."""

from datetime import date
from decimal import Decimal

import pytest

from billing.documents.text import (
    amount_text,
    count_text,
    date_text,
    percent_text,
    volume_heading,
    volume_text,
)


class TestAnAmount:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            ("1234567.5", "EUR", "1,234,567.50"),
            ("0.0000", "EUR", "0.00"),
            ("1.0050", "EUR", "1.005"),
            ("-20", "EUR", "\u221220.00"),
            ("1500", "JPY", "1,500"),
            ("1.5", "KWD", "1.500"),
            ("1E+3", "EUR", "1,000.00"),
        ],
    )
    def test_has_the_currency_s_decimals_and_loses_none(
        self, amount: str, currency: str, text: str
    ) -> None:
        assert amount_text(Decimal(amount), currency) == text


class TestACount:
    @pytest.mark.parametrize(
        ("count", "text"), [("1.0000", "1"), ("2.5000", "2.5"), ("12000", "12,000")]
    )
    def test_has_decimals_only_where_it_needs_them(self, count: str, text: str) -> None:
        assert count_text(Decimal(count)) == text


class TestOtherFigures:
    def test_percent(self) -> None:
        assert percent_text(Decimal("19.0000")) == "19 %"
        assert percent_text(Decimal("5.5000")) == "5.5 %"

    def test_date(self) -> None:
        assert date_text(date(2026, 10, 1)) == "1 October 2026"

    @pytest.mark.parametrize(
        ("volume", "unit", "text", "heading"),
        [
            (12345, "second", "205:45", "Minutes"),
            (3_600_000, "second", "60,000:00", "Minutes"),
            (1_500_000, "byte", "1.50", "Megabytes"),
            (1200, "message", "1,200", "Messages"),
            (3, "seat", "3", "Seats"),
            (3, "", "3", "Volume"),
        ],
    )
    def test_volume(self, volume: int, unit: str, text: str, heading: str) -> None:
        assert volume_text(volume, unit) == text
        assert volume_heading(unit) == heading
