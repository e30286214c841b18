"""Tiers and volumes as people read them, without a currency."""

from decimal import Decimal

from catalogue.rules.tier_prices import tier_reached
from catalogue.rules.tiers import Tier, TierModel, Tiers
from catalogue.rules.units import volume_units_per_rating_unit


def written_tiers(tiers: Tiers, unit: str) -> str:
    """Tiers on one line: `0.1 a GB; beyond 100 GB 0.05 a GB`."""
    return "; ".join(
        f"beyond {row.from_units:,} {unit} {price}" if row.from_units else price
        for row in tiers.rows
        for price in [written_price(tiers, row, unit)]
    )


def written_price(tiers: Tiers, row: Tier, unit: str) -> str:
    """What a tier costs: `0.05 a GB and 5`, `4 per 100 GB begun`, `25`."""
    if tiers.model is TierModel.STEPPED:
        return plain(row.flat_amount)
    size = tiers.package_units
    price = f"{plain(row.unit_price)} {f'per {size:,} {unit} begun' if size else f'a {unit}'}"
    return f"{price} and {plain(row.flat_amount)}" if row.flat_amount else price


def tier_text(tiers: Tiers, volume: int, unit: str, volume_unit: str) -> str:
    """The tier that a total has reached: `beyond 100 GB: 0.05 a GB`; `none yet` of no volume."""
    row = tier_reached(tiers, volume, volume_units_per_rating_unit(unit, volume_unit))
    if row is None:
        return "none yet"
    return f"beyond {row.from_units:,} {unit}: {written_price(tiers, row, unit)}"


def plain_units(volume: int, unit: str, volume_unit: str) -> str:
    """A volume in the unit of prices: `60 GB`."""
    units = Decimal(volume) / volume_units_per_rating_unit(unit, volume_unit)
    return f"{plain(round(units, 6))} {unit}"


def plain(amount: Decimal) -> str:
    """An amount without needless zeros: `0.05`."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
