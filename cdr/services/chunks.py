"""Rating one chunk of a file: one transaction from its lines to its usage charges."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl
from django.db import connection
from numpy.typing import NDArray

from cdr.importers.chunks import CHUNK_BYTES, first_lines, read_chunks
from cdr.importers.formats import ADAPTERS
from cdr.models import XdrChunk, XdrFile
from cdr.rules.instants import from_microseconds
from cdr.rules.parties import Charge
from cdr.rules.suspense import Result
from cdr.rules.xdr_keys import PLACE_BITS
from cdr.services import stores
from cdr.services.allowances import count_usage
from cdr.services.identities import are_stored
from cdr.services.mediation import MediatedLines, mediate_lines
from cdr.services.races import run_in_transaction
from cdr.services.rating import RatedXdrs, identify_xdrs, rate_xdrs
from cdr.services.recording import (
    Origin,
    record_legs,
    record_suspense,
    record_waiting_lines,
    record_xdrs,
)
from cdr.services.sources import SourceTerms, source_terms
from cdr.services.stored_parties import update_xdrs
from common.tries import UNTRIED


@dataclass(frozen=True, slots=True)
class LineCounts:
    """What lines became; each is in one of all but `partly_suspended`, a part of the rated."""

    rated: int = 0
    zero: int = 0
    duplicate: int = 0
    suspended: int = 0
    partly_suspended: int = 0
    blank: int = 0


def rate_chunk(*, chunk_id: int, at: datetime) -> bool:
    """Rate the lines of a WAITING chunk and mark it DONE; False if there is nothing to do.

    Everything the chunk brings is committed at once or not at all, and the chunk is locked the
    while, so that repeating the call, at the same time too, changes nothing. The last chunk of a
    file ends it; a file whose stored text is gone becomes FAILED, and one that is only not to
    be had on this machine is left to others.
    """
    return run_in_transaction(lambda: _rate_locked(chunk_id, at))


def _rate_locked(chunk_id: int, at: datetime) -> bool:
    chunks = XdrChunk.objects.select_for_update(no_key=True, of=("self",)).select_related("file")
    chunk = chunks.get(pk=chunk_id)
    if chunk.state != XdrChunk.State.WAITING:
        return False
    try:
        content = chunk_content(chunk)
    except OSError as error:
        stores.note_unreadable(chunk.file, error)
        return False
    source = source_terms(chunk.file.source_id)
    mediated = mediate_lines(
        content, header=chunk.file.header, first_line=chunk.first_line, source=source, at=at
    )
    origin = Origin(source, chunk_id, at)
    counts, rated = rate_lines(mediated, origin, first_line=chunk.first_line)
    _finish(chunk, counts, newest_start(rated), at)
    return True


def received_header(chunk: XdrChunk, source: SourceTerms) -> str:
    """The lines in front of a chunk's file that name its columns, as its source is read now."""
    count = ADAPTERS[source.format].header_lines(source.mapping)
    if count == len(chunk.file.header.split("\n") if chunk.file.header else []):
        return chunk.file.header
    try:
        return "\n".join(first_lines(stores.text_path(chunk.file), count))
    except OSError:
        return chunk.file.header


def chunk_content(chunk: XdrChunk) -> bytes:
    """The lines of a chunk as received.

    :raises OSError: the stored file is gone, or not on this machine.
    """
    path = stores.text_path(chunk.file)
    if chunk.byte_count <= CHUNK_BYTES:
        with path.open("rb") as text:
            text.seek(chunk.first_byte)
            return text.read(chunk.byte_count)
    # Its last line goes on beyond all bounds: read so that only the beginning of it is kept.
    pieces = read_chunks(
        path,
        max_bytes=chunk.first_byte + chunk.byte_count,
        lines=chunk.line_count,
        first_line=chunk.first_line,
        offset=chunk.first_byte,
    )
    return next(pieces).content


def record_lines(mediated: MediatedLines, origin: Origin, *, first_line: int) -> LineCounts:
    """Rate and store what is not stored yet of the lines of a chunk, suspend what must wait."""
    return rate_lines(mediated, origin, first_line=first_line)[0]


