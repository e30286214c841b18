"""What stored xDRs are known by, and where they are kept, once a start or number is corrected."""
# ruff: noqa: S608 - put together from constants, values go by parameters

import polars as pl

from cdr.partitions import ensure_partitions
from cdr.rating.dedup import dedup_keys
from cdr.rules.xdr_keys import PLACE_BITS
from cdr.services.identities import IDENTITY, keep_identities, known_xdrs
from cdr.services.sources import SourceTerms
from common.copying import timestamps
from common.statements import execute, fetch_rows

_RECEIVED = """
    SELECT x.id, replace(x.dedup_key::text, '-', ''), x.duration_seconds,
        x.caller_number, x.destination_number,
        (extract(epoch FROM coalesce(c.received_started_at, x.started_at)) * 1000000)::bigint
    FROM unnest(%s::timestamptz[], %s::bigint[]) AS asked(started_at, id)
    JOIN cdr_xdr x ON x.provider_id = %s AND x.started_at = asked.started_at AND x.id = asked.id
    LEFT JOIN cdr_xdrcorrection c
        ON c.provider_id = x.provider_id AND c.xdr_id = x.id AND c.is_current
    WHERE x.started_at = ANY(%s::timestamptz[])
"""
_AS_RECEIVED = {
    "id": pl.Int64,
    "own_key": pl.String,
    "duration_seconds": pl.Int64,
    "caller_number": pl.String,
    "destination_number": pl.String,
    "started_at": pl.Int64,
}
_CHARGED_BEFORE = """
    SELECT DISTINCT l.xdr_id FROM unnest(%s::timestamptz[], %s::bigint[]) AS asked(started_at, id)
    JOIN cdr_replacedleg l
        ON l.provider_id = %s AND l.started_at = asked.started_at AND l.xdr_id = asked.id
"""
_FORGET = """
    DELETE FROM cdr_xdridentity
    WHERE provider_id = %s AND xdr_id = ANY(%s) AND NOT is_received
"""
_MOVED = "unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS moved(id, old, new)"
_MOVES = (
    f"""
    UPDATE cdr_xdr x SET started_at = moved.new FROM {_MOVED}
    WHERE x.provider_id = %s AND x.started_at = moved.old AND x.id = moved.id
    """,
    f"""
    UPDATE cdr_suspense s SET started_at = moved.new FROM {_MOVED}
    WHERE s.provider_id = %s AND s.chunk_id = moved.id >> {PLACE_BITS} AND s.xdr_id = moved.id
    """,
    f"""
    UPDATE cdr_xdridentity i SET xdr_started_at = moved.new FROM {_MOVED}
    WHERE i.provider_id = %s AND i.xdr_id = moved.id
    """,
)


def identities_of(corrected: pl.DataFrame, source: SourceTerms) -> pl.DataFrame:
    """What corrected xDRs are known by, also as they are stored.

    `corrected` has id, old_start, and started_at, caller_number and destination_number as
    corrected. Gives id, IDENTITY as corrected, old_start and own_key as it is stored, and
    received_start, instants in microseconds UTC. The key is another only where it is of the start
    and the numbers, for want of a call id.
    """
    starts = timestamps(corrected["old_start"]).to_list()
    keys = [starts, corrected["id"].to_list(), source.provider_id]
    rows = fetch_rows(_RECEIVED, [*keys, sorted(set(starts))])
    received = pl.DataFrame(rows, schema=_AS_RECEIVED, orient="row")
    now = received.select("id", "own_key", "duration_seconds").join(
        corrected.select("id", "old_start", "started_at", "caller_number", "destination_number"),
        on="id",
        maintain_order="left",
    )
    is_by_facts = _keys_by_facts(received, source) == received["own_key"]
    by_facts = _keys_by_facts(now, source)
    return now.select(
        "id",
        "started_at",
        "old_start",
        "own_key",
        dedup_key=pl.when(is_by_facts).then(by_facts).otherwise("own_key"),
        received_start=received["started_at"],
    )


def change_is_known(identities: pl.DataFrame) -> bool:
    """Whether any of the xDRs is known by something else than what it is stored under."""
    differs = (pl.col("started_at") != pl.col("old_start")) | (
        pl.col("dedup_key") != pl.col("own_key")
    )
    return bool(identities.select(differs.any()).item())


def _keys_by_facts(xdrs: pl.DataFrame, source: SourceTerms) -> pl.Series:
    nameless = xdrs.with_columns(
        call_id=pl.lit(None, pl.String),
        leg_id=pl.lit(None, pl.String),
    )
    return dedup_keys(nameless, source_id=source.id)


def repeated_xdrs(identities: pl.DataFrame, source: SourceTerms) -> pl.DataFrame:
    """Those of the xDRs that would be another one: id, and its known_start and known_id.

    The other is stored, in the place that one would be moved to perhaps, or before it among them.
    """
    first = identities.sort("id").unique(list(IDENTITY), keep="first", maintain_order=True)
    of_first = first.select(*IDENTITY, known_start="old_start", known_id="id")
    among_them = identities.join(of_first, on=list(IDENTITY)).select(
        "id", "known_start", "known_id"
    )
    moved = identities.select("id", "started_at", dedup_key="own_key")
    said = pl.concat([identities.select("id", *IDENTITY), moved.select("id", *IDENTITY)])
    found = known_xdrs(said, source).select("id", "known_start", "known_id")
    others = pl.concat([found.drop_nulls(), among_them]).filter(pl.col("known_id") != pl.col("id"))
    return others.unique("id", keep="first", maintain_order=True)


def charged_before(xdrs: pl.DataFrame, source: SourceTerms) -> pl.Series:
    """Which of the xDRs (id, started_at) have legs that a re-rating took back: ids.

    Their history is of the start that they had then, hence they keep it.
    """
    keys = [timestamps(xdrs["started_at"]).to_list(), xdrs["id"].to_list()]
    rows = fetch_rows(_CHARGED_BEFORE, [*keys, source.provider_id])
    return pl.Series([xdr_id for (xdr_id,) in rows], dtype=pl.Int64)


def make_known(identities: pl.DataFrame, source: SourceTerms) -> None:
    """Keep what xDRs are known by as corrected, in place of what they were corrected to before.

    Those with another start are moved to it, with all that names them.
    """
    execute(_FORGET, [source.provider_id, identities["id"].to_list()])
    moved = identities.filter(pl.col("started_at") != pl.col("old_start"))
    _move(moved, source)
    named = identities.with_columns(known_id="id", known_start="started_at")
    received = named.filter(pl.col("received_start") != pl.col("started_at")).with_columns(
        started_at="received_start", dedup_key="own_key"
    )
    keep_identities(received, source, is_received=True)
    corrected = named.filter(pl.col("dedup_key") != pl.col("own_key"))
    keep_identities(corrected, source, is_received=False)


def _move(moved: pl.DataFrame, source: SourceTerms) -> None:
    if moved.is_empty():
        return
    months = moved.select(pl.from_epoch("started_at", time_unit="us").dt.date().dt.month_start())
    ensure_partitions(months.to_series().unique())
    values = [moved["id"].to_list()]
    values += [timestamps(moved[name]).to_list() for name in ("old_start", "started_at")]
    for statement in _MOVES:
        execute(statement, [*values, source.provider_id])
