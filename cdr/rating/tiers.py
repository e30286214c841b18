"""Legs that tiers price, as columns: each is charged what it adds to the price of its month.

The plain rule is `catalogue.rules.tier_prices`, which this equals to the last digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from catalogue.rules.tiers import TierModel, Tiers
from cdr.rating.prices import STORED_COST_LIMIT, PricedLegs, PriceTable
from cdr.rating.scale import to_scaled
from cdr.rules.cost import Reason

TOTAL_LIMIT = 2**62
"""Totals of a month stay below, in volume units."""


@dataclass(frozen=True, slots=True)
class CompiledTiers:
    """Tiers in whole numbers: prices at 10^-8, thresholds in volume units.

    Beyond a threshold the price is its base and, for every `size` volume units of the rest (of all
    from the first, where `counts_all`), the tier's price: begun ones whole where `is_whole`, else
    their share, rounded half up.
    """

    thresholds: NDArray[np.int64]
    bases: tuple[int, ...]
    prices: tuple[int, ...]
    size: int
    counts_all: bool
    is_whole: bool

    def price(self, totals: NDArray[np.int64]) -> NDArray[np.generic]:
        """What each total of a month costs, at 10^-8; int64 where that holds it, else exact too."""
        tier = np.searchsorted(self.thresholds, totals, side="left") - 1
        most = int(totals.max(initial=0)) + self.size
        bound = max(self.bases) + 2 * most * (max(self.prices) + 1)
        kind = np.dtype(np.int64 if bound < TOTAL_LIMIT else object)
        counted = totals if self.counts_all else totals - self.thresholds[np.maximum(tier, 0)]
        units, price = counted.astype(kind), np.array(self.prices, dtype=kind)[tier]
        if self.is_whole:
            shares = -(-units // self.size) * price
        else:
            shares = (2 * units * price + self.size) // (2 * self.size)
        return np.where(tier < 0, 0, np.array(self.bases, dtype=kind)[tier] + shares)


def compile_tiers(tiers: Tiers, volume_units_per_unit: int) -> CompiledTiers:
    """The tiers of a product of which so many volume units make a unit."""
    rows = [row for row in tiers.rows if row.from_units * volume_units_per_unit < TOTAL_LIMIT]
    size = volume_units_per_unit * (tiers.package_units or 1)
    prices = [to_scaled(row.unit_price) for row in rows]
    bases = [to_scaled(row.flat_amount) for row in rows]
    adds_up = tiers.model in (TierModel.GRADUATED, TierModel.PACKAGE)
    if adds_up:
        for place, (row, following) in enumerate(pairwise(rows)):
            units = (following.from_units - row.from_units) // (tiers.package_units or 1)
            bases[place + 1] += bases[place] + units * prices[place]
    return CompiledTiers(
        thresholds=np.array([row.from_units * volume_units_per_unit for row in rows], np.int64),
        bases=tuple(bases),
        prices=tuple(prices),
        size=size,
        counts_all=not adds_up,
        is_whole=tiers.model is TierModel.PACKAGE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTable(PriceTable):
    """Tiers in the place of a rate table, by the id of their subscription made negative.

    `codes` are the metered codes of a batch, which its legs' destinations stand for.
    """

    tiers: CompiledTiers
    codes: Sequence[str]

    def destination(self, code: int) -> str:
        """The metered code that a code of priced legs stands for."""
        return self.codes[code]


@dataclass(frozen=True, slots=True)
class TieredLegs:
    """Legs to be priced by tiers, in order of their totals and, within one, of time.

    `member` are their places among the planned legs, `total` says by number which total of a month
    each adds to, in ascending order; `volume` is above zero.
    """

    member: NDArray[np.int64]
    total: NDArray[np.int64]
    volume: NDArray[np.int64]
    destination: NDArray[np.int32]


def price_tiered(
    legs: TieredLegs, priced: PricedLegs, *, tables: Sequence[TierTable], before: Sequence[int]
) -> None:
    """Enter what each leg adds to its total, which came to `before` at the table; both by total.

    A leg that is too great to be stored is an overflow and adds nothing to the total.
    """
    ends = np.searchsorted(legs.total, np.arange(len(tables)), side="right")
    starts = np.searchsorted(legs.total, np.arange(len(tables)), side="left")
    priced.destination[legs.member] = legs.destination
    for table, known, start, end in zip(tables, before, starts, ends, strict=True):
        _price_total(legs.member[start:end], legs.volume[start:end], priced, table.tiers, known)


def _price_total(
    member: NDArray[np.int64],
    volume: NDArray[np.int64],
    priced: PricedLegs,
    tiers: CompiledTiers,
    before: int,
) -> None:
    if before + sum(volume.tolist()) < TOTAL_LIMIT:
        totals = before + np.concatenate([[0], np.cumsum(volume)])
        cost = np.diff(tiers.price(totals))
        if (np.abs(cost) < STORED_COST_LIMIT).all():
            _place(priced, member, volume, totals[:-1], cost)
            return
    if len(member) == 1:
        nothing = np.zeros(1, dtype=np.int64)
        _place(priced, member, nothing, nothing, nothing)
        priced.reason[member] = Reason.OVERFLOW
        return
    for place in range(len(member)):  # some fit, and those count
        one = slice(place, place + 1)
        _price_total(member[one], volume[one], priced, tiers, before)
        before += int(priced.billed[member[place]])


def _place(
    priced: PricedLegs,
    member: NDArray[np.int64],
    volume: NDArray[np.int64],
    total_before: NDArray[np.int64],
    cost: NDArray[np.generic],
) -> None:
    priced.billed[member] = volume
    priced.cost[member] = cost.astype(np.int64)
    priced.total_before[member] = total_before
    priced.reason[member] = Reason.RATED
