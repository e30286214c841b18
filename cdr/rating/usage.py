"""Usage charges: the legs of a batch summed at the source, so that nothing later scans legs."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.legs import PlannedLegs
from cdr.rating.prices import PricedLegs, PriceTable
from cdr.rules.parties import PROVIDER_ID

_PARTIES = ["charge", "payer_kind", "payer_id", "payee_kind", "payee_id", "reseller_id", "day"]


def sum_usage(
    legs: PlannedLegs,
    priced: PricedLegs,
    tables: Mapping[int, PriceTable],
    *,
    stands: NDArray[np.bool_],
    by_xdr: pl.DataFrame,
) -> pl.DataFrame:
    """Sums of the standing legs, of which there must be one at least.

    By payer, payee, customer's reseller, day, destination and currency, in the order of payers.

    `by_xdr` has volume (int64), day (date) and reseller_id of each xDR (PROVIDER_ID for none),
    which is null in the answer where it is none. `cost` is summed exactly, as Int128 at 10^-8.
    """
    standing = by_xdr[legs.row[stands]].with_columns(
        charge=legs.charge[stands],
        payer_kind=legs.payer_kind[stands],
        payer_id=legs.payer_id[stands],
        payee_kind=legs.payee_kind[stands],
        payee_id=legs.payee_id[stands],
        table_id=legs.table_id[stands],
        rate_index=priced.rate_index[stands],
        billed=priced.billed[stands],
        cost=priced.cost[stands],
    )
    by_rate = standing.group_by(*_PARTIES, "table_id", "rate_index").agg(
        pl.len().cast(pl.Int64).alias("call_count"),
        pl.col("volume").sum(),
        pl.col("billed").sum(),
        pl.col("cost").cast(pl.Int128).sum(),
    )
    named = by_rate.join(_destinations(by_rate, tables), on=["table_id", "rate_index"])
    return (
        named.group_by(*_PARTIES, "destination", "currency")
        .agg(pl.col("call_count", "volume", "billed", "cost").sum())
        .with_columns(reseller_id=pl.col("reseller_id").replace(PROVIDER_ID, None))
        .sort("payer_kind", "payer_id", "day")
    )


def _destinations(by_rate: pl.DataFrame, tables: Mapping[int, PriceTable]) -> pl.DataFrame:
    """The destination and currency of every rate that was used."""
    used = by_rate.select("table_id", "rate_index").unique()
    return pl.concat(
        rates.with_columns(
            destination=_names(tables[table_id], rates["rate_index"]),
            currency=pl.lit(tables[table_id].currency),
        )
        for (table_id,), rates in used.partition_by("table_id", as_dict=True).items()
    )


def _names(table: PriceTable, rate_index: pl.Series) -> pl.Series:
    assert table.compiled is not None, "a standing leg has a rate"
    destinations = table.compiled.destinations
    return pl.Series([destinations[index] for index in rate_index], dtype=pl.String)
