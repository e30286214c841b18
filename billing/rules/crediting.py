"""What a credit note takes back: how an amount splits into net and taxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.money import ZERO, Rounding, round_money


@dataclass(frozen=True)
class Creditable:
    """The net and the taxes of an invoice that no credit note has taken back yet."""

    net_amount: Decimal
    tax_amounts: tuple[Decimal, ...]

    @property
    def tax_amount(self) -> Decimal:
        """The sum of the taxes."""
        return sum(self.tax_amounts, ZERO)

    @property
    def gross_amount(self) -> Decimal:
        """What can still be credited, with tax."""
        return self.net_amount + self.tax_amount


def credit_gross(left: Creditable, gross: Decimal, currency: str, rounding: Rounding) -> Creditable:
    """The split of `gross` (tax included, at most what is left) in the proportions of what is left.

    Crediting all that is left takes exactly the rest, so that parts always sum to the whole; no
    share is ever negative or more than is left of it.
    """
    assert ZERO < gross <= left.gross_amount
    *taxes, net = _split(gross, [*left.tax_amounts, left.net_amount], currency, rounding)
    return Creditable(net, tuple(taxes))


def credit_net(left: Creditable, net: Decimal, currency: str, rounding: Rounding) -> Creditable:
    """`net` (before tax, at most what is left) with the same proportion of each tax that is left.

    Crediting all the net takes all the tax, so that parts always sum to the whole.
    """
    assert ZERO < net <= left.net_amount
    tax = round_money(left.tax_amount * net / left.net_amount, currency, rounding)
    return Creditable(net, tuple(_split(tax, left.tax_amounts, currency, rounding)))


def _split(
    amount: Decimal, weights: Sequence[Decimal], currency: str, rounding: Rounding
) -> list[Decimal]:
    """`amount` by `weights` (in whole minor units): cumulative shares rounded, then differenced.

    Rounding is monotone, so each share lies between 0 and its weight, and they sum to `amount`.
    """
    total = sum(weights, ZERO)
    if total == 0:
        return [ZERO for _ in weights]
    shares, cumulated, given = [], ZERO, ZERO
    for weight in weights:
        cumulated += weight
        upto = round_money(amount * cumulated / total, currency, rounding)
        shares.append(upto - given)
        given = upto
    return shares
