"""xDRs that a re-rating gives to customers whose months go by the order of usage."""

import polars as pl
from django.db import connection

from cdr.models import ReratingSlice
from cdr.services.rating import RatedXdrs
from cdr.services.rating_again import Again
from common.copying import timestamps

_NOTE = """
    INSERT INTO cdr_reratingmove AS m
        (provider_id, rerating_id, started_at, xdr_id, customer_id, is_planned)
    SELECT %s, %s, n.started_at, n.xdr_id, n.customer_id, false
    FROM unnest(%s::timestamptz[], %s::bigint[], %s::bigint[])
        AS n(started_at, xdr_id, customer_id)
    ON CONFLICT (rerating_id, started_at, xdr_id) DO UPDATE
        SET customer_id = excluded.customer_id, is_planned = false
"""


def note_moves(part: ReratingSlice, again: Again) -> None:
    """Keep which xDRs go to customers with allowances or tiers who are not of the slice.

    They belong to these customers' months, whose order they change.
    """
    in_order = again.counting.customer_ids | set(part.rerating.ordered_customer_ids)
    for each in again.batches:
        in_order |= _at_tiers(each.rated)
    strangers = sorted(in_order - set(part.customer_ids))
    for each in again.batches:
        xdrs = each.rated.xdrs
        moved = xdrs.filter(pl.col("customer_id").is_in(strangers))
        if moved.is_empty():
            continue
        columns = [timestamps(moved["started_at"]), moved["id"], moved["customer_id"]]
        values = [column.to_list() for column in columns]
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [part.provider_id, part.rerating_id, *values])


def _at_tiers(rated: RatedXdrs) -> set[int]:
    """The customers whom tiers charge for some of the batch."""
    if rated.tiered is None:
        return set()
    return set(rated.legs.payer_id[rated.tiered.member].tolist())
