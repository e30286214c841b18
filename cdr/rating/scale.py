"""Amounts as whole numbers of 10^-8, so that sums are plain and no binary float touches money."""

from decimal import Decimal

from cdr.rules.cost import EXACT
from cdr.rules.rates import AMOUNT_DECIMALS

COST_SCALE_DIGITS = AMOUNT_DECIMALS
COST_SCALE = 10**COST_SCALE_DIGITS
"""Costs are whole numbers of 10^-8 whatever the decimals of the table, so that sums are plain."""


def to_scaled(amount: Decimal) -> int:
    """An amount of at most eight decimals as a whole number of 10^-8."""
    return int(amount.scaleb(COST_SCALE_DIGITS, context=EXACT))
