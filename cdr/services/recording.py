"""Writing a rated batch: xDRs, legs, usage charges and suspense, each by one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from django.db import connection
from numpy.typing import NDArray

from cdr.models import Suspense
from cdr.partitions import ensure_known_partitions
from cdr.rating.few import with_columns
from cdr.rating.terms import NO_TABLE
from cdr.rating.usage import sum_usage
from cdr.rules.instants import to_microseconds
from cdr.services.binary_rows import Binary, Column
from cdr.services.copying import copy_binary, days
from cdr.services.rating import RatedXdrs
from cdr.services.sources import SourceTerms
from cdr.services.subjects import line_subjects, xdr_subjects
from cdr.services.tier_pricing import add_volumes
from common.copying import amounts, copy_rows, timestamps

DETAIL_CHARACTERS = 300
_XDR_TEXTS = (
    "call_id",
    "account_code",
    "trunk",
    "caller_ip",
    "caller_number",
    "destination_number",
    "normalised_number",
    "hangup_cause",
    "received_tags",
    "tags",
)
_XDR_NUMBERS = ("id", "line_number", "volume")
_XDR_PARTIES = ("customer_id", "vendor_id", "terminating_customer_id")
_XDR_COLUMNS = (
    *("started_at", "dedup_key", "duration_seconds", "result"),
    *_XDR_NUMBERS,
    *_XDR_PARTIES,
    *_XDR_TEXTS,
)
# What of a sum of legs a usage charge keeps, and as what.
_USAGE_COLUMNS = {
    "product_id": (Binary.BIGINT, "product_id"),
    "kind": (Binary.SMALLINT, "charge"),
    "payer_kind": (Binary.SMALLINT, "payer_kind"),
    "payer_id": (Binary.BIGINT, "payer_id"),
    "payee_kind": (Binary.SMALLINT, "payee_kind"),
    "payee_id": (Binary.BIGINT, "payee_id"),
    "customer_reseller_id": (Binary.NULLABLE_BIGINT, "reseller_id"),
    "day": (Binary.DATE, "day"),
    "destination": (Binary.TEXT, "destination"),
    "currency": (Binary.TEXT, "currency"),
    "call_count": (Binary.BIGINT, "call_count"),
    "volume": (Binary.BIGINT, "volume"),
    "billed_volume": (Binary.BIGINT, "billed"),
    "included_volume": (Binary.BIGINT, "included"),
    "amount": (Binary.SUM, "cost"),
}
_SUSPENSE_TEXTS = ("raw", "detail", "currency", "named_by", "subject")
_NEW_CHARGE_IDS = """
    SELECT coalesce(array_agg(nextval('cdr_usagecharge_id_seq')), '{}')
    FROM generate_series(1, %s)
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows of a batch belong."""

    source: SourceTerms
    chunk_id: int
    at: datetime


def record_xdrs(rated: RatedXdrs, origin: Origin) -> None:
    """Store the xDRs, in partitions made for them where there are none."""
    xdrs = rated.xdrs
    starts = xdrs["started_at"].to_numpy().astype("datetime64[us]")
    ensure_known_partitions(np.unique(starts.astype("datetime64[D]")).tolist())
    rows = with_columns(xdrs, [pl.Series("result", rated.outcome.result)])
    if len(rows) > 1:
        # By customer, so that neighbours in the file are neighbours in the customers' index as
        # well: it took half the time of all COPYs otherwise, with two thousand customers.
        rows = rows.select_seq(*_XDR_COLUMNS).sort("customer_id")
    copy_binary("cdr_xdr", _xdr_columns(rows, origin), len(rows))


def _xdr_columns(rows: pl.DataFrame, origin: Origin) -> dict[str, Column]:
    return {
        "provider_id": Column(Binary.BIGINT, origin.source.provider_id),
        "source_id": Column(Binary.BIGINT, origin.source.id),
        "chunk_id": Column(Binary.BIGINT, origin.chunk_id),
        "started_at": Column(Binary.TIMESTAMPTZ, rows["started_at"].to_numpy()),
        "dedup_key": Column(Binary.UUID, rows["dedup_key"]),
        "duration_seconds": Column(Binary.INTEGER, rows["duration_seconds"].to_numpy()),
        "result": Column(Binary.SMALLINT, rows["result"].to_numpy()),
        **{name: Column(Binary.BIGINT, rows[name].to_numpy()) for name in _XDR_NUMBERS},
        **{name: Column(Binary.NULLABLE_BIGINT, rows[name]) for name in _XDR_PARTIES},
        **{name: Column(Binary.TEXT, rows[name]) for name in _XDR_TEXTS},
    }


def record_legs(
    rated: RatedXdrs,
    origin: Origin,
    *,
    stands: NDArray[np.bool_],
    number: NDArray[np.int64],
) -> None:
    """Store the legs that stand, under the given numbers, and their sums as usage charges.

    What tiers price is added to the totals of its month, which whoever rated it has locked.
    """
    if not stands.any():
        return
    # Taking all of an array costs nothing, choosing from it does: mostly all of them stand.
    chosen: NDArray[np.bool_] | slice = slice(None) if stands.all() else stands
    copy_legs(
        rated,
        origin.source.provider_id,
        chosen=chosen,
        number=number,
        usage_charge_id=_record_usage(rated, origin, chosen),
    )
    copy_uses(rated, origin.source.provider_id)
    _add_to_totals(rated, origin.source, stands)


def copy_legs(
    rated: RatedXdrs,
    provider_id: int,
    *,
    chosen: NDArray[np.bool_] | slice,
    number: NDArray[np.int64],
    usage_charge_id: NDArray[np.int64],
) -> None:
    """Store the chosen legs under the given numbers, without their sums.

    `number` is of all legs, `usage_charge_id`, of the sum that holds each, of the chosen ones.
    """
    at_tiers = rated.legs.table_id < NO_TABLE
    if not at_tiers.any():
        _copy_legs(rated, provider_id, chosen, number, usage_charge_id, by_rate=True)
        return
    among, held_by = np.zeros(len(at_tiers), dtype=bool), np.zeros(len(at_tiers), dtype=np.int64)
    among[chosen], held_by[chosen] = True, usage_charge_id
    for by_rate, some in ((True, among & ~at_tiers), (False, among & at_tiers)):
        _copy_legs(rated, provider_id, some, number, held_by[some], by_rate=by_rate)


def _copy_legs(
    rated: RatedXdrs,
    provider_id: int,
    chosen: NDArray[np.bool_] | slice,
    number: NDArray[np.int64],
    usage_charge_id: NDArray[np.int64],
    *,
    by_rate: bool,
) -> None:
    """Store legs that all have a rate, or none of which has; columns left out stay null."""
    legs, priced, xdrs = rated.legs, rated.priced, rated.xdrs
    row = legs.row[chosen]
    if not len(row):
        return
    table_id = legs.table_id[chosen]
    columns = {
        "provider_id": Column(Binary.BIGINT, provider_id),
        "started_at": Column(Binary.TIMESTAMPTZ, xdrs["started_at"].to_numpy()[row]),
        "xdr_id": Column(Binary.BIGINT, xdrs["id"].to_numpy()[row]),
        "number": Column(Binary.SMALLINT, number[chosen]),
        "kind": Column(Binary.SMALLINT, legs.charge[chosen]),
        "usage_charge_id": Column(Binary.BIGINT, usage_charge_id),
        "billed_volume": Column(Binary.BIGINT, priced.billed[chosen]),
        "amount": Column(Binary.AMOUNT, priced.cost[chosen]),
        **_additive_column(priced.additive_cost[chosen]),
        **_included_column(rated.included[chosen]),
    }
    if by_rate:
        columns["rate_table_id"] = Column(Binary.BIGINT, table_id)
        columns["rate_id"] = Column(Binary.BIGINT, priced.rate_id[chosen])
    else:
        columns["subscription_id"] = Column(Binary.BIGINT, -table_id)
        columns["total_before"] = Column(Binary.BIGINT, priced.total_before[chosen])
    copy_binary("cdr_leg", columns, len(row))


def _additive_column(cost: NDArray[np.int64]) -> dict[str, Column]:
    """What additive rates add; left to its default where that is nothing, as mostly."""
    return {"additive_amount": Column(Binary.AMOUNT, cost)} if cost.any() else {}


def _included_column(included: NDArray[np.int64]) -> dict[str, Column]:
    """What allowances cover; left to its default where that is nothing."""
    return {"included_volume": Column(Binary.BIGINT, included)} if included.any() else {}


def copy_uses(rated: RatedXdrs, provider_id: int) -> None:
    """Store what the legs used of which counters."""
    row = rated.legs.row[rated.uses["leg"].to_numpy()]
    columns = {
        "provider_id": Column(Binary.BIGINT, provider_id),
        "started_at": Column(Binary.TIMESTAMPTZ, rated.xdrs["started_at"].to_numpy()[row]),
        "xdr_id": Column(Binary.BIGINT, rated.xdrs["id"].to_numpy()[row]),
        "counter_id": Column(Binary.BIGINT, rated.uses["counter_id"].to_numpy()),
        "volume": Column(Binary.BIGINT, rated.uses["volume"].to_numpy()),
    }
    copy_binary("cdr_allowanceuse", columns, len(row))


def _add_to_totals(rated: RatedXdrs, source: SourceTerms, stands: NDArray[np.bool_]) -> None:
    legs = rated.legs
    added = np.flatnonzero(stands & (legs.table_id < NO_TABLE))
    if not len(added):
        return
    month = days(rated.xdrs["started_at"], source.day_zone.key).dt.month_start()
    used = pl.DataFrame(
        {
            "subscription_id": -legs.table_id[added],
            "month": month.gather(legs.row[added]),
            "volume": rated.priced.billed[added],
        }
    )
    sums = used.group_by("subscription_id", "month").agg(pl.col("volume").sum())
    add_volumes(source.provider_id, sums)


def _record_usage(
    rated: RatedXdrs, origin: Origin, chosen: NDArray[np.bool_] | slice
) -> NDArray[np.int64]:
    """Charge the chosen legs; the usage charge of each."""
    source = origin.source
    day = days(rated.xdrs["started_at"], source.day_zone.key).alias("day")
    by_xdr = pl.DataFrame([rated.xdrs["volume"], rated.xdrs["reseller_id"], day])
    usage = sum_usage(
        rated.legs,
        rated.priced,
        rated.tables,
        chosen=chosen,
        by_xdr=by_xdr,
        included=rated.included,
    )
    sums = usage.sums.with_columns_seq(product_id=pl.lit(source.product_id))
    batch = {"chunk_id": origin.chunk_id}
    ids = copy_usage(sums, source.provider_id, batch=batch, at=origin.at)
    return ids[usage.place]


def copy_usage(
    usage: pl.DataFrame, provider_id: int, *, batch: Mapping[str, int], at: datetime
) -> NDArray[np.int64]:
    """Store sums of legs, as `sum_usage` makes them, with a product, as charges of the batch.

    Returns the ids they got, in their order.
    """
    ids = _new_charge_ids(len(usage))
    columns = {
        "id": Column(Binary.BIGINT, ids),
        "provider_id": Column(Binary.BIGINT, provider_id),
        **{name: Column(Binary.BIGINT, pk) for name, pk in batch.items()},
        "created_at": Column(Binary.TIMESTAMPTZ, to_microseconds(at)),
        **{name: Column(kind, usage[found]) for name, (kind, found) in _USAGE_COLUMNS.items()},
    }
    copy_binary("cdr_usagecharge", columns, len(usage))
    return ids


def _new_charge_ids(count: int) -> NDArray[np.int64]:
    """Ids that no other usage charge gets: legs name theirs, so it must be known beforehand."""
    with connection.cursor() as cursor:
        cursor.execute(_NEW_CHARGE_IDS, [count])
        (ids,) = cursor.fetchone()
    return np.array(ids, dtype=np.int64)


def record_waiting_lines(lines: pl.DataFrame, origin: Origin) -> None:
    """Suspend lines that became no xDR: line_number, raw, reason, detail and started_at."""
    if lines.is_empty():
        return
    about = line_subjects(lines)
    _copy_suspense(
        about.select(
            "line_number",
            "raw",
            "reason",
            "detail",
            "subject",
            timestamps(lines["started_at"]).alias("started_at"),
            named_by=pl.lit(""),
            currency=pl.lit(""),
            volume=pl.lit(0),
            estimated_amount=pl.lit(0),
        ),
        origin,
    )


def record_suspense(rated: RatedXdrs, suspense: pl.DataFrame, origin: Origin) -> None:
    """Suspend xDRs and legs of the batch: rows with the columns of SUSPENSE_SCHEMA."""
    if suspense.is_empty():
        return
    xdrs = rated.xdrs[suspense["row"]]
    about = xdrs.select(
        "line_number",
        "raw",
        "volume",
        "customer_id",
        pl.col("id").alias("xdr_id"),
        timestamps(xdrs["started_at"]).alias("started_at"),
    )
    why = xdr_subjects(xdrs, suspense, origin.source).select(
        "reason",
        "detail",
        "named_by",
        "subject",
        "rate_table_id",
        "leg_kind",
        "payer_kind",
        "payer_id",
        "currency",
        amounts("estimated_cost").alias("estimated_amount"),
    )
    _copy_suspense(about.hstack(why), origin)


def _copy_suspense(rows: pl.DataFrame, origin: Origin) -> None:
    owned = rows.with_columns(
        pl.col("detail").str.slice(0, DETAIL_CHARACTERS),
        provider_id=pl.lit(origin.source.provider_id),
        source_id=pl.lit(origin.source.id),
        chunk_id=pl.lit(origin.chunk_id),
        state=pl.lit(str(Suspense.State.OPEN)),
        created_at=pl.lit(origin.at.isoformat()),
    )
    copy_rows("cdr_suspense", owned, texts=_SUSPENSE_TEXTS)
