"""What is found out about a stored xDR, and may be found anew: its parties, tags and result."""

import polars as pl
from django.db import connection

from common.copying import timestamps

FOUND = ["normalised_number", "tags", "customer_id", "vendor_id", "terminating_customer_id"]
"""What identification finds."""

_UPDATE = """
    UPDATE cdr_xdr x SET normalised_number = coalesce(w.number, ''), tags = w.tags,
        customer_id = w.customer_id, vendor_id = w.vendor_id,
        terminating_customer_id = w.called_id, result = w.result
    FROM unnest(%s::timestamptz[], %s::bigint[], %s::smallint[], %s::text[], %s::text[],
                %s::bigint[], %s::bigint[], %s::bigint[])
        AS w(started_at, id, result, number, tags, customer_id, vendor_id, called_id)
    WHERE x.provider_id = %s AND x.started_at = w.started_at AND x.id = w.id
      AND x.started_at = ANY(%s::timestamptz[])
"""


def update_xdrs(rows: pl.DataFrame, provider_id: int) -> None:
    """Give stored xDRs the parties, tags and results of `rows`: started_at, id, result, FOUND."""
    if rows.is_empty():
        return
    values = [rows[column].to_list() for column in ["id", "result", *FOUND]]
    starts = timestamps(rows["started_at"]).to_list()
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [starts, *values, provider_id, sorted(set(starts))])
