"""xDRs that come one by one, rated and committed at once, by the same way as those of files.

Each source has a file a day for them, without any text of its own, and its chunks are open: lines
go on being added until one is full, or some minutes old: its counts tell how many xDRs came when. A
process adds to chunks that it opened itself, so that several never wait for one another; a chunk
that somebody else has locked is left, and another one opened.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import polars as pl
from django.db import connection
from django.db.models import Max

from cdr.models import Source, Suspense, Xdr, XdrChunk, XdrFile
from cdr.rules.instants import from_microseconds
from cdr.rules.xdr_keys import PLACE_BITS
from cdr.services.chunks import LineCounts, newest_start, rate_lines
from cdr.services.identities import known_xdrs
from cdr.services.mediation import MediatedLines, mediate_lines
from cdr.services.rating import RatedXdrs
from cdr.services.recorded_legs import RecordedLeg, recorded_legs
from cdr.services.recording import Origin
from cdr.services.sources import SourceTerms, source_terms
from common.errors import DomainError
from common.statements import execute, fetch_rows

LINES_PER_OPEN_CHUNK = 10_000
OPEN_FOR = timedelta(minutes=10)
MOST_AT_ONCE = 100
"""xDRs of one call: their legs are few enough to be inserted, as web requests must."""


class SourceTakesNoSingleXdrs(DomainError):
    """The source was switched off, or its format is not the one that single xDRs come in."""


_LOCK = """
    SELECT * FROM cdr_lock_open_chunk(
        %(id)s, %(provider_id)s, %(sha256)s, %(most_lines)s, %(opened_after)s)
"""
_ADD_COUNTS = """
    SELECT cdr_add_counts(
        %(id)s, %(lines)s, %(rated)s, %(zero)s, %(duplicate)s, %(suspended)s,
        %(partly_suspended)s, %(blank)s, %(at)s, %(newest)s)
