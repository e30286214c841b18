"""Usage charges: the legs of a batch summed at the source, so that nothing later scans legs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.few import FEW
from cdr.rating.legs import PlannedLegs
from cdr.rating.prices import PricedLegs, PriceTable
from cdr.rules.parties import PROVIDER_ID

_NAMED = ["table_id", "destination_code"]
_KEYS = ["charge", "payer_id", "payee_id", "reseller_id", "day", *_NAMED]
_SUMS = {
    "charge": pl.Int8,
    "payer_kind": pl.Int8,
    "payer_id": pl.Int64,
    "payee_kind": pl.Int8,
    "payee_id": pl.Int64,
    "reseller_id": pl.Int64,
    "day": pl.Date,
    "table_id": pl.Int64,
    "destination_code": pl.Int32,
    **dict.fromkeys(("call_count", "volume", "billed", "included"), pl.Int64),
    "cost": pl.Int128,
    "destination": pl.String,
    "currency": pl.String,
}


@dataclass(frozen=True, slots=True)
class UsageSums:
    """Sums of legs, and which of them holds each leg: `place` points into `sums`, leg by leg."""

    sums: pl.DataFrame
    place: NDArray[np.int64]


def sum_usage(
    legs: PlannedLegs,
    priced: PricedLegs,
    tables: Mapping[int, PriceTable],
    *,
    chosen: NDArray[np.bool_] | slice,
    by_xdr: pl.DataFrame,
    included: NDArray[np.int64],
) -> UsageSums:
    """Sums of the chosen legs, all rated, by payer, payee, customer's reseller, day, destination.

    And by rate table, hence by currency. `by_xdr` has volume (int64), day (date) and reseller_id of
    each xDR (PROVIDER_ID for none), which is null in the answer where it is none. `included` is by
    leg what allowances cover. `cost` is summed exactly, as Int128 at 10^-8. In the order of payers.
    """
    if len(legs.row) <= FEW:
        return _sum_few(legs, priced, tables, chosen, by_xdr, included)
    rated = by_xdr[legs.row[chosen]].with_columns(
        leg=pl.int_range(pl.len()),
        charge=legs.charge[chosen],
        payer_kind=legs.payer_kind[chosen],
        payer_id=legs.payer_id[chosen],
        payee_kind=legs.payee_kind[chosen],
        payee_id=legs.payee_id[chosen],
        table_id=legs.table_id[chosen],
        destination_code=priced.destination[chosen],
        billed=priced.billed[chosen],
        included=included[chosen] if included.any() else 0,
        cost=priced.cost[chosen],
    )
    # The kinds of the parties follow from the charge and the ids: they need no sorting by.
    sums = rated.group_by(_KEYS).agg(
        pl.col("payer_kind", "payee_kind").first(),
        pl.len().cast(pl.Int64).alias("call_count"),
        pl.col("volume", "billed", "included").sum(),
        pl.col("cost").cast(pl.Int128).sum(),
        pl.col("leg"),
    )
    ordered = (
        sums.join(_names(sums, tables), on=_NAMED, how="left")
        .with_columns(reseller_id=pl.col("reseller_id").replace(PROVIDER_ID, None))
        .sort("payer_kind", "payer_id", "day")
    )
    return UsageSums(ordered.select(list(_SUMS)), _places(ordered, len(rated)))


def _sum_few(
    legs: PlannedLegs,
    priced: PricedLegs,
    tables: Mapping[int, PriceTable],
    chosen: NDArray[np.bool_] | slice,
    by_xdr: pl.DataFrame,
    included: NDArray[np.int64],
) -> UsageSums:
    """The same, leg by leg."""
    volumes, days, resellers = (by_xdr[name].to_list() for name in ("volume", "day", "reseller_id"))
    row = legs.row[chosen].tolist()
    columns = (
        legs.charge[chosen].tolist(),
        legs.payer_kind[chosen].tolist(),
        legs.payer_id[chosen].tolist(),
        legs.payee_kind[chosen].tolist(),
        legs.payee_id[chosen].tolist(),
        [resellers[each] or None for each in row],
        [days[each] for each in row],
        legs.table_id[chosen].tolist(),
        priced.destination[chosen].tolist(),
    )
    amounts = zip(
        [volumes[each] for each in row],
        priced.billed[chosen].tolist(),
        included[chosen].tolist(),
        priced.cost[chosen].tolist(),
        strict=True,
    )
    found: dict[tuple[Any, ...], list[int]] = {}
    held_by = []
    for key, added in zip(zip(*columns, strict=True), amounts, strict=True):
        sums = found.setdefault(key, [len(found), 0, 0, 0, 0, 0])
        held_by.append(sums[0])
        sums[1:] = [each + more for each, more in zip(sums[1:], (1, *added), strict=True)]
    ordered = sorted(found.items(), key=lambda each: (each[0][1], each[0][2], each[0][6]))
    places = {number: place for place, (_, (number, *_)) in enumerate(ordered)}
    rows = [
        (*key, *sums, tables[key[7]].destination(key[8]), tables[key[7]].currency)
        for key, (_, *sums) in ordered
    ]
    return UsageSums(
        pl.DataFrame(rows, schema=_SUMS, orient="row"),
        np.array([places[number] for number in held_by], dtype=np.int64),
    )


def _places(sums: pl.DataFrame, legs: int) -> NDArray[np.int64]:
    """Of each leg, the place of the sum whose list `leg` it is in."""
    place = np.empty(legs, dtype=np.int64)
    place[sums["leg"].explode(empty_as_null=False).to_numpy()] = np.repeat(
        np.arange(len(sums)), sums["call_count"].to_numpy()
    )
    return place


def _names(sums: pl.DataFrame, tables: Mapping[int, PriceTable]) -> pl.DataFrame:
    """The destination and the currency that stand for each table and code of the sums."""
    places = sums.select(_NAMED).unique()
    names, currencies = [], []
    for table_id, code in places.iter_rows():
        names.append(tables[table_id].destination(code))
        currencies.append(tables[table_id].currency)
    texts = {"destination": names, "currency": currencies}
    return places.hstack([pl.Series(name, each, dtype=pl.String) for name, each in texts.items()])
