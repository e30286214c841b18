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
from cdr.rules.parties import PROVIDER_ID, Charge

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
]
_PAYER = ["charge", "payer_kind", "payer_id", "currency"]
USAGE_KEY = [
    "charge",
    "payer_kind",
    "payer_id",
    "payee_kind",
    "payee_id",
    "reseller_id",
    "day",
    "destination",
    "currency",
]
_SUMS = {
    "call_count": pl.Int64,
    "volume": pl.Int64,
    "billed": pl.Int64,
    "included": pl.Int64,
    "cost": pl.Int128,
}


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
    place of each among the planned ones.
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
        old.select(*LEG_KEY, "_stored", **{f"_{name}": name for name in ["number", *_CONTENT]}),
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
    come = joined.select(*after.columns, fate=fate).filter(pl.col("fate") != Fate.KEPT)
    followed = joined.select(*LEG_KEY, _fate=fate)
    gone = before.join(followed, on=LEG_KEY, how="left", maintain_order="left")
    lost = pl.when(_among(gone, waits)).then(Fate.SUSPENDED).otherwise(Fate.REMOVED).cast(pl.Int8)
    go = gone.select(*before.columns, fate=pl.coalesce("_fate", lost))
    return LegChanges(go.filter(pl.col("fate") != Fate.KEPT), come)


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


def usage_differences(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Reversing and new usage, by USAGE_KEY with call_count, volume, billed, included and cost.

    Of legs with the columns of USAGE_KEY and volume. What comes to the same in every sum as before
    needs neither.
    """
    old, new = _usage(before), _usage(after)
    same = old.join(new, on=[*USAGE_KEY, *_SUMS], how="inner", nulls_equal=True)
    differing = [
        frame.join(same, on=USAGE_KEY, how="anti", nulls_equal=True) for frame in (old, new)
    ]
    reversing = differing[0].with_columns(pl.col(list(_SUMS)) * -1)
    return pl.concat([reversing, differing[1]]).sort(
        "payer_kind", "payer_id", "day", maintain_order=True
    )


def _usage(legs: pl.DataFrame) -> pl.DataFrame:
    return (
        legs.group_by(USAGE_KEY)
        .agg(
            pl.len().cast(pl.Int64).alias("call_count"),
            pl.col("volume", "billed", "included").sum(),
            pl.col("cost").cast(pl.Int128).sum(),
        )
        .select(*USAGE_KEY, *_SUMS)
    )


def tagged_resellers(before: pl.DataFrame) -> pl.DataFrame:
    """The reseller of each xDR's customer when it was rated, as its customer leg tells; 0 none."""
    of_customer = before.filter(pl.col("charge") == Charge.CUSTOMER)
    return of_customer.select("xdr_id", tagged=pl.col("payee_id").fill_null(PROVIDER_ID))
