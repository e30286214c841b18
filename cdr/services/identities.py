"""Which xDRs are stored already, under their own starts and keys or others they are known by.

An xDR is known by its start and its key. That it is not stored while somebody else makes it known
by a correction is seen to by a lock of its source: whoever stores shares it with all that store,
whoever corrects what xDRs are known by has it alone.
"""

from typing import Any

import polars as pl

from cdr.rating.few import alike
from cdr.rules.instants import from_microseconds
from cdr.services.sources import SourceTerms
from common.copying import timestamps
from common.locks import lock_in_transaction, lock_key
from common.statements import execute, fetch_rows

IDENTITY = {"started_at": pl.Int64, "dedup_key": pl.String}
_LOCK = "identities of xDRs"
_ROWS_READ_PER_XDR = 4
# Sent at once, each with what is committed by the time that it begins.
_STORED_BETWEEN = """
    SELECT pg_advisory_xact_lock_shared(%(lock)s);
    (SELECT (extract(epoch FROM i.started_at) * 1000000)::bigint, i.dedup_key::text, true
     FROM cdr_xdridentity i
     WHERE i.provider_id = %(provider)s AND i.started_at BETWEEN %(first)s AND %(last)s)
    UNION ALL
    (SELECT (extract(epoch FROM x.started_at) * 1000000)::bigint, x.dedup_key::text, false
     FROM cdr_xdr x
     WHERE x.provider_id = %(provider)s AND x.started_at BETWEEN %(first)s AND %(last)s)
    LIMIT %(most)s
"""
_KNOWN = """
    SELECT new.place - 1, (extract(epoch FROM known.started_at) * 1000000)::bigint, known.id
    FROM unnest(%(starts)s::timestamptz[], %(keys)s::uuid[])
        WITH ORDINALITY AS new(started_at, dedup_key, place)
    CROSS JOIN LATERAL (
        SELECT x.started_at, x.id FROM cdr_xdr x
        WHERE x.provider_id = %(provider)s AND x.started_at = new.started_at
          AND x.dedup_key = new.dedup_key
        UNION ALL
        SELECT i.xdr_started_at, i.xdr_id FROM cdr_xdridentity i
        WHERE i.provider_id = %(provider)s AND i.started_at = new.started_at
          AND i.dedup_key = new.dedup_key
        LIMIT 1
    ) AS known
"""
_KEEP = """
    INSERT INTO cdr_xdridentity
        (provider_id, started_at, dedup_key, xdr_started_at, xdr_id, is_received)
    SELECT %s, new.*, %s
    FROM unnest(%s::timestamptz[], %s::uuid[], %s::timestamptz[], %s::bigint[]) AS new
    ON CONFLICT DO NOTHING
"""


def lock_identities(source: SourceTerms) -> None:
    """Have nobody store xDRs of the source, or correct what they are known by, meanwhile."""
    lock_in_transaction(_LOCK, source.id)


def are_stored(xdrs: pl.DataFrame, source: SourceTerms) -> pl.Series:
    """Which of the xDRs were brought before: by one range query over their starts.

    Until the transaction ends, nobody corrects what xDRs of the source are known by.
    Where the range holds far more xDRs than the chunk, each of the chunk is looked up instead.
    """
    if xdrs.is_empty():
        return pl.Series(dtype=pl.Boolean)
    starts = xdrs["started_at"].to_numpy()
    most = _ROWS_READ_PER_XDR * len(xdrs)
    asked: dict[str, Any] = {
        "provider": source.provider_id,
        "first": from_microseconds(int(starts.min())),
        "last": from_microseconds(int(starts.max())),
        "most": most,
        "lock": lock_key(_LOCK, source.id),
    }
    rows = fetch_rows(_STORED_BETWEEN, asked)
    if len(rows) == most:
        return known_xdrs(xdrs, source)["known_id"].is_not_null()
    if not rows:
        return alike("is_stored", False, pl.Boolean, len(xdrs))
    schema = {**IDENTITY, "is_other": pl.Boolean}
    known = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.col("dedup_key").str.replace_all("-", "", literal=True), is_stored=True
    )
    identity = list(IDENTITY)
    if known["is_other"].any():
        known = known.unique(identity)
    found = xdrs.select(identity).join(known, on=identity, how="left", maintain_order="left")
    return found["is_stored"].fill_null(False)


def known_xdrs(identities: pl.DataFrame, source: SourceTerms) -> pl.DataFrame:
    """`identities` (IDENTITY) with known_start and known_id of the xDR stored under each, or null.

    Instants are int64 microseconds UTC.
    """
    asked = {
        "provider": source.provider_id,
        "starts": timestamps(identities["started_at"]).to_list(),
        "keys": identities["dedup_key"].to_list(),
    }
    schema = dict.fromkeys(("place", "known_start", "known_id"), pl.Int64)
    found = pl.DataFrame(fetch_rows(_KNOWN, asked), schema=schema, orient="row")
    placed = identities.with_columns(place=pl.int_range(len(identities), dtype=pl.Int64))
    return placed.join(found, on="place", how="left", maintain_order="left").drop("place")


def keep_identities(identities: pl.DataFrame, source: SourceTerms, *, is_received: bool) -> None:
    """Have xDRs (known_start, known_id) be known by IDENTITY as well; `XdrIdentity.is_received`."""
    if identities.is_empty():
        return
    columns = [
        timestamps(identities["started_at"]),
        identities["dedup_key"],
        timestamps(identities["known_start"]),
        identities["known_id"],
    ]
    execute(_KEEP, [source.provider_id, is_received, *(column.to_list() for column in columns)])
