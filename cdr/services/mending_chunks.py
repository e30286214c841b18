"""Doing what was asked about suspense, chunk by chunk, each in one transaction."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from django.db import connection
from django.db.models import QuerySet

from cdr.models import Mending, Suspense, XdrChunk
from cdr.rules.instants import to_microseconds
from cdr.rules.mending import KNOWN_BY, Change
from cdr.rules.suspense import Result, Suspended
from cdr.selectors.stored_xdrs import of_xdrs, stored_xdrs
from cdr.services.correcting import corrected_xdrs, record_corrections
from cdr.services.identities import lock_identities
from cdr.services.mending_lines import read_again, store_read
from cdr.services.moving import change_is_known, identities_of, make_known, repeated_xdrs
from cdr.services.recording import Origin
from cdr.services.releasing import release_xdrs
from cdr.services.settling import explain_waiting, resolve, say_repeated
from cdr.services.sources import source_terms
from common.copying import timestamps
from common.scope import Scope
from common.statements import fetch_rows

_ROWS = {
    "suspense_id": pl.Int64,
    "line_number": pl.Int64,
    "raw": pl.String,
    "correction": pl.String,
    "detail": pl.String,
    "xdr_id": pl.Int64,
    "started_at": pl.Int64,
    "leg_kind": pl.Int8,
    "payer_kind": pl.Int8,
    "payer_id": pl.Int64,
    "zone": pl.String,
}
_DECIDE = """
    UPDATE cdr_xdr x SET result = %s
    FROM unnest(%s::timestamptz[], %s::bigint[]) AS w(started_at, id)
    WHERE x.provider_id = %s AND x.started_at = w.started_at AND x.id = w.id AND x.result = %s
      AND x.started_at = ANY(%s::timestamptz[])
    RETURNING x.id
"""
_KEEP_TEXTS = """
    UPDATE cdr_suspense s
    SET correction = CASE WHEN s.raw = w.text THEN '' ELSE w.text END, zone = w.zone
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS w(id, text, zone)
    WHERE s.id = w.id
