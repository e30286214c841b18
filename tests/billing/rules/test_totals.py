"""Totals of an invoice."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.rules.taxes import PercentTax
from billing.rules.totals import round_line, total_invoice
from common.money import Rounding, RoundingScope

AMOUNTS = st.lists(st.decimals("-100000", "100000", places=8), max_size=30)
TAXES = st.lists(
    st.builds(
        PercentTax,
        name=st.just("Tax"),
        percent=st.decimals("0", "100", places=4),
        priority=st.integers(1, 3),
    ),
    max_size=4,
)


def net(rounding: Rounding, scope: RoundingScope, *amounts: str) -> Decimal:
    lines = [round_line(Decimal(amount), "EUR", rounding, scope) for amount in amounts]
    return total_invoice(lines, [], "EUR", rounding).net_amount


class TestThreeLinesOf1005:
    LINES = ("1.005", "1.005", "1.005")

    @pytest.mark.parametrize(
        ("rounding", "scope", "expected"),
        [
            (Rounding.HALF_UP, RoundingScope.LINE, "3.03"),
            (Rounding.HALF_EVEN, RoundingScope.LINE, "3.00"),
            (Rounding.HALF_UP, RoundingScope.INVOICE, "3.02"),
            (Rounding.HALF_EVEN, RoundingScope.INVOICE, "3.02"),
        ],
    )
    def test_come_to(self, rounding: Rounding, scope: RoundingScope, expected: str) -> None:
        assert net(rounding, scope, *self.LINES) == Decimal(expected)


class TestTotals:
    def test_of_100_with_two_taxes_of_one_priority(self) -> None:
        taxes = [PercentTax("A", Decimal(10)), PercentTax("B", Decimal(5))]

        assert total_invoice([Decimal(100)], taxes, "EUR", Rounding.HALF_UP).gross_amount == 115

    def test_of_100_with_two_taxes_of_two_priorities(self) -> None:
        taxes = [PercentTax("A", Decimal(10)), PercentTax("B", Decimal(5), priority=2)]
        totals = total_invoice([Decimal(100)], taxes, "EUR", Rounding.HALF_UP)

        assert totals.gross_amount == Decimal("115.50")

    def test_of_no_lines_are_zero(self) -> None:
        taxes = [PercentTax("A", Decimal(10))]

        assert total_invoice([], taxes, "EUR", Rounding.HALF_UP).gross_amount == 0

    @given(AMOUNTS, TAXES, st.sampled_from(Rounding), st.sampled_from(RoundingScope))
    def test_gross_is_net_plus_tax_in_whole_cents(
        self,
        amounts: list[Decimal],
        taxes: list[PercentTax],
        rounding: Rounding,
        scope: RoundingScope,
    ) -> None:
        lines = [round_line(amount, "EUR", rounding, scope) for amount in amounts]
        totals = total_invoice(lines, taxes, "EUR", rounding)

        assert totals.gross_amount == totals.net_amount + totals.tax_amount
        for amount in (totals.net_amount, totals.tax_amount, totals.gross_amount):
            assert amount == round(amount, 2)
        if scope is RoundingScope.LINE:
            assert totals.net_amount == sum(lines, Decimal(0))

    @pytest.mark.parametrize(
        ("currency", "expected"), [("JPY", "1"), ("EUR", "1.23"), ("KWD", "1.235")]
    )
    def test_have_the_currency_s_decimals(self, currency: str, expected: str) -> None:
        line = round_line(Decimal("1.2345"), currency, Rounding.HALF_UP, RoundingScope.LINE)

        assert line == Decimal(expected)
