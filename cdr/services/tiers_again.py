"""Pricing stored usage at tiers again: totals without it first, then with it, by its start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from cdr.rating.prices import PricedLegs, chosen_legs, place_legs
from cdr.rating.terms import NO_TABLE
from cdr.rating.tiers import TierTable
from cdr.services.copying import days
from cdr.services.rating import RatedXdrs
from cdr.services.sources import SourceTerms
from cdr.services.tier_counting import with_prices
from cdr.services.tier_pricing import (
    MonthTotal,
    TotalsBefore,
    counted_usage,
    known_totals,
    locked_totals,
    price_in_order,
    tiers_of,
)

_KEY = list(MonthTotal._fields)
_KEY_SCHEMA: Mapping[str, Any] = {
    "subscription_id": pl.Int64,
    "month": pl.Date,
    "customer_id": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class TotalsAgain:
    """What rating again adds to totals, and how many xDRs are of `torn` ones.

    `differences` are by subscription_id and month: volume, below zero for what is taken away. A
    total is torn where some of its usage is not rated again, as a part that was archived, and that
    part does not cost what it would alone: no price of the rest makes the month right.
    """

    differences: pl.DataFrame
    torn_xdr_count: int

    @classmethod
    def none(cls) -> "TotalsAgain":
        """Of no usage at tiers."""
        return cls(pl.DataFrame(schema={**_KEY_SCHEMA, "volume": pl.Int64}), 0)

    def beside(self, other: "TotalsAgain") -> "TotalsAgain":
        """With those of another product."""
        differences = pl.concat([self.differences, other.differences])
        return TotalsAgain(differences, self.torn_xdr_count + other.torn_xdr_count)


@dataclass(frozen=True, slots=True)
class TotalsSoFar:
    """What parts of usage that are rated one after the other make of totals.

    `returned` is what all of them added before: MonthTotal's fields, billed and cost, the latter in
    10^-8. `volumes` are what totals come to after the parts so far, which begin without all that is
    returned, and `torn` those of them that no price makes right.
    """

    returned: pl.DataFrame
    volumes: Mapping[MonthTotal, int]
    torn: frozenset[MonthTotal]

    @classmethod
    def before(cls, returned: pl.DataFrame) -> "TotalsSoFar":
        """Before the first part."""
        return cls(returned, {}, frozenset())

    def counting(self, used: pl.DataFrame) -> "TotalsSoFar":
        """With usage added that was priced."""
        added = used.group_by(_KEY).agg(pl.col("volume").sum()).select(*_KEY, "volume")
        volumes = dict(self.volumes)
        for *key, volume in added.iter_rows():
            volumes[MonthTotal(*key)] += volume
        return replace(self, volumes=volumes)


def count_tiers_again(
    batches: Sequence[RatedXdrs],
    sources: Sequence[SourceTerms],
    stored: pl.DataFrame,
    refused: pl.DataFrame,
    so_far: TotalsSoFar,
    *,
    holds: bool,
) -> tuple[list[RatedXdrs], TotalsAgain, TotalsSoFar]:
    """Price usage at tiers by the order of its start over all sources, each total by itself.

    `stored` are the legs that the xDRs had (LEG_COLUMNS), which their totals are without first, as
    without those of later parts; `refused` legs, by batch and leg, add nothing. Totals are locked
    where somebody `holds` them, until the transaction ends.
    """
    source = sources[0]
    gone, come = _gone(source, stored), _come(batches, refused)
    if gone.is_empty() and come.is_empty():
        return list(batches), TotalsAgain.none(), so_far
    so_far = _begun(so_far, gone, come, source, holds=holds)
    if not come.is_empty():
        before = so_far.volumes
        tables = {key: each for rated in batches for key, each in _tables(rated).items()}
        priced = price_in_order(come, tables, lambda keys: [before[key] for key in keys])
        batches = [_with(rated, come, priced, place) for place, rated in enumerate(batches)]
        come = come.with_columns(volume=priced.billed)
    added = pl.concat([come.select(*_KEY, "volume"), gone.select(*_KEY, volume=-pl.col("billed"))])
    differences = added.group_by(_KEY).agg(pl.col("volume").sum())
    torn = pl.DataFrame(list(so_far.torn), schema=dict(_KEY_SCHEMA), orient="row")
    totals = TotalsAgain(
        differences.filter(pl.col("volume") != 0).sort(_KEY),
        gone.join(torn, on=_KEY, how="semi")["xdr_id"].n_unique(),
    )
    return list(batches), totals, so_far.counting(come)


def _gone(source: SourceTerms, stored: pl.DataFrame) -> pl.DataFrame:
    """The stored legs at tiers: the key of each's total, xdr_id, billed and cost."""
    at_tiers = stored.filter(pl.col("table_id") < NO_TABLE)
    if at_tiers.is_empty():
        return pl.DataFrame(
            schema={**_KEY_SCHEMA, **dict.fromkeys(("xdr_id", "billed", "cost"), pl.Int64)}
        )
    zone = source.day_zone.key
    return at_tiers.select(
        subscription_id=-pl.col("table_id"),
        month=days(at_tiers["started_at"], zone).dt.month_start(),
        customer_id="payer_id",
        xdr_id="xdr_id",
        billed="billed",
        cost="cost",
    )


