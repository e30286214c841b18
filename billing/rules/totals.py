"""From the lines of an invoice to what it asks for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.rules.taxes import ComputedTax, PercentTax, compute_taxes
from common.money import ZERO, Rounding, RoundingScope, minor_digits, round_money, round_to

# What a line carries where only the invoice's sum is rounded: as many decimals as a charge.
LINE_DIGITS = 4


@dataclass(frozen=True)
class InvoiceTotals:
    """What an invoice asks for, in its currency's decimals; gross is always net plus tax."""

    net_amount: Decimal
    taxes: tuple[ComputedTax, ...]

    @property
    def tax_amount(self) -> Decimal:
        """The sum of the taxes."""
        return sum((tax.tax_amount for tax in self.taxes), ZERO)

    @property
    def gross_amount(self) -> Decimal:
        """What is to be paid."""
        return self.net_amount + self.tax_amount


def line_digits(scope: RoundingScope, currency: str) -> int:
    """Decimals of a line's amount: the currency's own, or those of a charge until the sum."""
    return minor_digits(currency) if scope is RoundingScope.LINE else LINE_DIGITS


def round_line(amount: Decimal, currency: str, rounding: Rounding, scope: RoundingScope) -> Decimal:
    """A line's amount as the invoice shows it; it is rounded once, from the exact charge."""
    return round_to(amount, line_digits(scope, currency), rounding)


def total_invoice(
    line_amounts: Iterable[Decimal],
    taxes: Sequence[PercentTax],
    currency: str,
    rounding: Rounding,
) -> InvoiceTotals:
    """Totals of lines that `round_line` rounded.

    Three lines of 1.005 come to 3.03 (half up) or 3.00 (half even) when rounded by line, and to
    3.02 when only their sum is.
    """
    net = round_money(sum(line_amounts, ZERO), currency, rounding)
    return InvoiceTotals(net, tuple(compute_taxes(net, taxes, currency, rounding)))
