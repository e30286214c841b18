"""Trying again what suspense holds, once the cause is mended."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import polars as pl
from django.db.models import QuerySet

from audit.services import record
from cdr.models import Suspense, XdrChunk
from cdr.rules.instants import to_microseconds
from cdr.rules.suspense import Suspended
from cdr.services.chunks import record_lines
from cdr.services.mediation import MediatedLines, mediate_lines
from cdr.services.races import run_in_transaction
from cdr.services.recording import Origin
from cdr.services.releasing import STILL_WAITING, release_xdrs
from cdr.services.settling import explain_waiting, resolve
from cdr.services.sources import SourceTerms, source_terms
from common.errors import DomainError

_WAITING = {
    "suspense_id": pl.Int64,
    "line_number": pl.Int64,
    "raw": pl.String,
    "xdr_id": pl.Int64,
    "started_at": pl.Int64,
    "leg_kind": pl.Int8,
    "payer_kind": pl.Int8,
    "payer_id": pl.Int64,
}


class NotUnparsable(DomainError):
    """Only a line that could not be read is corrected; others wait for something else."""


class LineStillUnreadable(DomainError):
    """The corrected text cannot be read or accepted either."""


@dataclass(frozen=True)
class Retried:
    """How many rows of suspense were resolved by a retry, and how many wait on."""

    resolved_count: int
    open_count: int


def retry_suspense(
    *,
    provider_id: int,
    at: datetime,
    actor_id: int | None,
    reasons: Collection[str] | None = None,
    suspense_ids: Collection[int] | None = None,
) -> Retried:
    """Rate what waits by what holds now, and resolve what need not wait any longer.

    All of the provider's open suspense, or that of the given reasons and ids. A whole xDR is
    identified again; a leg keeps the xDR's parties. Released legs are written with their usage
    charges, chunk by chunk in transactions of their own, and never twice. A line that could not be
    read waits until it is corrected.
    """
    rows = Suspense.objects.filter(provider_id=provider_id, state=Suspense.State.OPEN)
    rows = rows.exclude(reason=Suspended.UNPARSABLE)
    if reasons is not None:
        rows = rows.filter(reason__in=list(reasons))
    if suspense_ids is not None:
        rows = rows.filter(pk__in=list(suspense_ids))
    resolved = waiting = 0
    for chunk_id in sorted(set(rows.values_list("chunk_id", flat=True))):
        retried = run_in_transaction(partial(_retry_chunk, rows, chunk_id, at, actor_id))
        resolved += retried.resolved_count
        waiting += retried.open_count
    return Retried(resolved, waiting)


def correct_line(
    *, provider_id: int, suspense_id: int, raw: str, at: datetime, actor_id: int | None
) -> None:
    """Rate an unreadable line by its corrected text; the suspense keeps the line as received.

    :raises NotUnparsable: the row waits for something else, or waits no longer.
    :raises LineStillUnreadable: the corrected text is refused as well; the message says why.
    """
    run_in_transaction(lambda: _correct_line(provider_id, suspense_id, raw, at, actor_id))


def read_correction(line: Suspense, source: SourceTerms, raw: str, at: datetime) -> MediatedLines:
    """The one xDR that the corrected text of a line holds; nothing is written.

    :raises NotUnparsable, LineStillUnreadable: as `correct_line`.
    """
    if line.state != Suspense.State.OPEN or line.reason != Suspended.UNPARSABLE:
        raise NotUnparsable(f"Line {line.line_number} is not waiting to be corrected.")
    mediated = mediate_lines(
        raw.replace("\n", " ").encode(),
        header=line.chunk.file.header,
        first_line=line.line_number,
        source=source,
        at=at,
    )
    if len(mediated.xdrs) != 1:
        why = "; ".join(mediated.waiting["detail"].to_list()) or "it is blank"
        raise LineStillUnreadable(f"Line {line.line_number} as corrected: {why}.")
    return mediated


def _correct_line(
    provider_id: int, suspense_id: int, raw: str, at: datetime, actor_id: int | None
) -> None:
    row = Suspense.objects.select_for_update(of=("self",)).select_related("chunk__file")
    line = row.get(provider_id=provider_id, pk=suspense_id)
    source = source_terms(line.chunk.file.source_id)
    mediated = read_correction(line, source, raw, at)
    record_lines(mediated, Origin(source, line.chunk_id, at), first_line=line.chunk.first_line)
    resolve([suspense_id], at=at)
    record(
        provider_id=provider_id,
        action="suspense.line_corrected",
        changed=line,
        at=at,
        actor_id=actor_id,
        before={"raw": line.raw},
        after={"raw": raw},
    )


def _retry_chunk(
    rows: QuerySet[Suspense], chunk_id: int, at: datetime, actor_id: int | None
) -> Retried:
    chunk = XdrChunk.objects.select_related("file").select_for_update(no_key=True, of=("self",))
    locked = chunk.get(pk=chunk_id)
    waiting = _waiting(rows.filter(chunk_id=chunk_id))
    if waiting.is_empty():
        return Retried(0, 0)
    origin = Origin(source_terms(locked.file.source_id), chunk_id, at)
    lines = waiting.filter(pl.col("xdr_id").is_null())
    xdrs = waiting.filter(pl.col("xdr_id").is_not_null())
    still = pl.concat([_retry_lines(lines, origin, locked), release_xdrs(xdrs, origin)])
    explain_waiting(still)
    resolved = waiting.join(still, on="suspense_id", how="anti")["suspense_id"].to_list()
    resolve(resolved, at=at)
    if resolved:
        record(
            provider_id=locked.provider_id,
            action="suspense.retried",
            changed=locked,
            at=at,
            actor_id=actor_id,
            after={"resolved": len(resolved), "open": len(still)},
        )
    return Retried(len(resolved), len(still))


def _waiting(rows: QuerySet[Suspense]) -> pl.DataFrame:
    """The rows, locked, as columns; instants in microseconds."""
    locked = rows.order_by("pk").select_for_update(of=("self",))
    columns = ("pk", *list(_WAITING)[1:])
    texts = [
        (*row[:4], None if row[4] is None else to_microseconds(row[4]), *row[5:])
        for row in locked.values_list(*columns)
    ]
    return pl.DataFrame(texts, schema=_WAITING, orient="row")


def _retry_lines(lines: pl.DataFrame, origin: Origin, chunk: XdrChunk) -> pl.DataFrame:
    """Read lines that became no xDR once more; gives those that still do not."""
    if lines.is_empty():
        return pl.DataFrame(schema=STILL_WAITING)
    content = "\n".join(lines["raw"].to_list()).encode()
    mediated = mediate_lines(
        content, header=chunk.file.header, first_line=1, source=origin.source, at=origin.at
    )
    places = lines.select(
        "suspense_id", place="line_number", line_number=pl.int_range(1, len(lines) + 1)
    )
    back_in_place = mediated.xdrs.join(places, on="line_number").with_columns(line_number="place")
    nothing_waits = mediated.waiting.clear()
    record_lines(
        replace(mediated, xdrs=back_in_place, waiting=nothing_waits),
        origin,
        first_line=chunk.first_line,
    )
    return mediated.waiting.join(places, on="line_number").select(list(STILL_WAITING))
