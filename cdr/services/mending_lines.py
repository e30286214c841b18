"""Reading lines that became no xDR once more, as they are or corrected."""

from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

import polars as pl

from cdr.importers.chunks import is_no_text
from cdr.models import XdrChunk
from cdr.rating.dedup import is_repeated
from cdr.rules.mending import Change
from cdr.rules.suspense import Result, Suspended
from cdr.services.chunks import rate_lines, received_header
from cdr.services.correcting import corrected_lines
from cdr.services.identities import IDENTITY, keep_identities, known_xdrs, lock_identities
from cdr.services.mediation import MediatedLines, mediate_lines
from cdr.services.rating import RatedXdrs
from cdr.services.recording import Origin
from cdr.services.sources import SourceTerms
from cdr.services.subjects import line_subjects

_KNOWN = ("suspense_id", "known_start", "known_id")


@dataclass(frozen=True, slots=True)
class LinesRead:
    """Lines (suspense_id, line_number, raw, correction, zone, detail) as they are read now.

    `mediated` has them by their place from 1, with the text they were received with; `left` are
    those that the correction does not concern. `received` are the starts and keys (IDENTITY) of the
    lines as they were received, by suspense_id, where these could be read and say another.
    """

    lines: pl.DataFrame
    mediated: MediatedLines
    received: pl.DataFrame
    left: pl.DataFrame

    @property
    def waits(self) -> pl.DataFrame:
        """Those that became no xDR again, and why: WAITS."""
        waiting = line_subjects(self.mediated.waiting).join(self._places, on="line_number")
        return waiting.select(
            "suspense_id",
            "reason",
            "detail",
            named_by=pl.lit(""),
            subject="subject",
            rate_table_id=pl.lit(None, pl.Int64),
        )

    @property
    def xdrs(self) -> pl.DataFrame:
        """Those that are xDRs, with their suspense_id and the line number of their file."""
        found = self.mediated.xdrs.join(self._places, on="line_number")
        return found.with_columns(line_number="place")

    @property
    def _places(self) -> pl.DataFrame:
        return self.lines.select(
            "suspense_id", place="line_number", line_number=pl.int_range(1, len(self.lines) + 1)
        )


def read_again(
    lines: pl.DataFrame,
    origin: Origin,
    chunk: XdrChunk,
    *,
    change: Change | None = None,
    takes_untimely: bool = False,
) -> LinesRead:
    """What lines are by what holds now; nothing is written.

    A line that was corrected before, or the zone of its times, is read as it was corrected to. Of
    what was no text an escaped copy was kept, which is read only where somebody corrects it.
    """
    so_far = lines.with_columns(
        raw=pl.when(pl.col("correction") != "").then("correction").otherwise("raw")
    )
    if change is None:
        changed = so_far.with_columns(is_concerned=~is_no_text(pl.col("detail")))
    else:
        changed = corrected_lines(so_far, change)
    read = changed.filter("is_concerned")
    left = changed.filter(~pl.col("is_concerned"))
    header = received_header(chunk, origin.source)
    mediated = partial(_mediated, header=header, origin=origin)
    now = mediated(read, takes_untimely=takes_untimely)
    if change is not None:
        now = _with_empty(now, read)
    as_received = lines.join(read, on="suspense_id", how="semi", maintain_order="left")
    kept = as_received.select("raw", line_number=pl.int_range(1, len(as_received) + 1))
    xdrs = now.xdrs.drop("raw").join(kept, on="line_number", maintain_order="left")
    received = pl.DataFrame(schema={"suspense_id": pl.Int64, **IDENTITY})
    if read.select((pl.col("zone") != "").any()).item() or not read["raw"].equals(kept["raw"]):
        of_source = as_received.with_columns(zone=pl.lit(""))
        before = mediated(of_source, takes_untimely=True)
        received = _said_otherwise(before.xdrs, now.xdrs, read["suspense_id"])
    return LinesRead(read, replace(now, xdrs=xdrs), received, left)


def _mediated(
    lines: pl.DataFrame, *, header: str, origin: Origin, takes_untimely: bool
) -> MediatedLines:
    """Lines by their place from 1, those of each zone read by themselves."""
    placed = lines.with_columns(place=pl.int_range(1, len(lines) + 1))
    parts = []
    for (zone,), some in placed.group_by("zone", maintain_order=True):
        source = replace(origin.source, zone=ZoneInfo(zone)) if zone else origin.source
        content = "\n".join(some["raw"].to_list()).encode()
        part = mediate_lines(
            content,
            first_line=1,
            source=source,
            at=origin.at,
            header=header,
            takes_untimely=takes_untimely,
        )
        parts.append(_at_places(part, some["place"]))
    if not parts:
        return mediate_lines(b"", first_line=1, source=origin.source, at=origin.at, header=header)
    xdrs = pl.concat([part.xdrs for part in parts]).sort("line_number")
    repeated = is_repeated(xdrs)
    return MediatedLines(
        xdrs=xdrs.filter(~repeated),
        waiting=pl.concat([part.waiting for part in parts]).sort("line_number"),
        repeated=pl.concat(
            [*(part.repeated for part in parts), xdrs["line_number"].filter(repeated)]
        ),
        blank_count=sum(part.blank_count for part in parts),
    )


