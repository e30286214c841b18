"""Ending rows of suspense, and saying anew why others wait."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl
from django.db import connection

from cdr.models import Suspense
from cdr.services.recording import DETAIL_CHARACTERS
from common.statements import execute

WAITS = {
    "suspense_id": pl.Int64,
    "reason": pl.String,
    "detail": pl.String,
    "named_by": pl.String,
    "subject": pl.String,
    "rate_table_id": pl.Int64,
}
"""Columns that say why rows wait."""

_EXPLAIN = """
    UPDATE cdr_suspense s SET reason = w.reason, detail = w.detail, named_by = w.named_by,
        subject = w.subject, rate_table_id = w.rate_table_id
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])
        AS w(id, reason, detail, named_by, subject, rate_table_id)
    WHERE s.id = w.id
"""
_SAY_REPEATED = """
    UPDATE cdr_suspense s
    SET detail = 'it would be xDR ' || w.xdr_id || ' as corrected, which is stored already'
    FROM unnest(%s::bigint[], %s::bigint[]) AS w(id, xdr_id)
    WHERE s.id = w.id
"""


def resolve(suspense_ids: Sequence[int], *, at: datetime) -> None:
    """They need not wait any longer."""
    rows = Suspense.objects.filter(pk__in=suspense_ids)
    rows.update(state=Suspense.State.RESOLVED, resolved_at=at)


def say_repeated(rows: pl.DataFrame) -> None:
    """Say of rows (suspense_id) that they cannot be corrected so, for being known_id then."""
    execute(_SAY_REPEATED, [rows["suspense_id"].to_list(), rows["known_id"].to_list()])


def explain_waiting(waiting: pl.DataFrame) -> None:
    """Say why rows, as WAITS, wait now, which may differ from before."""
    if waiting.is_empty():
        return
    told = waiting.select(list(WAITS)).with_columns(pl.col("detail").str.head(DETAIL_CHARACTERS))
    with connection.cursor() as cursor:
        cursor.execute(_EXPLAIN, [told[column].to_list() for column in WAITS])
