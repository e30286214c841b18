"""Reading lines that became no xDR once more, as they are or corrected."""

from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

import polars as pl

from cdr.importers.chunks import is_no_text
from cdr.models import XdrChunk
from cdr.rules.mending import Change, ChangeKind
from cdr.rules.suspense import Result
from cdr.services.chunks import rate_lines, received_header
from cdr.services.correcting import corrected_lines
from cdr.services.mediation import MediatedLines, mediate_lines
from cdr.services.rating import RatedXdrs
from cdr.services.recording import Origin
from cdr.services.subjects import line_subjects

_IS_CORRECTED = pl.col("correction") != ""


@dataclass(frozen=True, slots=True)
class LinesRead:
    """Lines (suspense_id, line_number, raw, correction, detail) as they are read now.

    `mediated` has them by their place from 1, with the key and the text they were received with;
    `left` are those that the correction does not concern.
    """

    lines: pl.DataFrame
    mediated: MediatedLines
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

    A line that was corrected before is read as it was corrected to. Of what was no text an escaped
    copy was kept, which is read only where somebody corrects it.
    """
    so_far = lines.with_columns(raw=pl.when(_IS_CORRECTED).then("correction").otherwise("raw"))
    if change is None:
        changed = so_far.with_columns(is_concerned=~is_no_text(pl.col("detail")))
    else:
        changed = corrected_lines(so_far, change)
    read = changed.filter("is_concerned")
    left = changed.filter(~pl.col("is_concerned"))
    source = origin.source
    if change is not None and change.kind is ChangeKind.ZONE:
        source = replace(source, zone=ZoneInfo(change.new_text))
    header = received_header(chunk, source)

    mediated = partial(mediate_lines, header=header, first_line=1, at=origin.at)
    now = mediated(_content(read), source=source, takes_untimely=takes_untimely)
    received = lines.join(read, on="suspense_id", how="semi", maintain_order="left")
    if change is not None or received.select(_IS_CORRECTED.any()).item():
        before = mediated(_content(received), source=origin.source, takes_untimely=True)
        now = replace(now, xdrs=_with_received_keys(now.xdrs, before.xdrs))
    kept = received.select("raw", line_number=pl.int_range(1, len(received) + 1))
    xdrs = now.xdrs.drop("raw").join(kept, on="line_number", maintain_order="left")
    return LinesRead(read, replace(now, xdrs=xdrs), left)


def _content(lines: pl.DataFrame) -> bytes:
    return "\n".join(lines["raw"].to_list()).encode()


def _with_received_keys(xdrs: pl.DataFrame, received: pl.DataFrame) -> pl.DataFrame:
    """The xDRs under the keys of their lines as received, where these could be read."""
    known = received.select("line_number", received_key="dedup_key")
    keyed = xdrs.join(known, on="line_number", how="left", maintain_order="left")
    key = pl.coalesce("received_key", "dedup_key")
    return keyed.with_columns(dedup_key=key).drop("received_key")


def store_read(read: LinesRead, origin: Origin, chunk: XdrChunk) -> pl.DataFrame:
    """Store the xDRs among the lines; gives those that wait as a whole: suspense_id and reason."""
    mediated = replace(
        read.mediated, xdrs=read.xdrs.drop("suspense_id"), waiting=read.mediated.waiting.clear()
    )
    rated = rate_lines(mediated, origin, first_line=chunk.first_line)[1]
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
