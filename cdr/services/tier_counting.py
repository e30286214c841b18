"""Charging usage at tiers for what it adds to the totals of its month."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cdr.rating.outcomes import judge_xdrs
from cdr.rating.prices import PricedLegs
from cdr.services.rating import RatedXdrs
from cdr.services.sources import SourceTerms
from cdr.services.tier_pricing import TotalsBefore, known_totals, locked_totals, price_usage


def count_tiers(
    rated: RatedXdrs, source: SourceTerms, *, among: NDArray[np.bool_] | None = None
) -> RatedXdrs:
    """The batch with usage at tiers priced from totals that are locked until it is recorded.

    Only what is `among` some legs, where they are given: others stand already. What allowances
    cover is taken off first, and does not count. Allowances are locked before totals by everybody.
    """
    return _priced(rated, locked_totals(source.provider_id), among)


def preview_tiers(rated: RatedXdrs, source: SourceTerms) -> RatedXdrs:
    """The batch priced from the totals of the moment, beyond what allowances cover."""
    return _priced(rated, known_totals(source.provider_id), None)


def _priced(rated: RatedXdrs, totals: TotalsBefore, among: NDArray[np.bool_] | None) -> RatedXdrs:
    if rated.tiered is None:
        return rated
    priced = price_usage(
        rated.tiered,
        rated.legs,
        rated.xdrs,
        rated.priced,
        totals=totals,
        included=rated.included,
        among=among,
    )
    return with_prices(rated, priced)


def with_prices(rated: RatedXdrs, priced: PricedLegs) -> RatedXdrs:
    """The batch at other prices, and what becomes of it by them."""
    outcome = judge_xdrs(rated.xdrs, rated.terms, rated.legs, priced, rated.tables)
    return replace(rated, priced=priced, outcome=outcome)