def rate_lines(
    mediated: MediatedLines, origin: Origin, *, first_line: int
) -> tuple[LineCounts, RatedXdrs | None]:
    """As `record_lines`; with what was stored, None where nothing was."""
    record_waiting_lines(mediated.waiting, origin)
    stored = are_stored(mediated.xdrs, origin.source)
    fresh = mediated.xdrs.filter(~stored) if stored.any() else mediated.xdrs
    counts = LineCounts(
        duplicate=mediated.duplicate_count + int(stored.sum()),
        suspended=len(mediated.waiting),
        blank=mediated.blank_count,
    )
    if fresh.is_empty():
        return counts, None
    place = fresh["line_number"].to_numpy() - first_line
    numbered = fresh.hstack([pl.Series("id", place + (origin.chunk_id << PLACE_BITS))])
    rated = rate_xdrs(identify_xdrs(numbered, origin.source), origin.source)
    record_xdrs(rated, origin)
    uncounted = _uncounted(rated, origin.source)
    record_legs(rated, origin, stands=rated.outcome.stands & uncounted, number=rated.legs.number)
    # As late as can be: who waits for the same counters waits for this transaction's end.
    before, rated = rated, count_usage(rated, origin.source)
    _take_back_results(before, rated, origin)
    record_legs(rated, origin, stands=rated.outcome.stands & ~uncounted, number=rated.legs.number)
    record_suspense(rated, rated.outcome.suspense, origin)
    return _counted(rated, counts), rated


def _uncounted(rated: RatedXdrs, source: SourceTerms) -> NDArray[np.bool_]:
    """The legs that are written before anything is counted, which changes those of customers only.

    None of a single xDR, nor where nothing is counted: then one statement writes all of them.
    """
    if len(rated.xdrs) == 1 or not (source.has_allowances or rated.tiered is not None):
        return np.full(len(rated.legs.row), False)
    uncounted: NDArray[np.bool_] = rated.legs.charge != Charge.CUSTOMER
    return uncounted


def _take_back_results(before: RatedXdrs, counted: RatedXdrs, origin: Origin) -> None:
    """Correct xDRs stored as rated whose only leg waits, for counting made it too dear."""
    changed = before.outcome.result != counted.outcome.result
    if changed.any():
        results = counted.xdrs.with_columns(result=pl.Series(counted.outcome.result))
        update_xdrs(results.filter(pl.Series(changed)), origin.source.provider_id)


def _counted(rated: RatedXdrs, before: LineCounts) -> LineCounts:
    result = rated.outcome.result
    suspense = rated.outcome.suspense
    if suspense.is_empty():
        return replace(before, rated=_count(result, Result.RATED), zero=_count(result, Result.ZERO))
    waiting = np.unique(suspense["row"].to_numpy()[suspense["leg_kind"].is_not_null().to_numpy()])
    return LineCounts(
        rated=_count(result, Result.RATED),
        zero=_count(result, Result.ZERO),
        duplicate=before.duplicate,
        suspended=before.suspended + _count(result, Result.SUSPENDED),
        partly_suspended=int((result[waiting] == Result.RATED).sum()),
        blank=before.blank,
    )


def _count(results: NDArray[np.int8], result: Result) -> int:
    return int(np.count_nonzero(results == result))


def newest_start(rated: RatedXdrs | None) -> datetime | None:
    """The latest start of the xDRs that were stored; None where none was."""
    if rated is None:
        return None
    return from_microseconds(int(rated.xdrs["started_at"].to_numpy().max()))


def _finish(chunk: XdrChunk, counts: LineCounts, newest: datetime | None, at: datetime) -> None:
    XdrChunk.objects.filter(pk=chunk.pk).update(
        **UNTRIED,
        state=XdrChunk.State.DONE,
        finished_at=at,
        newest_started_at=newest,
        rated_count=counts.rated,
        zero_count=counts.zero,
        duplicate_count=counts.duplicate,
        suspended_count=counts.suspended,
        partly_suspended_count=counts.partly_suspended,
        blank_count=counts.blank,
    )
    end_file(chunk.file_id, at)


def end_file(file_id: int, at: datetime) -> None:
    """End a file no chunk of which waits: DONE, or FAILED where chunks were given up."""
    # Locked before counting: of two last chunks that end together, the second sees the first done.
    file = XdrFile.objects.select_for_update(no_key=True).get(pk=file_id)
    chunks = file.chunks.order_by("number")
    if chunks.filter(state=XdrChunk.State.WAITING).exists():
        _commit_without_waiting()
        return
    if (failed := chunks.filter(state=XdrChunk.State.FAILED).first()) is not None:
        file.mark_failed(
            f"Lines {failed.first_line} to {failed.first_line + failed.line_count - 1} were tried"
            f" five times and could not be rated: {failed.try_error}."
        )
        return
    file.state, file.error, file.finished_at = XdrFile.State.DONE, "", at
    file.save(update_fields=["state", "error", "finished_at"])


def _commit_without_waiting() -> None:
    """Let the transaction end before it is on disk, which whatever commits later waits for.

    A crash of the server may leave the chunk waiting, with nothing of it stored: it is rated again
    (docs/adr/0018). The end of its file is waited for, and with it the end of all its chunks.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
