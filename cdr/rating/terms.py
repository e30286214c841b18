"""What decides parties and rate tables of a batch of xDRs, read once for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rules.routes import BillingMode, ResellerTree

NO_TABLE = 0
"""Stands for a rate table's id where the price list has none."""


@dataclass(frozen=True, slots=True)
class VendorTerms:
    """A vendor's owner (a reseller's id or PROVIDER_ID) and the table it is paid at."""

    name: str
    owner_id: int
    rate_table_id: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one provider and product in the time the batch covers.

    `cuts` (int64 microseconds UTC, sorted) are the instants inside that time at which a billing
    mode or a catalogue changes: epoch e ends where cut e begins. `modes` holds the billing modes
    by reseller for each epoch. `customers` has customer_id, reseller_id (PROVIDER_ID for none) and
    price_list (all int64); `price_lists` gives the rate table of a price list in an epoch.
    Usage of a product that `is_metered` needs no vendor: the provider itself supplies it then.
    """

    tree: ResellerTree
    vendors: Mapping[int, VendorTerms]
    customers: pl.DataFrame
    cuts: NDArray[np.int64]
    modes: tuple[Mapping[int, BillingMode], ...]
    price_lists: NDArray[np.int64]
    allows_foreign_vendors: bool
    is_metered: bool = False

    def assuming(self, assumed: Mapping[int, BillingMode]) -> "Terms":
        """The same, but with these billing modes of these resellers all the time."""
        return replace(self, modes=tuple({**modes, **assumed} for modes in self.modes))

    def epoch_of(self, started_at: NDArray[np.int64]) -> NDArray[np.int64]:
        """The epoch each instant falls in."""
        return np.searchsorted(self.cuts, started_at, side="right")