"""


_WHY = {"suspense_id": pl.Int64, "reason": pl.String}


@dataclass(frozen=True)
class Mended:
    """What became of rows of suspense: how many wait no more, wait on by reason, or were left.

    `left` are of no concern to a correction or a discarding.
    """

    freed: int = 0
    waiting: Mapping[str, int] = field(default_factory=dict)
    left: int = 0


@dataclass(frozen=True)
class _Tried:
    """Rows that wait on (suspense_id, reason), and those that were left; the others are freed."""

    waiting: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_WHY))
    left: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int64))


def mend_chunk(mending: Mending, rows: QuerySet[Suspense], chunk_id: int, at: datetime) -> Mended:
    """Do to the rows of a chunk what was asked; part of a transaction, and safe to repeat.

    The rows are all lines, or all of xDRs: counters and totals are locked once, in one order.
    """
    chunks = XdrChunk.objects.select_related("file").select_for_update(no_key=True, of=("self",))
    chunk = chunks.get(pk=chunk_id)
    chosen = _locked(rows.filter(chunk_id=chunk_id))
    if chosen.is_empty():
        return Mended()
    if mending.kind in (Mending.Kind.DISCARD, Mending.Kind.REOPEN):
        return _decide(mending, chosen, chunk, at)
    origin = Origin(source_terms(chunk.file.source_id), chunk.pk, at)
    parts = _try(mending, chosen, chunk, origin)
    ids = chosen.select("suspense_id")
    waiting = pl.concat([part.waiting for part in parts]).join(ids, on="suspense_id", how="semi")
    left = sum(len(part.left) for part in parts)
    Suspense.objects.filter(pk__in=ids["suspense_id"].to_list()).update(mending=mending)
    reasons = Counter(waiting["reason"].to_list())
    return Mended(len(chosen) - len(waiting) - left, reasons, left)


def _locked(rows: QuerySet[Suspense]) -> pl.DataFrame:
    """The rows, locked, as columns; instants in microseconds."""
    locked = rows.order_by("pk").select_for_update(of=("self",))
    texts = [
        (*row[:6], None if row[6] is None else to_microseconds(row[6]), *row[7:])
        for row in locked.values_list("pk", *list(_ROWS)[1:])
    ]
    return pl.DataFrame(texts, schema=_ROWS, orient="row")


def _of_same_xdrs(xdrs: pl.DataFrame, chunk: XdrChunk, state: str) -> pl.DataFrame:
    """All that waits, or was discarded, of the xDRs that the rows are about."""
    return _locked(
        Suspense.objects.filter(
            provider_id=chunk.provider_id,
            chunk_id=chunk.pk,
            state=state,
            xdr_id__in=xdrs["xdr_id"].unique().to_list(),
        )
    )


def _try(mending: Mending, chosen: pl.DataFrame, chunk: XdrChunk, origin: Origin) -> list[_Tried]:
    change = mending.correction
    is_line = pl.col("xdr_id").is_null()
    lines, xdrs = chosen.filter(is_line), chosen.filter(~is_line)
    if change is None:
        return [_try_lines(mending, lines, origin, chunk), _try_xdrs(xdrs, origin)]
    if change.kind.is_of_lines:
        return [_try_lines(mending, lines, origin, chunk), _Tried(left=xdrs["suspense_id"])]
    whole = _of_same_xdrs(xdrs, chunk, Suspense.State.OPEN)
    left = _Tried(left=lines["suspense_id"])
    return [*_correct_xdrs(mending, change, xdrs, whole, origin), left]


def _try_lines(mending: Mending, lines: pl.DataFrame, origin: Origin, chunk: XdrChunk) -> _Tried:
    if lines.is_empty():
        return _Tried()
    change = mending.correction
    accepts = mending.kind == Mending.Kind.ACCEPT
    read = read_again(lines, origin, chunk, change=change, takes_untimely=accepts)
    still = read.waits
    whole = store_read(read, origin, chunk)
    explain_waiting(still)
    done = read.lines.join(still, on="suspense_id", how="anti")
    resolve(done["suspense_id"].to_list(), at=origin.at)
    waiting = [still.select(list(_WHY)), whole]
    if change is None:
        left = pl.Series(dtype=pl.Int64)
        waiting.append(read.left.select("suspense_id", reason=pl.lit(str(Suspended.UNPARSABLE))))
    else:
        left = read.left["suspense_id"]
        _keep_texts(read.lines)
    return _Tried(pl.concat(waiting), left)


def _keep_texts(lines: pl.DataFrame) -> None:
    """Keep how the lines were read beside those that were received."""
    with connection.cursor() as cursor:
        values = [lines[name].to_list() for name in ("suspense_id", "raw", "zone")]
        cursor.execute(_KEEP_TEXTS, values)


def _try_xdrs(xdrs: pl.DataFrame, origin: Origin) -> _Tried:
    waits = xdrs.with_columns(is_whole=pl.col("leg_kind").is_null())
    return _Tried(_release(waits, origin))


def _correct_xdrs(
    mending: Mending, change: Change, chosen: pl.DataFrame, rows: pl.DataFrame, origin: Origin
) -> list[_Tried]:
    """Of xDRs none of whose legs stand: what stands is changed by re-rating only."""
    stored = _stored(rows, origin.source.provider_id)
    corrected = corrected_xdrs(stored.filter(pl.col("result") == Result.SUSPENDED), change, origin)
    concerned = corrected.filter("is_concerned")
    if change.field in KNOWN_BY:
        concerned = _made_known(concerned, rows, origin)
    record_corrections(concerned, change, provider_id=mending.provider_id, mending_id=mending.pk)
    starts = concerned.select("started_at", xdr_id="id")
    waits = rows.drop("started_at").join(starts, on="xdr_id", maintain_order="left")
    left = chosen.join(starts, on="xdr_id", how="anti")["suspense_id"]
    return [_Tried(_release(waits.with_columns(is_whole=pl.lit(True)), origin), left)]


def _made_known(xdrs: pl.DataFrame, rows: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """The corrected xDRs but those that would be others then, whose rows say so and wait on."""
    if xdrs.is_empty():
        return xdrs
    source = origin.source
    identities = identities_of(xdrs, source)
    if not change_is_known(identities):
        make_known(identities, source)
        return xdrs
    lock_identities(source)
    repeated = repeated_xdrs(identities, source)
    make_known(identities.join(repeated, on="id", how="anti"), source)
    say_repeated(rows.join(repeated, left_on="xdr_id", right_on="id"))
    return xdrs.join(repeated, on="id", how="anti", maintain_order="left")


def _release(waits: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    if waits.is_empty():
        return pl.DataFrame(schema=_WHY)
    released = release_xdrs(waits, origin)
    explain_waiting(released.still)
    done = waits.join(released.still, on="suspense_id", how="anti")
    resolve(done["suspense_id"].to_list(), at=origin.at)
    return pl.concat([released.still.select(list(_WHY)), released.moved_on])


def _decide(mending: Mending, chosen: pl.DataFrame, chunk: XdrChunk, at: datetime) -> Mended:
    """Discard lines, and xDRs none of whose legs stand, or take that back."""
    is_discarded = mending.kind == Mending.Kind.DISCARD
    state = Suspense.State.OPEN if is_discarded else Suspense.State.DISCARDED
    is_line = pl.col("xdr_id").is_null()
    rows = _of_same_xdrs(chosen.filter(~is_line), chunk, state)
    results = (Result.SUSPENDED, Result.DISCARDED)
    before, after = results if is_discarded else results[::-1]
    keys = rows.unique("xdr_id")
    starts, ids = timestamps(keys["started_at"]).to_list(), keys["xdr_id"].to_list()
    of_provider = [chunk.provider_id, int(before), sorted(set(starts))]
    ids_decided = fetch_rows(_DECIDE, [int(after), starts, ids, *of_provider])
    decided = pl.DataFrame(ids_decided, schema={"xdr_id": pl.Int64}, orient="row")
    done = pl.concat([chosen.filter(is_line), rows.join(decided, on="xdr_id", how="semi")])
    Suspense.objects.filter(pk__in=done["suspense_id"].to_list()).update(
        state=Suspense.State.DISCARDED if is_discarded else Suspense.State.OPEN,
        resolved_at=at if is_discarded else None,
        mending=mending,
    )
    freed = len(chosen.join(done, on="suspense_id", how="semi"))
    return Mended(freed, {}, len(chosen) - freed)


def _stored(rows: pl.DataFrame, provider_id: int) -> pl.DataFrame:
    keys = rows.unique("xdr_id")
    chosen = of_xdrs(timestamps(keys["started_at"]).to_list(), keys["xdr_id"].to_list())
    return stored_xdrs(Scope.system(provider_id), chosen)
