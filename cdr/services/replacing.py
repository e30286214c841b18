"""Writing what rating again changes: legs, usage charges and suspense."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl
from django.db import connection

from cdr.importers.chunks import split_lines
from cdr.models import XdrChunk
from cdr.rating.changes import Fate
from cdr.rating.terms import NO_TABLE
from cdr.services.binary_rows import Binary, Column
from cdr.services.chunks import chunk_content
from cdr.services.copying import copy_binary
from cdr.services.rating_again import RatedAgain
from cdr.services.recording import Origin, copy_legs, copy_usage, copy_uses, record_suspense
from cdr.services.settling import explain_waiting, resolve
from cdr.services.stored_parties import update_xdrs
from common.copying import timestamps

_DELETE_USES = """
    DELETE FROM cdr_allowanceuse u
    USING unnest(%s::timestamptz[], %s::bigint[], %s::bigint[])
        AS g(started_at, xdr_id, counter_id)
    WHERE u.provider_id = %s AND u.started_at = g.started_at AND u.xdr_id = g.xdr_id
      AND u.counter_id = g.counter_id
"""
# By their keys one by one: new legs of other sources, or of other slices of the re-rating, start at
# the same times, and may have come before these go. The instants alone tell the partitions.
_DELETE_LEGS = """
    DELETE FROM cdr_leg l
    USING unnest(%s::timestamptz[], %s::bigint[], %s::smallint[]) AS g(started_at, xdr_id, number)
    WHERE l.provider_id = %s AND l.started_at BETWEEN %s AND %s
      AND l.started_at = g.started_at AND l.xdr_id = g.xdr_id AND l.number = g.number
"""


def write_changes(again: RatedAgain, *, rerating_id: int, at: datetime) -> None:
    """Make the stored xDRs of one source what they are by the terms of today."""
    usage, batch = again.usage(), {"rerating_id": rerating_id}
    ids = copy_usage(usage.rows, again.source.provider_id, batch=batch, at=at)
    _replace_legs(again, rerating_id, usage.charges_of_legs(ids))
    _replace_uses(again)
    _update_xdrs(again)
    _settle_suspense(again, at)


def _replace_legs(again: RatedAgain, rerating_id: int, charges: pl.DataFrame) -> None:
    before, after = again.legs.before, again.legs.after
    provider_id = again.source.provider_id
    _keep_replaced(before.filter(pl.col("fate") != Fate.MOVED), provider_id, rerating_id)
    _delete(before, provider_id)
    if after.is_empty():
        return
    # A leg that only moved stays in the sum that held it.
    held = after.sort("leg").join(
        charges, on="leg", how="left", suffix="_now", maintain_order="left"
    )
    charge_id = held.select(pl.coalesce("usage_charge_id_now", "usage_charge_id")).to_series()
    chosen = np.zeros(len(again.rated.legs.row), dtype=bool)
    chosen[after["leg"].to_numpy()] = True
    copy_legs(
        again.rated,
        provider_id,
        chosen=chosen,
        number=again.rated.legs.number,
        usage_charge_id=charge_id.to_numpy(),
    )


def _replace_uses(again: RatedAgain) -> None:
    gone, provider_id = again.uses.gone, again.source.provider_id
    if not gone.is_empty():
        keys = [timestamps(gone["started_at"]), gone["xdr_id"], gone["counter_id"]]
        with connection.cursor() as cursor:
            cursor.execute(_DELETE_USES, [*(key.to_list() for key in keys), provider_id])
    copy_uses(replace(again.rated, uses=again.uses.new), provider_id)


def _keep_replaced(legs: pl.DataFrame, provider_id: int, rerating_id: int) -> None:
    at_tiers = pl.col("table_id") < NO_TABLE
    by_rate = legs.filter(~at_tiers)
    _copy_replaced(by_rate, provider_id, rerating_id, rate_table_id="table_id", rate_id="rate_id")
    by_tiers = legs.filter(at_tiers).with_columns(subscription_id=-pl.col("table_id"))
    terms = {"subscription_id": "subscription_id", "total_before": "total_before"}
    _copy_replaced(by_tiers, provider_id, rerating_id, **terms)


def _copy_replaced(legs: pl.DataFrame, provider_id: int, rerating_id: int, **terms: str) -> None:
    """Keep legs that were all priced by what `terms` say; the columns of other terms stay null."""
    if legs.is_empty():
        return
    bigints = terms | {
        "xdr_id": "xdr_id",
        "usage_charge_id": "usage_charge_id",
        "billed_volume": "billed",
        "included_volume": "included",
    }
    columns = {
        "provider_id": Column(Binary.BIGINT, provider_id),
        "rerating_id": Column(Binary.BIGINT, rerating_id),
        "started_at": Column(Binary.TIMESTAMPTZ, legs["started_at"].to_numpy()),
        **{name: Column(Binary.BIGINT, legs[kept].to_numpy()) for name, kept in bigints.items()},
        "number": Column(Binary.SMALLINT, legs["number"].to_numpy()),
        "kind": Column(Binary.SMALLINT, legs["charge"].to_numpy()),
        "amount": Column(Binary.AMOUNT, legs["cost"].to_numpy()),
        "additive_amount": Column(Binary.AMOUNT, legs["additive_cost"].to_numpy()),
    }
    copy_binary("cdr_replacedleg", columns, len(legs))


def _delete(legs: pl.DataFrame, provider_id: int) -> None:
    if legs.is_empty():
        return
    instants: list[str] = timestamps(legs["started_at"]).to_list()
    keys = [instants, legs["xdr_id"].to_list(), legs["number"].to_list()]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_LEGS, [*keys, provider_id, min(instants), max(instants)])


def _update_xdrs(again: RatedAgain) -> None:
    result = pl.Series("result", again.rated.outcome.result)
    rows = again.rated.xdrs.with_columns(result)[again.moved]
    update_xdrs(rows, again.source.provider_id)


def _settle_suspense(again: RatedAgain, at: datetime) -> None:
    changes = again.suspense
    resolve(changes.resolved, at=at)
    explain_waiting(changes.explained)
    if changes.new.is_empty():
        return
    rated = replace(again.rated, xdrs=_with_lines(again.rated.xdrs, changes.new))
    chunk_ids = rated.xdrs["chunk_id"].gather(changes.new["row"])
    for chunk_id in chunk_ids.unique().sort():
        of_chunk = changes.new.filter(chunk_ids == chunk_id).drop("xdr_id")
        record_suspense(rated, of_chunk, Origin(again.source, chunk_id, at))


def _with_lines(xdrs: pl.DataFrame, suspense: pl.DataFrame) -> pl.DataFrame:
    """The xDRs with `raw`, the line as received, for those that the suspense is about."""
    about = xdrs[suspense["row"].unique()].select("id", "chunk_id", "line_number")
    chunks = XdrChunk.objects.select_related("file").in_bulk(about["chunk_id"].unique().to_list())
    lines = [
        _received(chunks[chunk_id], part)
        for (chunk_id,), part in about.group_by("chunk_id", maintain_order=True)
    ]
    return xdrs.join(pl.concat(lines), on="id", how="left", maintain_order="left")


def _received(chunk: XdrChunk, xdrs: pl.DataFrame) -> pl.DataFrame:
    """The lines of xDRs of a chunk, as id and raw; empty texts where its file is not kept."""
    try:
        readable = split_lines(chunk_content(chunk), first_line=chunk.first_line).readable
    except OSError:
        return xdrs.select("id", raw=pl.lit(""))
    found = xdrs.join(readable, on="line_number", how="left")
    return found.select("id", pl.col("raw").fill_null(""))