def _come(batches: Sequence[RatedXdrs], refused: pl.DataFrame) -> pl.DataFrame:
    """What is to be counted, in its order, with the place of the `batch`."""
    parts = []
    for place, rated in enumerate(batches):
        if rated.tiered is None:
            continue
        among = np.full(len(rated.legs.row), True)
        among[refused.filter(pl.col("batch") == place)["leg"].to_numpy()] = False
        used = counted_usage(
            rated.tiered, rated.legs, rated.xdrs, included=rated.included, among=among
        )
        xdr_id = rated.xdrs["id"].gather(rated.legs.row[used["member"].to_numpy()])
        parts.append(used.with_columns(xdr_id=xdr_id, batch=pl.lit(place, pl.Int64)))
    if not parts:
        return pl.DataFrame(schema={**_KEY_SCHEMA, "volume": pl.Int64})
    return pl.concat(parts).sort(*_KEY, "started_at", "xdr_id")


def _tables(rated: RatedXdrs) -> dict[int, TierTable]:
    return rated.tiered.tables if rated.tiered else {}


def _with(rated: RatedXdrs, come: pl.DataFrame, priced: PricedLegs, place: int) -> RatedXdrs:
    """A batch with what of the prices is of its legs."""
    rows = (come["batch"] == place).arg_true()
    if rows.is_empty():
        return rated
    anew = chosen_legs(priced, rows.to_numpy())
    member = come["member"].gather(rows).to_numpy()
    return with_prices(rated, place_legs(rated.priced, member, anew))


def _begun(
    so_far: TotalsSoFar,
    gone: pl.DataFrame,
    come: pl.DataFrame,
    source: SourceTerms,
    *,
    holds: bool,
) -> TotalsSoFar:
    """With the totals that are concerned for the first time, without all that is returned."""
    concerned = pl.concat([gone.select(_KEY), come.select(_KEY)]).unique().sort(_KEY)
    keys = [key for row in concerned.iter_rows() if (key := MonthTotal(*row)) not in so_far.volumes]
    if not keys:
        return so_far
    totals: TotalsBefore = (locked_totals if holds else known_totals)(source.provider_id)
    known = pl.DataFrame(keys, schema=dict(_KEY_SCHEMA), orient="row").with_columns(
        stored=pl.Series(totals(keys), dtype=pl.Int64)
    )
    joined = known.join(so_far.returned, on=_KEY, how="left").with_columns(
        pl.col("billed", "cost").fill_null(0)
    )
    left = joined.with_columns(left=pl.col("stored") - pl.col("billed"))
    torn = _torn(left, source.provider_id).select(_KEY)
    return replace(
        so_far,
        volumes={
            **so_far.volumes,
            **{MonthTotal(*key): volume for *key, volume in left.select(*_KEY, "left").rows()},
        },
        torn=so_far.torn | {MonthTotal(*key) for key in torn.iter_rows()},
    )


def _torn(left: pl.DataFrame, provider_id: int) -> pl.DataFrame:
    """The totals, if any, of which what is left did not cost what it would alone.

    The legs of a total sum to the price of it. They go on doing so if those that are left sum to
    the price of what is left: so it is if none are, or if they were counted first.
    """
    doubtful = left.filter((pl.col("left") != 0) & (pl.col("billed") != 0))
    if doubtful.is_empty():
        return doubtful
    tables = tiers_of(provider_id, doubtful["subscription_id"].unique().to_list())
    torn = []
    for row in doubtful.iter_rows(named=True):
        with_it, without = tables[row["subscription_id"]].price(
            np.array([row["stored"], row["left"]])
        )
        torn.append(row["left"] < 0 or with_it - row["cost"] != without)
    return doubtful.filter(pl.Series(torn))
