"""Writing a rated batch: xDRs, legs, usage charges and suspense, each by one COPY."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.models import Suspense
from cdr.partitions import ensure_partitions
from cdr.rating.usage import sum_usage
from cdr.services.copying import amounts, copy_rows, timestamps
from cdr.services.rating import RatedXdrs
from cdr.services.sources import SourceTerms

DETAIL_CHARACTERS = 300
_XDR_TEXTS = (
    "call_id",
    "account_code",
    "caller_number",
    "destination_number",
    "normalised_number",
    "hangup_cause",
)
_SUSPENSE_TEXTS = ("raw", "detail", "currency")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows of a batch belong."""

    source: SourceTerms
    chunk_id: int
    at: datetime


def record_xdrs(rated: RatedXdrs, origin: Origin) -> None:
    """Store the xDRs, in partitions made for them where there are none."""
    xdrs, source = rated.xdrs, origin.source
    months = xdrs.select(pl.from_epoch("started_at", time_unit="us").dt.date().dt.month_start())
    ensure_partitions(months.to_series().unique())
    rows = xdrs.select(
        pl.lit(source.provider_id).alias("provider_id"),
        timestamps(xdrs["started_at"]).alias("started_at"),
        "id",
        pl.lit(source.id).alias("source_id"),
        pl.lit(origin.chunk_id).alias("chunk_id"),
        "line_number",
        "dedup_key",
        *_XDR_TEXTS,
        "duration_seconds",
        "volume",
        "customer_id",
        "vendor_id",
        "terminating_customer_id",
        pl.Series("result", rated.outcome.result),
    )
    copy_rows("cdr_xdr", rows, texts=_XDR_TEXTS)


def record_legs(
    rated: RatedXdrs,
    origin: Origin,
    *,
    stands: NDArray[np.bool_],
    number: NDArray[np.int64],
) -> None:
    """Store the legs that stand, under the given numbers, and their sums as usage charges."""
    legs, priced, xdrs = rated.legs, rated.priced, rated.xdrs
    row = legs.row[stands]
    currencies = {table.id: table.currency for table in rated.tables.values()}
    table_id = pl.Series("rate_table_id", legs.table_id[stands])
    rows = pl.DataFrame(
        {
            "started_at": timestamps(xdrs["started_at"]).gather(row),
            "xdr_id": xdrs["id"].gather(row),
            "number": number[stands],
            "kind": legs.charge[stands],
            "payer_kind": legs.payer_kind[stands],
            "payer_id": legs.payer_id[stands],
            "payee_kind": legs.payee_kind[stands],
            "payee_id": legs.payee_id[stands],
            "rate_table_id": table_id,
            "rate_id": priced.rate_id[stands],
            "billed_volume": priced.billed[stands],
            "amount": priced.cost[stands],
            "currency": table_id.replace_strict(currencies, return_dtype=pl.String),
        }
    ).with_columns(amounts("amount"), provider_id=pl.lit(origin.source.provider_id))
    copy_rows("cdr_leg", rows, texts=())
    _record_usage(rated, origin, stands)


def _record_usage(rated: RatedXdrs, origin: Origin, stands: NDArray[np.bool_]) -> None:
    source = origin.source
    start = pl.from_epoch("started_at", time_unit="us").dt.replace_time_zone("UTC")
    by_xdr = rated.xdrs.select(
        "volume", "reseller_id", day=start.dt.convert_time_zone(source.day_zone.key).dt.date()
    )
    usage = sum_usage(rated.legs, rated.priced, rated.tables, stands=stands, by_xdr=by_xdr)
    rows = usage.select(
        pl.lit(source.provider_id).alias("provider_id"),
        pl.lit(origin.chunk_id).alias("chunk_id"),
        pl.lit(source.product_id).alias("product_id"),
        pl.col("charge").alias("kind"),
        "payer_kind",
        "payer_id",
        "payee_kind",
        "payee_id",
        pl.col("reseller_id").alias("customer_reseller_id"),
        "day",
        "destination",
        "currency",
        "call_count",
        "volume",
        pl.col("billed").alias("billed_volume"),
        amounts("cost").alias("amount"),
        pl.lit(origin.at.isoformat()).alias("created_at"),
    )
    copy_rows("cdr_usagecharge", rows, texts=("destination",))


def record_waiting_lines(lines: pl.DataFrame, origin: Origin) -> None:
    """Suspend lines that became no xDR: line_number, raw, reason, detail and started_at."""
    _copy_suspense(
        lines.select(
            "line_number",
            "raw",
            "reason",
            "detail",
            timestamps(lines["started_at"]).alias("started_at"),
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
    why = suspense.select(
        "reason",
        "detail",
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
        chunk_id=pl.lit(origin.chunk_id),
        state=pl.lit(str(Suspense.State.OPEN)),
        created_at=pl.lit(origin.at.isoformat()),
    )
    copy_rows("cdr_suspense", owned, texts=_SUSPENSE_TEXTS)
