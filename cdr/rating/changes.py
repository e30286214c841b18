"""What rating again changes: stored legs beside new ones, as columns; nothing is written.

Frames of legs have the columns of `LEG_COLUMNS` in `cdr.selectors.stored_xdrs`. A leg is known by
its xDR, what it charges and who pays: an xDR has one of each at most.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.legs import PlannedLegs
from cdr.rating.prices import PricedLegs

LEG_KEY = ["xdr_id", "charge", "payer_kind", "payer_id"]
_CONTENT = [
    "payee_kind",
    "payee_id",
    "table_id",
    "rate_id",
    "billed",
    "included",
    "cost",
    "additive_cost",
    "currency",
    "total_before",
]
_STORED = ["number", "usage_charge_id", *_CONTENT]
_PAYER = ["charge", "payer_kind", "payer_id", "currency"]
USAGE_KEY = [
    "charge",
    "payer_kind",
    "payer_id",
    "payee_kind",
    "payee_id",
    "reseller_id",
    "product_id",
    "day",
    "destination",
    "currency",
]
_SUMS = ("call_count", "volume", "billed", "included", "cost")


@dataclass(frozen=True, slots=True)
class UsageDifferences:
    """Reversing and new sums of usage, `rows`: USAGE_KEY, call_count, volume, billed, included and
    cost.

    `legs` says of each new leg, in the order of `leg`, which sum holds it: `place` in `rows`, or,
    where that is null, a usage charge that there is, `usage_charge_id`.
    """

    rows: pl.DataFrame
    legs: pl.DataFrame

    def charges_of_legs(self, row_ids: NDArray[np.int64]) -> pl.DataFrame:
        """`leg` and its `usage_charge_id`, once the rows are charged under these ids."""
        charged = pl.Series(row_ids, dtype=pl.Int64).gather(self.legs["place"])
        return self.legs.select("leg", usage_charge_id=pl.coalesce(charged, "usage_charge_id"))


class Fate(IntEnum):
    """What becomes of a leg."""

    KEPT = 0
    MOVED = 1
    """As it was, but for its place in the walk."""
    CHANGED = 2
    ADDED = 3
    RELEASED = 4
    REMOVED = 5
    SUSPENDED = 6


@dataclass(frozen=True, slots=True)
class LegChanges:
    """`before` are stored legs that go, `after` the new ones that come, each with its fate.

    Legs that stay as they are, number included, are in neither; `after` has a column `leg`, the
    place of each among the planned ones, and the usage charge of the leg that it follows.
    """

    before: pl.DataFrame
    after: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether every leg stays as it is."""
        return self.before.is_empty() and self.after.is_empty()

    def counts(self) -> dict[Fate, int]:
        """How many legs have each fate; one that is changed counts once."""
        fates = pl.concat(
            [self.before["fate"], self.after.filter(pl.col("fate") > Fate.CHANGED)["fate"]]
        )
        found = dict(fates.value_counts().iter_rows())
        return {fate: found.get(fate, 0) for fate in Fate if fate != Fate.KEPT}

    def charged(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The legs before and after that are not only moved."""
        of_weight = pl.col("fate") != Fate.MOVED
        return self.before.filter(of_weight), self.after.filter(of_weight)


def standing_legs(
    xdrs: pl.DataFrame,
    legs: PlannedLegs,
    priced: PricedLegs,
    stands: NDArray[np.bool_],
    currencies: pl.Series,
    included: NDArray[np.int64],
) -> pl.DataFrame:
    """The legs of a rated batch that stand, and `leg`, the place of each.

    By leg are the currencies of their tables and what allowances cover (`included`).
    """
    leg = np.flatnonzero(stands)
    row = legs.row[leg]
    return pl.DataFrame(
        {
            "started_at": xdrs["started_at"].to_numpy()[row],
            "xdr_id": xdrs["id"].to_numpy()[row],
            "number": legs.number[leg],
            "charge": legs.charge[leg],
            "payer_kind": legs.payer_kind[leg],
            "payer_id": legs.payer_id[leg],
            "payee_kind": legs.payee_kind[leg],
            "payee_id": legs.payee_id[leg],
            "table_id": legs.table_id[leg],
            "rate_id": priced.rate_id[leg],
            "billed": priced.billed[leg],
            "included": included[leg],
            "cost": priced.cost[leg],
            "additive_cost": priced.additive_cost[leg],
            "currency": currencies.gather(leg),
            "total_before": priced.total_before[leg],
            "leg": leg,
        }
    )


def compare_legs(
    before: pl.DataFrame, after: pl.DataFrame, *, waited: pl.DataFrame, waits: pl.DataFrame
) -> LegChanges:
    """Which legs go and which come.

    `waited` and `waits` are what is in suspense before and after: xdr_id, leg_kind, payer_kind and
    payer_id, the last three null where a whole xDR is.
    """
    old = before.with_columns(_stored=True)
    joined = after.join(
        old.select(*LEG_KEY, "_stored", **{f"_{name}": name for name in _STORED}),
        on=LEG_KEY,
        how="left",
        maintain_order="left",
    )
    is_same = pl.all_horizontal(pl.col(name) == pl.col(f"_{name}") for name in _CONTENT)
    fate = (
        pl.when(pl.col("_stored").is_null())
        .then(pl.when(_among(joined, waited)).then(Fate.RELEASED).otherwise(Fate.ADDED))
        .when(~is_same)
        .then(Fate.CHANGED)
        .when(pl.col("number") != pl.col("_number"))
        .then(Fate.MOVED)
        .otherwise(Fate.KEPT)
        .cast(pl.Int8)
    )
    come = joined.select(*after.columns, usage_charge_id="_usage_charge_id", fate=fate)
    followed = joined.select(*LEG_KEY, _fate=fate)
    gone = before.join(followed, on=LEG_KEY, how="left", maintain_order="left")
    lost = pl.when(_among(gone, waits)).then(Fate.SUSPENDED).otherwise(Fate.REMOVED).cast(pl.Int8)
    go = gone.select(*before.columns, fate=pl.coalesce("_fate", lost))
    changes = pl.col("fate") != Fate.KEPT
    return LegChanges(go.filter(changes), come.filter(changes))


def _among(legs: pl.DataFrame, suspense: pl.DataFrame) -> pl.Series:
    """Which legs something of the suspense is about: the very leg, or the whole of its xDR."""
    whole = suspense.filter(pl.col("leg_kind").is_null()).select("xdr_id")
    one = suspense.filter(pl.col("leg_kind").is_not_null()).select(
        "xdr_id",
        pl.col("leg_kind").cast(pl.Int8).alias("charge"),
        pl.col("payer_kind").cast(pl.Int8),
        "payer_id",
    )
    numbered = legs.select(LEG_KEY).with_row_index("_place")
    found = pl.concat(
        [
            numbered.join(whole.unique(), on="xdr_id", how="semi")["_place"],
            numbered.join(one.unique(), on=LEG_KEY, how="semi")["_place"],
        ]
    )
    return numbered["_place"].is_in(found.unique().implode())


def payer_deltas(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Per charge, payer and currency: legs, and what they came to and will, exact at 10^-8."""
    signed = pl.concat(
        [
            before.select(*_PAYER, before=pl.col("cost").cast(pl.Int128), after=_nothing()),
            after.select(*_PAYER, before=_nothing(), after=pl.col("cost").cast(pl.Int128)),
        ]
    )
    # A leg that is changed is in both, where its payer and currency are the same.
    legs = pl.concat(
        [before.select(*_PAYER, "xdr_id"), after.select(*_PAYER, "xdr_id")], how="vertical"
    )
    counted = legs.unique().group_by(_PAYER).agg(pl.len().cast(pl.Int64).alias("leg_count"))
    sums = signed.group_by(_PAYER).agg(pl.col("before", "after").sum())
    return sums.join(counted, on=_PAYER).sort(_PAYER)


def _nothing() -> pl.Expr:
    return pl.lit(0, pl.Int128)


def usage_differences(before: pl.DataFrame, after: pl.DataFrame) -> UsageDifferences:
    """What is to be charged so that sums of usage go on being those of legs.

    Both have USAGE_KEY, volume, billed, included and cost; `before` as its legs were charged, with
    their `usage_charge_id`, `after` as they are to be, with `leg`. What comes to the same in every
    sum as before is not charged again.
    """
    sums = _sums_of_both(before, after)
    is_same = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_before") for name in _SUMS)
    differing = sums.filter(~is_same).sort("payer_kind", "payer_id", "day")
    old = differing.filter(pl.col("call_count_before") > 0)
    new = differing.filter(pl.col("call_count") > 0)
    reversing = old.select(
        *USAGE_KEY, *((pl.col(f"{name}_before") * -1).alias(name) for name in _SUMS)
    )
    rows = pl.concat([reversing, new.select(*USAGE_KEY, *_SUMS)])
    holders = pl.concat(
        [
            new.select("leg", place=pl.int_range(len(old), len(rows))),
            sums.filter(is_same).select("leg", "usage_charge_id"),
        ],
        how="diagonal",
    )
    return UsageDifferences(
        rows, holders.explode("leg", empty_as_null=False).drop_nulls("leg").sort("leg")
    )


def _sums_of_both(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """By USAGE_KEY the sums of both, the first of the former charges, and the new legs."""
    summed = [
        pl.lit(1, pl.Int64).alias("call_count"),
        pl.col("volume", "billed", "included"),
        pl.col("cost").cast(pl.Int128),
    ]
    former = {name: f"{name}_before" for name in _SUMS}
    both = pl.concat(
        [
            before.select(*USAGE_KEY, "usage_charge_id", *summed).rename(former),
            after.select(*USAGE_KEY, "leg", *summed),
        ],
        how="diagonal",
    )
    return both.group_by(USAGE_KEY).agg(
        pl.col(*_SUMS, *former.values()).sum(), pl.col("usage_charge_id").min(), pl.col("leg")
    )
