"""What becomes of each xDR once its legs are priced: which legs stand, and what waits and why.

Each leg can fail on its own and the others stand. The whole xDR waits where its parties are not
known, where its vendor is foreign, and where the customer's rate blocks the traffic. An xDR without
volume never waits: it is unbilled, but for the legs an attempt fee is due on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.legs import PlannedLegs, Routing
from cdr.rating.prices import PricedLegs, PriceTable
from cdr.rating.terms import NO_TABLE, Terms
from cdr.rules.cost import Reason
from cdr.rules.parties import Charge
from cdr.rules.suspense import Result, Suspended

SUSPENSE_SCHEMA = {
    "row": pl.Int64,
    "reason": pl.String,
    "detail": pl.String,
    "leg_kind": pl.Int8,
    "payer_kind": pl.Int8,
    "payer_id": pl.Int64,
    "table_id": pl.Int64,
    "estimated_cost": pl.Int64,
    "currency": pl.String,
}

_ROUTING_REASONS = {
    Routing.UNKNOWN_CUSTOMER: Suspended.UNKNOWN_CUSTOMER,
    Routing.UNKNOWN_VENDOR: Suspended.UNKNOWN_VENDOR,
    Routing.FOREIGN_VENDOR: Suspended.FOREIGN_VENDOR,
}
_UNRATED_REASONS = {
    Charge.CUSTOMER: Suspended.UNRATED_CUSTOMER,
    Charge.RESELLER: Suspended.RESELLER_UNRATED,
    Charge.VENDOR: Suspended.UNRATED_VENDOR,
}
_FAILED = np.zeros(256, dtype=bool)
_FAILED[[Reason.UNRATED, Reason.BLOCKED, Reason.OVERFLOW]] = True
_NO_RATE_TABLE = "the customer's catalogue gives no rate table for the product"
_NOT_SOLD_BY_TIERS = "the customer has no subscription to the metered product on that day"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`result` (int8, `Result`) is by xDR, `stands` (bool) by leg.

    `suspense` has one row per thing that waits, columns as in SUSPENSE_SCHEMA: the payer and
    leg_kind are null for a whole xDR, `estimated_cost` is what the customer would pay for the xDR
    at 10^-8 of `currency`, zero where that is not known. `table_id` is the rate table that lacks or
    blocks it, null where there is none.
    """

    result: NDArray[np.int8]
    stands: NDArray[np.bool_]
    suspense: pl.DataFrame


def judge_xdrs(
    xdrs: pl.DataFrame,
    terms: Terms,
    legs: PlannedLegs,
    priced: PricedLegs,
    tables: Mapping[int, PriceTable],
) -> Outcome:
    """Decide over a batch; `xdrs` has volume and the columns that details quote."""
    zero = xdrs["volume"].to_numpy() == 0
    failed = _FAILED[priced.reason]
    of_customer = legs.charge == Charge.CUSTOMER
    blocked = np.zeros(len(zero), dtype=bool)
    blocked[legs.row[of_customer & (priced.reason == Reason.BLOCKED)]] = True
    withheld = blocked | (legs.routing != Routing.ROUTED)

    due = ~zero[legs.row] | (priced.cost != 0)
    stands = due & ~failed & ~withheld[legs.row]
    rated = np.zeros(len(zero), dtype=bool)
    rated[legs.row[stands]] = True
    result = np.where(zero, Result.ZERO, np.where(rated, Result.RATED, Result.SUSPENDED))

    waiting_xdrs = np.flatnonzero(withheld & ~zero)
    waiting_legs = np.flatnonzero(failed & ~withheld[legs.row] & ~zero[legs.row])
    if not len(waiting_xdrs) and not len(waiting_legs):
        return Outcome(result.astype(np.int8), stands, pl.DataFrame(schema=SUSPENSE_SCHEMA))
    values = _values(len(zero), legs, priced, tables)
    suspense = pl.concat(
        [
            _suspend_xdrs(xdrs, terms, waiting_xdrs, legs.routing),
            _suspend_legs(xdrs, terms, legs, priced, tables, waiting_legs),
        ]
    ).join(values, on="row", how="left")
    is_blocked = pl.col("leg_kind").is_null() & (pl.col("reason") == str(Suspended.BLOCKED))
    table_id = pl.when(is_blocked).then("customer_table_id").otherwise("table_id")
    suspense = suspense.with_columns(
        table_id=pl.when(table_id != NO_TABLE).then(table_id)  # null for no table, too
    )
    ordered = suspense.sort("row", maintain_order=True).select(list(SUSPENSE_SCHEMA))
    return Outcome(result.astype(np.int8), stands, ordered)


def _values(
    count: int, legs: PlannedLegs, priced: PricedLegs, tables: Mapping[int, PriceTable]
) -> pl.DataFrame:
    """What the customer pays for each xDR, by row; zero where no price is known."""
    cost = np.zeros(count, dtype=np.int64)
    table_id = np.full(count, NO_TABLE, dtype=np.int64)
    of_customer = legs.charge == Charge.CUSTOMER
    cost[legs.row[of_customer]] = priced.cost[of_customer]
    table_id[legs.row[of_customer]] = legs.table_id[of_customer]
    currencies = {table.id: table.currency for table in tables.values()}
    return pl.DataFrame(
        {
            "row": np.arange(count),
            "estimated_cost": cost,
            "customer_table_id": table_id,
            "currency": pl.Series(table_id).replace_strict(
                currencies, default="", return_dtype=pl.String
            ),
        }
    )


