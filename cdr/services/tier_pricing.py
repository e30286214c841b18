"""Usage of metered products that tiers price: by which subscription, and from which total on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from django.db import connection
from numpy.typing import NDArray

from catalogue.rules.tiers import parse_tiers
from catalogue.rules.units import volume_units_per_rating_unit
from cdr.rating.legs import PlannedLegs, Routing
from cdr.rating.prices import PricedLegs, place_legs, unpriced
from cdr.rating.tiers import CompiledTiers, TieredLegs, TierTable, compile_tiers, price_tiered
from cdr.rules.cost import Reason
from cdr.rules.parties import Charge
from cdr.services.copying import days
from cdr.services.sources import SourceTerms

_TIERS = """
    SELECT s.id, s.customer_id, s.start_date, s.end_date, s.currency, p.name,
        p.rating_unit, p.volume_unit, i.tier_model, i.tiers, i.package_units
    FROM subscriptions_subscription s
    JOIN catalogue_catalogueversionitem i ON i.id = s.item_id AND i.tiers <> ''
    JOIN catalogue_product p ON p.id = s.product_id
    WHERE s.provider_id = %s AND
"""
_SUBSCRIBED = f"""{_TIERS} s.product_id = %s AND s.customer_id = ANY(%s)
        AND s.state <> 'REQUESTED' AND s.start_date <= %s
        AND (s.end_date IS NULL OR s.end_date >= %s)
"""
# Rows are made, and then locked, in one order by everybody. Whoever finds one that another is
# making waits for it there, holding only rows before it.
_MAKE_TOTALS = """
    INSERT INTO cdr_tiertotal (provider_id, customer_id, subscription_id, month, volume)
    SELECT %s, n.customer_id, n.subscription_id, n.month, 0
    FROM unnest(%s::bigint[], %s::bigint[], %s::date[]) AS n(customer_id, subscription_id, month)
    ORDER BY n.subscription_id, n.month ON CONFLICT (subscription_id, month) DO NOTHING
"""
_TOTALS = """
    SELECT t.subscription_id, t.month, t.volume FROM cdr_tiertotal t
    WHERE t.provider_id = %s AND (t.subscription_id, t.month) IN
        (SELECT * FROM unnest(%s::bigint[], %s::date[]))
    ORDER BY t.subscription_id, t.month
"""
_ADD_VOLUMES = """
    UPDATE cdr_tiertotal t SET volume = t.volume + n.volume
    FROM unnest(%s::bigint[], %s::date[], %s::bigint[]) AS n(subscription_id, month, volume)
    WHERE t.provider_id = %s AND t.subscription_id = n.subscription_id AND t.month = n.month
"""


class MonthTotal(NamedTuple):
    """Names a total: of a customer's subscription in the month that begins on a day."""

    subscription_id: int
    month: date
    customer_id: int


TotalsBefore = Callable[[list[MonthTotal]], list[int]]
"""Gives the volumes that totals, in ascending order, came to so far."""


@dataclass(frozen=True, slots=True)
class TieredUsage:
    """The customer legs of a batch whose table is a subscription's tiers, and those tiers.

    `member` are their places among the planned legs; `month` is that of every xDR of the batch.
    """

    member: NDArray[np.int64]
    month: pl.Series
    tables: dict[int, TierTable]


def find_tiered(
    legs: PlannedLegs, xdrs: pl.DataFrame, source: SourceTerms
) -> tuple[PlannedLegs, TieredUsage | None]:
    """The legs with customer legs at tiers where a subscription of that day says so.

    `xdrs` has started_at, customer_id and destination_number, the metered code.
    """
    if not source.is_metered:
        return legs, None
    day = days(xdrs["started_at"], source.day_zone.key)
    member = np.flatnonzero(legs.charge == Charge.CUSTOMER)
    used = pl.DataFrame(
        {
            "member": member,
            "customer_id": legs.payer_id[member],
            "day": day.gather(legs.row[member]),
        }
    )
    subscribed = _subscribed(source, used)
    found = (
        used.join(
            subscribed.select("customer_id", "id", "start_date", "end_date"), on="customer_id"
        )
        .filter(
            pl.col("start_date") <= pl.col("day"),
            pl.col("end_date").is_null() | (pl.col("day") <= pl.col("end_date")),
        )
        .sort("member", "start_date", "id")
        .unique("member", keep="last", maintain_order=True)
    )
    if found.is_empty():
        return legs, None
    table_id = legs.table_id.copy()
    table_id[found["member"].to_numpy()] = -found["id"].to_numpy()
    codes = _codes_of(xdrs).unique().sort().to_list()
    of_ids = subscribed.filter(pl.col("id").is_in(found["id"].unique().implode()))
    tables = {-row["id"]: _table(row, codes) for row in of_ids.iter_rows(named=True)}
    usage = TieredUsage(found["member"].to_numpy(), day.dt.month_start(), tables)
    return replace(legs, table_id=table_id), usage


def price_usage(
    usage: TieredUsage,
    legs: PlannedLegs,
    xdrs: pl.DataFrame,
    priced: PricedLegs,
    *,
    totals: TotalsBefore,
    included: NDArray[np.int64] | None = None,
    among: NDArray[np.bool_] | None = None,
) -> PricedLegs:
    """The legs with those at tiers priced by what goes beyond the totals so far.

    Or only those `among` the planned legs; what allowances `included` of them does not count.
    """
    used = counted_usage(usage, legs, xdrs, included=included, among=among)
    if used.is_empty():
        return priced
    ordered = used.sort(*MonthTotal._fields, "started_at", "member")
    anew = price_in_order(ordered, usage.tables, totals)
    return place_legs(priced, ordered["member"].to_numpy(), anew)


