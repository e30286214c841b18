"""Why tiers charged what they charged, in words and numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from catalogue.rules.tier_prices import TierShare, price_of_total, shares_of
from catalogue.rules.tier_texts import plain, plain_units, tier_text, written_tiers
from catalogue.rules.tiers import TierModel, Tiers
from catalogue.rules.units import volume_units_per_rating_unit


@dataclass(frozen=True, slots=True)
class TierExplanation:
    """What usage of `volume` added to a month's total, which was `total_before`, at tiers.

    Volumes are in volume units; `unit` is the unit of prices.
    """

    tiers: Tiers
    unit: str
    volume_unit: str
    total_before: int
    volume: int

    @property
    def total_after(self) -> int:
        """The month's total with it."""
        return self.total_before + self.volume

    @property
    def price_before(self) -> Decimal:
        """What the month cost without it."""
        return price_of_total(self.tiers, self.total_before, self._per_unit)

    @property
    def price_after(self) -> Decimal:
        """What the month cost with it."""
        return price_of_total(self.tiers, self.total_after, self._per_unit)

    @property
    def cost(self) -> Decimal:
        """What it added, exactly."""
        return self.price_after - self.price_before

    @property
    def reached_text(self) -> str:
        """The tier that the total has reached with it: `beyond 100 GB: 0.05 a GB`."""
        return tier_text(self.tiers, self.total_after, self.unit, self.volume_unit)

    @property
    def lines(self) -> list[str]:
        """The tiers and the arithmetic with its numbers, a line each."""
        return [
            f"{self.tiers.model.capitalize()} tiers: {written_tiers(self.tiers, self.unit)}",
            f"the month before it: {self._sum(self.total_before, self.price_before)}",
            f"the month with it: {self._sum(self.total_after, self.price_after)}",
            f"{plain(self.price_after)} - {plain(self.price_before)} = {plain(self.cost)}",
        ]

    def _sum(self, total: int, price: Decimal) -> str:
        units = plain_units(total, self.unit, self.volume_unit)
        shares = shares_of(self.tiers, total, self._per_unit)
        terms = [term for share in shares for term in _terms(share, self.tiers.model)]
        return f"{units}: {' + '.join(terms) or '0'} = {plain(price)}"

    @property
    def _per_unit(self) -> int:
        return volume_units_per_rating_unit(self.unit, self.volume_unit)


def _terms(share: TierShare, model: TierModel) -> Iterator[str]:
    if model is not TierModel.STEPPED:
        yield f"{plain(round(share.quantity, 6))} x {plain(share.tier.unit_price)}"
    if share.flat_amount:
        yield plain(share.flat_amount)