def _suspend_xdrs(
    xdrs: pl.DataFrame, terms: Terms, rows: NDArray[np.int64], routing: NDArray[np.int8]
) -> pl.DataFrame:
    reasons = {int(key): str(value) for key, value in _ROUTING_REASONS.items()}
    vendor_names = {vendor_id: vendor.name for vendor_id, vendor in terms.vendors.items()}
    reason = pl.Series("reason", routing[rows]).replace_strict(
        reasons, default=str(Suspended.BLOCKED), return_dtype=pl.String
    )
    vendor = pl.col("vendor_id").replace_strict(vendor_names, default="", return_dtype=pl.String)
    quoted = {
        Suspended.UNKNOWN_CUSTOMER: _unknown_customer(),
        Suspended.UNKNOWN_VENDOR: pl.format(
            'no tech prefix of "{}" names a vendor, and the source has no default one',
            *_quoted("destination_number"),
        ),
        Suspended.FOREIGN_VENDOR: pl.format(
            'vendor "{}" belongs to a reseller who is no ancestor of the customer', vendor
        ),
        Suspended.BLOCKED: pl.format(
            "the customer's rate for {} blocks this traffic", *_quoted("normalised_number")
        ),
    }
    return (
        xdrs[rows]
        .with_columns(reason, row=pl.Series(rows))
        .select(
            "row",
            "reason",
            _by_reason(quoted).alias("detail"),
            leg_kind=pl.lit(None, pl.Int8),
            payer_kind=pl.lit(None, pl.Int8),
            payer_id=pl.lit(None, pl.Int64),
            table_id=pl.lit(None, pl.Int64),
        )
    )


def _suspend_legs(
    xdrs: pl.DataFrame,
    terms: Terms,
    legs: PlannedLegs,
    priced: PricedLegs,
    tables: Mapping[int, PriceTable],
    members: NDArray[np.int64],
) -> pl.DataFrame:
    unrated = {int(key): str(value) for key, value in _UNRATED_REASONS.items()}
    code = pl.col("code")
    reason = (
        pl.when(code == Reason.BLOCKED)
        .then(pl.lit(str(Suspended.BLOCKED)))
        .when(code == Reason.OVERFLOW)
        .then(pl.lit(str(Suspended.OVERFLOW)))
        .otherwise(pl.col("leg_kind").replace_strict(unrated, return_dtype=pl.String))
    )
    names = {NO_TABLE: ""} | {table.id: table.name for table in tables.values()}
    faults = {table.id: table.fault for table in tables.values() if table.fault}
    table, number = pl.col("table"), pl.col("normalised_number").fill_null("")
    detail = (
        pl.when(pl.col("fault") != "")
        .then("fault")
        .when(table == "")
        .then(pl.lit(_NOT_SOLD_BY_TIERS if terms.is_metered else _NO_RATE_TABLE))
        .when(code == Reason.BLOCKED)
        .then(pl.format('the rate for {} in "{}" blocks this traffic', number, table))
        .when(code == Reason.OVERFLOW)
        .then(pl.format('the cost of {} in "{}" is too great to be true', number, table))
        .when(number == "")
        .then(pl.format('"{}" is not a number that can be rated', *_quoted("destination_number")))
        .otherwise(pl.format('no rate for {} in "{}"', number, table))
    )
    table_id = pl.Series(legs.table_id[members])
    waiting = xdrs[legs.row[members]].with_columns(
        row=pl.Series(legs.row[members]),
        code=pl.Series(priced.reason[members]),
        leg_kind=pl.Series(legs.charge[members]),
        payer_kind=pl.Series(legs.payer_kind[members]),
        payer_id=pl.Series(legs.payer_id[members]),
        table_id=table_id,
        table=table_id.replace_strict(names, return_dtype=pl.String),
        fault=table_id.replace_strict(faults, default="", return_dtype=pl.String),
    )
    about = ("leg_kind", "payer_kind", "payer_id", "table_id")
    return waiting.select("row", reason.alias("reason"), detail.alias("detail"), *about)


def _by_reason(details: Mapping[Suspended, pl.Expr]) -> pl.Expr:
    detail = pl.lit(None, pl.String)
    for reason, text in details.items():
        detail = pl.when(pl.col("reason") == str(reason)).then(text).otherwise(detail)
    return detail


def _unknown_customer() -> pl.Expr:
    """What could have named the customer, as far as it was there."""
    names = {
        "account_code": "account code",
        "trunk": "trunk",
        "caller_ip": "address",
        "caller_number": "caller number",
    }
    present = [
        pl.when(pl.col(column) != "").then(pl.format(name + ' "{}"', pl.col(column)))
        for column, name in names.items()
    ]
    return (
        pl.when(pl.any_horizontal(part.is_not_null() for part in present))
        .then(
            pl.lit("no customer goes by ")
            + pl.concat_str(present, separator=" or ", ignore_nulls=True)
        )
        .otherwise(pl.lit("there is no account code, trunk, address or caller number"))
    )


def _quoted(*columns: str) -> list[pl.Expr]:
    return [pl.col(column).fill_null("") for column in columns]