def counted_usage(
    usage: TieredUsage,
    legs: PlannedLegs,
    xdrs: pl.DataFrame,
    *,
    included: NDArray[np.int64] | None = None,
    among: NDArray[np.bool_] | None = None,
) -> pl.DataFrame:
    """What legs add to totals: MonthTotal's fields, member, started_at, volume and destination.

    `volume` is what allowances leave over. Legs without volume, and those of xDRs that wait whole,
    add nothing and are left out.
    """
    row = legs.row[usage.member]
    counts = (legs.routing[row] == Routing.ROUTED) & (xdrs["volume"].to_numpy()[row] > 0)
    if among is not None:
        counts &= among[usage.member]
    used = _counted(usage, usage.member[counts], legs, xdrs)
    if included is None:
        return used
    return used.with_columns(volume=pl.col("volume") - included[used["member"].to_numpy()])


def price_in_order(
    used: pl.DataFrame, tables: Mapping[int, TierTable], totals: TotalsBefore
) -> PricedLegs:
    """The price of each row, in the order of totals and, within one, of counting."""
    key = used.select(pl.struct(MonthTotal._fields)).to_series()
    keys = [MonthTotal(**each) for each in key.unique(maintain_order=True)]
    priced, volume = unpriced(len(used)), used["volume"].to_numpy()
    price_tiered(
        TieredLegs(
            np.arange(len(used)),
            key.rle_id().cast(pl.Int64).to_numpy(),
            volume,
            used["destination"].to_numpy(),
        ),
        priced,
        tables=[tables[-each.subscription_id] for each in keys],
        before=totals(keys),
    )
    priced.reason[volume == 0] = Reason.INCLUDED
    return priced


def known_totals(provider_id: int) -> TotalsBefore:
    """The totals as they are at the moment."""
    return lambda keys: _read(_TOTALS, provider_id, keys)


def locked_totals(provider_id: int) -> TotalsBefore:
    """The totals, which nobody else adds to until the transaction ends."""

    def lock(keys: list[MonthTotal]) -> list[int]:
        with connection.cursor() as cursor:
            values = [[key.customer_id for key in keys], *_columns(keys)]
            cursor.execute(_MAKE_TOTALS, [provider_id, *values])
        return _read(_TOTALS + " FOR NO KEY UPDATE", provider_id, keys)

    return lock


def add_volumes(provider_id: int, volumes: pl.DataFrame) -> None:
    """Add what was priced to totals that are locked: subscription_id, month, volume."""
    columns = [volumes[name].to_list() for name in ("subscription_id", "month", "volume")]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_VOLUMES, [*columns, provider_id])


def tiers_of(provider_id: int, subscription_ids: list[int]) -> dict[int, CompiledTiers]:
    """The tiers of subscriptions, whenever they are in force, by their ids."""
    found = _rows(f"{_TIERS} s.id = ANY(%s)", [provider_id, subscription_ids])
    return {row["id"]: _tiers(row) for row in found.iter_rows(named=True)}


def _subscribed(source: SourceTerms, used: pl.DataFrame) -> pl.DataFrame:
    """The subscriptions of the customers to the source's product, with their tiers."""
    customer_ids = used["customer_id"].unique().to_list()
    used_days: list[date] = used["day"].unique().to_list()
    last, first = max(used_days, default=None), min(used_days, default=None)
    return _rows(_SUBSCRIBED, [source.provider_id, source.product_id, customer_ids, last, first])


def _rows(query: str, parameters: list[Any]) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows = cursor.fetchall()
    schema: dict[str, Any] = {
        "id": pl.Int64,
        "customer_id": pl.Int64,
        "start_date": pl.Date,
        "end_date": pl.Date,
        **dict.fromkeys(("currency", "name", "rating_unit", "volume_unit"), pl.String),
        **dict.fromkeys(("tier_model", "tiers"), pl.String),
        "package_units": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _table(row: dict[str, Any], codes: list[str]) -> TierTable:
    return TierTable(-row["id"], row["name"], row["currency"], None, tiers=_tiers(row), codes=codes)


def _tiers(row: dict[str, Any]) -> CompiledTiers:
    tiers = parse_tiers(row["tier_model"], row["tiers"], row["package_units"])
    return compile_tiers(
        tiers, volume_units_per_rating_unit(row["rating_unit"], row["volume_unit"])
    )


def _counted(
    usage: TieredUsage, member: NDArray[np.int64], legs: PlannedLegs, xdrs: pl.DataFrame
) -> pl.DataFrame:
    """What legs add to totals: member, the key of the total, started_at, volume, destination."""
    row = legs.row[member]
    codes = pl.Series(next(iter(usage.tables.values())).codes, dtype=pl.String)
    places = pl.DataFrame({"code": codes}).with_row_index("destination")
    return (
        xdrs[row]
        .select("started_at", "volume", "customer_id")
        .with_columns(
            code=_codes_of(xdrs).gather(row),
            member=member,
            subscription_id=-legs.table_id[member],
            month=usage.month.gather(row),
        )
        .join(places, on="code", how="left", maintain_order="left")
        .with_columns(pl.col("destination").cast(pl.Int32))
    )


def _codes_of(xdrs: pl.DataFrame) -> pl.Series:
    return xdrs["destination_number"].fill_null("")


def _read(sql: str, provider_id: int, keys: list[MonthTotal]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [provider_id, *_columns(keys)])
        found = {(subscription_id, month): volume for subscription_id, month, volume in cursor}
    return [found.get((key.subscription_id, key.month), 0) for key in keys]


def _columns(keys: list[MonthTotal]) -> list[list[Any]]:
    return [[key.subscription_id for key in keys], [key.month for key in keys]]
