"""Percent taxes by priority."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.rules.taxes import PercentTax, compute_taxes, taxes_in_force
from common.money import Rounding


def tax(percent: str, priority: int = 1) -> PercentTax:
    return PercentTax(f"Tax {percent}", Decimal(percent), priority)


def computed(net: str, *taxes: PercentTax) -> list[tuple[Decimal, Decimal]]:
    return [
        (row.base_amount, row.tax_amount)
        for row in compute_taxes(Decimal(net), taxes, "EUR", Rounding.HALF_UP)
    ]


class TestTaxesOfOnePriority:
    def test_share_the_base(self) -> None:
        assert computed("100", tax("10"), tax("5")) == [
            (Decimal(100), Decimal("10.00")),
            (Decimal(100), Decimal("5.00")),
        ]


class TestATaxOfALaterPriority:
    def test_is_taken_on_the_base_and_the_earlier_taxes(self) -> None:
        assert computed("100", tax("10", 1), tax("5", 2)) == [
            (Decimal(100), Decimal("10.00")),
            (Decimal(110), Decimal("5.50")),
        ]

    def test_comes_later_whatever_the_order_of_the_list(self) -> None:
        assert computed("100", tax("5", 2), tax("10", 1)) == [
            (Decimal(100), Decimal("10.00")),
            (Decimal(110), Decimal("5.50")),
        ]


class TestATax:
    def test_is_rounded_once_on_the_total(self) -> None:
        assert computed("0.13", tax("19")) == [(Decimal("0.13"), Decimal("0.02"))]

    def test_is_rounded_to_even_where_the_biller_wants_it(self) -> None:
        (row,) = compute_taxes(Decimal("0.50"), [tax("5")], "EUR", Rounding.HALF_EVEN)

        assert row.tax_amount == Decimal("0.02")

    @given(st.decimals("0", "1000000", places=2), st.decimals("0", "100", places=4))
    def test_is_within_half_a_cent_of_the_exact_share(self, net: Decimal, percent: Decimal) -> None:
        (row,) = compute_taxes(net, [PercentTax("Tax", percent)], "EUR", Rounding.HALF_UP)

        assert abs(row.tax_amount - net * percent / 100) <= Decimal("0.005")


class TestTaxesInForce:
    def test_are_those_whose_dates_hold_the_day(self) -> None:
        old = PercentTax("Old", Decimal(16), valid_to=date(2026, 10, 1))
        new = PercentTax("New", Decimal(19), valid_from=date(2026, 10, 1))

        assert taxes_in_force([old, new], date(2026, 9, 30)) == [old]
        assert taxes_in_force([old, new], date(2026, 10, 1)) == [new]

    def test_come_by_priority_and_else_in_their_order(self) -> None:
        taxes = [tax("1", 2), tax("2", 1), tax("3", 1)]

        assert [row.percent for row in taxes_in_force(taxes, date(2026, 1, 1))] == [2, 3, 1]
