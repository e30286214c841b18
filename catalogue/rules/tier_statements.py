"""How the price of a month's total is made up, tier by tier, for invoices and pages."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from catalogue.rules.tier_prices import TierShare, shares_of
from catalogue.rules.tier_texts import plain, plain_units, written_price
from catalogue.rules.tiers import Tier, TierModel, Tiers
from catalogue.rules.units import volume_units_per_rating_unit

_QUANTUM = Decimal("0.00000001")
_EXACT = Context(prec=100, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class TierRow:
    """What of a total one tier prices: `beyond 100 GB`, `20 GB`, `0.05 a GB`, and what that costs.

    Where the step alone prices the total, `quantity` is all of it.
    """

    text: str
    quantity: str
    price: str
    amount: Decimal


def tier_rows(tiers: Tiers, volume: int, unit: str, volume_unit: str) -> tuple[TierRow, ...]:
    """The tiers that price a month's total of `volume` volume units, in their order.

    The amounts sum to the price of the total, exactly: each is the difference of two sums so far,
    rounded half up to eight decimals as that price is.
    """
    shares = shares_of(tiers, volume, volume_units_per_rating_unit(unit, volume_unit))
    rows, so_far, charged = [], Decimal(0), Decimal(0)
    for share in shares:
        so_far = _EXACT.add(so_far, share.undivided)
        rounded = _EXACT.quantize(_EXACT.divide(so_far, Decimal(share.per)), _QUANTUM)
        rows.append(
            TierRow(
                _range(tiers, share.tier, unit),
                _quantity(tiers, share, volume, unit, volume_unit),
                written_price(tiers, share.tier, unit),
                rounded - charged,
            )
        )
        charged = rounded
    return tuple(rows)


def _range(tiers: Tiers, tier: Tier, unit: str) -> str:
    text = f"beyond {tier.from_units:,} {unit}"
    if not tier.from_units:
        following = tiers.rows[1:2]
        text = f"up to {following[0].from_units:,} {unit}" if following else "any volume"
    counts_all = tiers.model in (TierModel.VOLUME, TierModel.STEPPED)
    return f"a month {text}" if counts_all else text


def _quantity(tiers: Tiers, share: TierShare, volume: int, unit: str, volume_unit: str) -> str:
    match tiers.model:
        case TierModel.PACKAGE:
            return f"{share.count:,} {'package' if share.count == 1 else 'packages'}"
        case TierModel.STEPPED:
            return plain_units(volume, unit, volume_unit)
        case _:
            return f"{plain(round(share.quantity, 6))} {unit}"