"""


class XdrName(NamedTuple):
    """The start and the id of a stored xDR."""

    started_at: datetime
    id: int


class _OpenChunk(NamedTuple):
    """A chunk that is locked, with the lines it holds so far."""

    id: int
    first_line: int
    line_count: int


class Waiting(NamedTuple):
    """Why an xDR, or one leg of it (`leg_kind`), waits in suspense."""

    reason: str
    detail: str
    leg_kind: int | None


@dataclass(frozen=True)
class Received:
    """What became of one xDR; `name` is None where it waits and is not even stored as one.

    `is_duplicate` says that it was stored before; where its month was taken out of the database
    since, it has neither name nor result. `legs` are those that were stored just now.
    """

    name: XdrName | None
    result: Xdr.Result | None
    is_duplicate: bool = False
    waiting: tuple[Waiting, ...] = ()
    legs: tuple[RecordedLeg, ...] = ()


_open_chunks: dict[int, int] = {}
"""By source, the chunk that this process adds to; what is in it is only known to the database."""


def receive_xdrs(*, source_id: int, lines: Sequence[str], at: datetime) -> list[Received]:
    """Rate and store xDRs, each a line of the format `tollgate-json`; in their order.

    To be called in a transaction that `run_until_won` runs: all are committed at once with their
    legs, usage charges, suspense and counters, or none is. One that is stored already changes
    nothing.

    :raises SourceTakesNoSingleXdrs: the source is disabled or of another format.
    """
    assert 0 < len(lines) <= MOST_AT_ONCE
    assert connection.in_atomic_block
    source = source_terms(source_id)
    if not source.is_enabled or source.format != Source.Format.TOLLGATE_JSON:
        raise SourceTakesNoSingleXdrs(
            f"{source.name} takes no single xDRs: it is disabled, or of another format than"
            f" {Source.Format.TOLLGATE_JSON.value}."
        )
    chunk = _open_chunk(source, at, room=len(lines))
    first_line = chunk.first_line + chunk.line_count
    content = "\n".join(lines).encode()
    mediated = mediate_lines(content, first_line=first_line, source=source, at=at)
    origin = Origin(source, chunk.id, at)
    counts, rated = rate_lines(mediated, origin, first_line=chunk.first_line)
    _add_counts(chunk, counts, rated, len(lines), at)
    _open_chunks[source_id] = chunk.id
    return _received(lines, first_line, mediated, rated, origin)


def _open_chunk(source: SourceTerms, at: datetime, *, room: int) -> _OpenChunk:
    """The chunk to add to, locked; a new one where there is none, it is full or of another day."""
    fingerprint = _fingerprint(source, at)
    locked = fetch_rows(
        _LOCK,
        {
            "id": _open_chunks.get(source.id, 0),
            "provider_id": source.provider_id,
            "sha256": fingerprint,
            "most_lines": LINES_PER_OPEN_CHUNK - room,
            "opened_after": at - OPEN_FOR,
        },
    )
    return _OpenChunk(*locked[0]) if locked else _new_chunk(source, fingerprint, at)


def _fingerprint(source: SourceTerms, at: datetime) -> str:
    """Names the file of a source and day, as no text can that somebody sends."""
    day = at.astimezone(source.day_zone).date()
    return sha256(f"single xDRs of source {source.id} on {day}".encode()).hexdigest()


def _new_chunk(source: SourceTerms, fingerprint: str, at: datetime) -> _OpenChunk:
    XdrFile.objects.bulk_create([_day_file(source, fingerprint, at)], ignore_conflicts=True)
    rows = XdrFile.objects.select_for_update(no_key=True)
    file = rows.get(provider_id=source.provider_id, sha256=fingerprint)
    last = file.chunks.aggregate(number=Max("number"))["number"] or 0
    chunk = XdrChunk.objects.create(
        provider_id=source.provider_id,
        file=file,
        source_id=source.id,
        number=last + 1,
        first_line=last * LINES_PER_OPEN_CHUNK + 1,
        first_byte=0,
        byte_count=0,
        line_count=0,
        state=XdrChunk.State.DONE,
        queued_at=at,
        finished_at=at,
    )
    return _OpenChunk(chunk.pk, chunk.first_line, chunk.line_count)


def _day_file(source: SourceTerms, fingerprint: str, at: datetime) -> XdrFile:
    return XdrFile(
        provider_id=source.provider_id,
        source_id=source.id,
        name=f"One by one, {at.astimezone(source.day_zone):%Y-%m-%d}",
        sha256=fingerprint,
        size_bytes=0,
        state=XdrFile.State.DONE,
        received_at=at,
        finished_at=at,
    )


def _add_counts(
    chunk: _OpenChunk, counts: LineCounts, rated: RatedXdrs | None, lines: int, at: datetime
) -> None:
    added = asdict(counts) | {"lines": lines, "newest": newest_start(rated), "at": at}
    execute(_ADD_COUNTS, added | {"id": chunk.id})


def _received(
    lines: Sequence[str],
    first_line: int,
    mediated: MediatedLines,
    rated: RatedXdrs | None,
    origin: Origin,
) -> list[Received]:
    known = _waiting_lines(mediated.waiting) | ({} if rated is None else _stored(rated))
    return [
        known.get(number) or _stored_before(line, origin)
        for number, line in enumerate(lines, start=first_line)
    ]


def _waiting_lines(lines: pl.DataFrame) -> dict[int, Received]:
    columns = [lines[name].to_list() for name in ("line_number", "reason", "detail")]
    return {
        line: Received(None, Xdr.Result.SUSPENDED, waiting=(Waiting(reason, detail, None),))
        for line, reason, detail in zip(*columns, strict=True)
    }


def _stored(rated: RatedXdrs) -> dict[int, Received]:
    """What was just stored, by line."""
    waiting: dict[int, list[Waiting]] = {}
    suspense = rated.outcome.suspense
    why = [suspense[name].to_list() for name in ("row", "reason", "detail", "leg_kind")]
    for row, reason, detail, leg_kind in zip(*why, strict=True):
        waiting.setdefault(row, []).append(Waiting(reason, detail, leg_kind))
    named = [rated.xdrs[name].to_list() for name in ("line_number", "started_at", "id")]
    rows = zip(*named, strict=True)
    results = rated.outcome.result.tolist()
    legs = recorded_legs(rated)
    return {
        line: Received(
            XdrName(from_microseconds(start), xdr_id),
            Xdr.Result(results[row]),
            waiting=tuple(waiting.get(row, ())),
            legs=tuple(legs.get(row, ())),
        )
        for row, (line, start, xdr_id) in enumerate(rows)
    }


def _stored_before(line: str, origin: Origin) -> Received:
    """The stored xDR that a line repeats."""
    again = mediate_lines(line.encode(), first_line=1, source=origin.source, at=origin.at).xdrs
    [(start, xdr_id)] = known_xdrs(again, origin.source).select("known_start", "known_id").rows()
    named = Xdr.objects.filter(
        provider_id=origin.source.provider_id, started_at=from_microseconds(start), id=xdr_id
    )
    stored = named.only("started_at", "id", "result").first()
    if stored is None:  # its start was corrected into a month that is kept in files by now
        return Received(None, None, is_duplicate=True)
    rows = Suspense.objects.filter(
        provider_id=origin.source.provider_id,
        chunk_id=stored.id >> PLACE_BITS,
        xdr_id=stored.id,
        state=Suspense.State.OPEN,
    ).order_by("pk")
    return Received(
        XdrName(stored.started_at, stored.id),
        Xdr.Result(stored.result),
        is_duplicate=True,
        waiting=tuple(Waiting(*row) for row in rows.values_list("reason", "detail", "leg_kind")),
    )