def _at_places(part: MediatedLines, places: pl.Series) -> MediatedLines:
    def placed(lines: pl.DataFrame) -> pl.DataFrame:
        return lines.with_columns(line_number=places.gather(lines["line_number"] - 1))

    return replace(
        part,
        xdrs=placed(part.xdrs),
        waiting=placed(part.waiting),
        repeated=places.gather(part.repeated - 1),
    )


def _with_empty(mediated: MediatedLines, lines: pl.DataFrame) -> MediatedLines:
    """With lines that hold no xDR as corrected among those that wait: to discard takes a reason."""
    held = [mediated.xdrs["line_number"], mediated.waiting["line_number"], mediated.repeated]
    placed = lines.with_columns(line_number=pl.int_range(1, len(lines) + 1))
    empty = placed.filter(~pl.col("line_number").is_in(pl.concat(held).implode())).select(
        "line_number",
        "raw",
        reason=pl.lit(str(Suspended.UNPARSABLE)),
        detail=pl.lit("it holds no xDR as corrected"),
        started_at=pl.lit(None, pl.Int64),
    )
    return replace(mediated, waiting=pl.concat([mediated.waiting, empty]).sort("line_number"))


def _said_otherwise(
    received: pl.DataFrame, corrected: pl.DataFrame, suspense_ids: pl.Series
) -> pl.DataFrame:
    """The identities that were received where the corrected lines have others."""
    both = received.join(corrected, on="line_number", suffix="_now", maintain_order="left")
    differs = (pl.col("started_at") != pl.col("started_at_now")) | (
        pl.col("dedup_key") != pl.col("dedup_key_now")
    )
    ids = suspense_ids.gather(both["line_number"] - 1)
    return both.with_columns(suspense_id=ids).filter(differs).select("suspense_id", *IDENTITY)


def known_lines(read: LinesRead, source: SourceTerms) -> pl.DataFrame:
    """The lines (suspense_id) that are stored already, and as which xDR: known_start, known_id.

    It makes no difference whether it was stored as received or as corrected.
    """
    said = [read.received, read.xdrs.select("suspense_id", *IDENTITY)]
    found = known_xdrs(pl.concat(said), source).filter(pl.col("known_id").is_not_null())
    return found.unique("suspense_id", keep="first", maintain_order=True).select(_KNOWN)


def store_read(read: LinesRead, origin: Origin, chunk: XdrChunk) -> pl.DataFrame:
    """Store the xDRs among the lines; gives those that wait as a whole: suspense_id and reason.

    Whatever becomes of them, they are known from now on by what was received as well.
    """
    xdrs, received = read.xdrs, read.received
    if not received.is_empty():
        lock_identities(origin.source)
        known = known_xdrs(received, origin.source).filter(pl.col("known_id").is_not_null())
        xdrs = xdrs.join(known, on="suspense_id", how="anti", maintain_order="left")
        received = received.join(known, on="suspense_id", how="anti")
    mediated = replace(
        read.mediated, xdrs=xdrs.drop("suspense_id"), waiting=read.mediated.waiting.clear()
    )
    rated = rate_lines(mediated, origin, first_line=chunk.first_line)[1]
    if not received.is_empty():
        stored = received.join(known_lines(read, origin.source), on="suspense_id")
        keep_identities(stored, origin.source, is_received=True)
    if rated is None:
        return pl.DataFrame(schema={"suspense_id": pl.Int64, "reason": pl.String})
    return _waiting_whole(rated).join(read.xdrs, on="line_number").select("suspense_id", "reason")


def _waiting_whole(rated: RatedXdrs) -> pl.DataFrame:
    """The xDRs none of whose legs stand (line_number) with the first reason why."""
    suspense = rated.outcome.suspense
    lines = rated.xdrs["line_number"].gather(suspense["row"])
    is_whole = pl.Series(rated.outcome.result == Result.SUSPENDED).gather(suspense["row"])
    return (
        suspense.select("reason", line_number=lines, is_whole=is_whole)
        .filter("is_whole")
        .unique("line_number", keep="first", maintain_order=True)
    )
