"""What a month's total costs at tiers; no usage costs nothing, whatever the tiers.

The price of the total is rounded, once, half up to eight decimals. A single xDR is charged what it
adds to that price: from a total T it adds price(T + v) - price(T). Whatever the order in which the
xDRs of a month come, these differences sum to the price of the last total, exactly.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from catalogue.rules.tiers import Tier, TierModel, Tiers

_QUANTUM = Decimal("0.00000001")
# Totals of 19 digits times prices of 18; a quotient by at most 10^9 that is not a tie differs from
# one long before the hundredth digit.
_EXACT = Context(prec=100, rounding=ROUND_HALF_UP)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class TierShare:
    """What one tier has of a total, `count` by `per`: volume units by the unit's, or packages by 1.

    `flat_amount` is what it costs beside.
    """

    tier: Tier
    count: int
    per: int
    flat_amount: Decimal

    @property
    def quantity(self) -> Decimal:
        """How many units, or packages, have the price of the tier."""
        return _EXACT.divide(Decimal(self.count), Decimal(self.per))

    @property
    def undivided(self) -> Decimal:
        """The price of `count`, flat amount included, times `per`: exact."""
        price = _EXACT.multiply(Decimal(self.count), self.tier.unit_price)
        return _EXACT.add(price, _EXACT.multiply(self.flat_amount, Decimal(self.per)))


def price_of_total(tiers: Tiers, volume: int, volume_units_per_unit: int) -> Decimal:
    """What `volume` volume units in a month cost, with eight decimals."""
    shares = shares_of(tiers, volume, volume_units_per_unit)
    if not shares:
        return _ZERO
    total = _ZERO
    for share in shares:
        total = _EXACT.add(total, share.undivided)
    return _EXACT.quantize(_EXACT.divide(total, Decimal(shares[0].per)), _QUANTUM)


def shares_of(tiers: Tiers, volume: int, volume_units_per_unit: int) -> tuple[TierShare, ...]:
    """How a month's total falls on the tiers, in their order; none of no volume."""
    reached = _reached(tiers, volume, volume_units_per_unit)
    if not reached:
        return ()
    last, flat = reached[-1], reached[-1].flat_amount
    match tiers.model:
        case TierModel.GRADUATED:
            return _parts(reached, volume, 1, volume_units_per_unit)
        case TierModel.PACKAGE:
            size = tiers.package_units * volume_units_per_unit
            return _parts(reached, -(-volume // size), tiers.package_units, 1)
        case TierModel.VOLUME:
            return (TierShare(last, volume, volume_units_per_unit, flat),)
        case TierModel.STEPPED:
            return (TierShare(last, 0, 1, flat),)


def tier_reached(tiers: Tiers, volume: int, volume_units_per_unit: int) -> Tier | None:
    """The last tier that a total has reached; None of no volume."""
    reached = _reached(tiers, volume, volume_units_per_unit)
    return reached[-1] if reached else None


def _reached(tiers: Tiers, volume: int, volume_units_per_unit: int) -> list[Tier]:
    return [row for row in tiers.rows if row.from_units * volume_units_per_unit < volume]


def _parts(reached: list[Tier], count: int, size: int, per: int) -> tuple[TierShare, ...]:
    """What of `count` lies in each tier; tiers begin at every `size` units, which `per` make."""
    starts = [row.from_units // size * per for row in reached]
    return tuple(
        TierShare(row, end - start, per, row.flat_amount)
        for row, start, end in zip(reached, starts, [*starts[1:], count], strict=True)
    )
