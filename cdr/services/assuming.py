"""Legs that resellers would have had to pay in billing mode: rated as usual, and not kept."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating import COST_SCALE_DIGITS
from cdr.rules.parties import Charge
from cdr.rules.routes import BillingMode
from cdr.selectors.stored_xdrs import Condition, stored_xdrs
from cdr.services.rating import RatedXdrs, rate_xdrs
from cdr.services.sources import source_terms
from common.scope import Scope

XDRS_AT_ONCE = 200_000
"""Bounds the memory of one step; speed hardly depends on it."""

_PARTIES = ["payer_id", "payee_kind", "payee_id"]


@dataclass(slots=True)
class AssumedPayments:
    """What a reseller would pay one payee: legs, billed volume and `cost` at 10^-8."""

    leg_count: int = 0
    billed_volume: int = 0
    cost: int = 0

    @property
    def amount(self) -> Decimal:
        """The cost in the currency of the table."""
        return Decimal(self.cost).scaleb(-COST_SCALE_DIGITS)


Payee = tuple[int, int]
"""Kind and id."""


@dataclass(slots=True)
class AssumedLegs:
    """The legs of resellers as if they had been in billing mode.

    `payments` is by reseller and payee; `unrated_counts` by reseller: legs that would wait.
    """

    xdr_count: int = 0
    payments: defaultdict[tuple[int, Payee], AssumedPayments] = field(
        default_factory=lambda: defaultdict(AssumedPayments)
    )
    unrated_counts: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))


def add_assumed_legs(
    found: AssumedLegs,
    scope: Scope,
    *,
    assumed: Mapping[int, BillingMode],
    customer_ids: Collection[int],
    source_ids: Collection[int],
    started_from: datetime,
    started_to: datetime,
) -> None:
    """Add the legs of the xDRs of `[started_from, started_to)` of customers and sources to `found`.

    The xDRs have the parties and tags they are stored with; tree, billing modes of all others and
    rates are those of today, as when the files were imported now.
    """
    chosen = Condition(
        "x.started_at >= %s AND x.started_at < %s AND x.source_id = ANY(%s)"
        " AND x.customer_id = ANY(%s)",
        [started_from, started_to, list(source_ids), list(customer_ids)],
    )
    xdrs = stored_xdrs(scope, chosen)
    found.xdr_count += len(xdrs)
    for of_source in xdrs.partition_by("source_id") if len(xdrs) else []:
        source = source_terms(of_source["source_id"][0])
        for batch in of_source.iter_slices(XDRS_AT_ONCE):
            _add(found, rate_xdrs(batch, source, assumed=assumed), assumed)


def _add(found: AssumedLegs, rated: RatedXdrs, assumed: Mapping[int, BillingMode]) -> None:
    legs, priced, outcome = rated.legs, rated.priced, rated.outcome
    payers = np.array(sorted(assumed), dtype=np.int64)
    is_asked = (legs.charge == Charge.RESELLER) & np.isin(legs.payer_id, payers)
    rows = np.flatnonzero(is_asked & outcome.stands)
    sums = (
        pl.DataFrame(
            {
                "payer_id": legs.payer_id[rows],
                "payee_kind": legs.payee_kind[rows],
                "payee_id": legs.payee_id[rows],
                "billed": priced.billed[rows],
                "cost": priced.cost[rows],
            }
        )
        .group_by(_PARTIES)
        .agg(pl.len(), pl.col("billed", "cost").cast(pl.Int128).sum())
    )
    for payer_id, payee_kind, payee_id, count, billed, cost in sums.iter_rows():
        payments = found.payments[payer_id, (payee_kind, payee_id)]
        payments.leg_count += count
        payments.billed_volume += billed
        payments.cost += cost
    for payer_id, count in _waiting(outcome.suspense, payers):
        found.unrated_counts[payer_id] += count


def _waiting(suspense: pl.DataFrame, payers: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    of_resellers = suspense.filter(
        pl.col("leg_kind") == Charge.RESELLER, pl.col("payer_id").is_in(payers.tolist())
    )
    yield from of_resellers.group_by("payer_id").len().iter_rows()
