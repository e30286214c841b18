"""From the lines of a chunk to xDRs that can be identified and rated."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from cdr.importers.chunks import MAX_LINE_BYTES, ParsedChunk, no_rejected
from cdr.importers.formats import ADAPTERS
from cdr.importers.layout import TEXTS
from cdr.models import Xdr
from cdr.rating.dedup import BREAK, KEYED_TEXTS, dedup_keys, is_repeated
from cdr.rating.dial_plans import DialPlan, normalise
from cdr.rating.few import FEW, alike, with_columns
from cdr.rules.instants import to_microseconds
from cdr.rules.suspense import Suspended
from cdr.services.sources import SourceTerms

MOST_IN_FUTURE = timedelta(hours=24)
"""A switch's clock may run ahead, or its zone be wrong, by no more."""

_FIRST_INSTANT, _LAST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_WAITING = {
    "line_number": pl.Int64,
    "raw": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "started_at": pl.Int64,
}
_KEPT_TEXTS = (*(name for name in TEXTS if name != "tags"), "received_tags")
_WIDTHS = {
    field.name: field.max_length
    for field in Xdr._meta.local_fields
    if field.name in _KEPT_TEXTS and field.name != "hangup_cause" and field.max_length
}
_UNFIT = {
    f"{name} has more than {width} characters": pl.col(name).str.len_chars() > width
    for name, width in _WIDTHS.items()
} | {
    f"{name} holds the control character U+001F": pl.col(name).str.contains(BREAK, literal=True)
    for name in KEYED_TEXTS
}
_READ_AS = {"received_tags": "tags"}
_CAUSE_CHARACTERS = Xdr._meta.get_field("hangup_cause").max_length


@dataclass(frozen=True, slots=True)
class MediatedLines:
    """What the lines of a chunk became; each is in `xdrs`, `waiting`, a duplicate or blank.

    `xdrs` has line_number, raw, dedup_key, the texts as received, started_at (int64 microseconds
    UTC), duration_seconds and volume (int64, billable seconds). `waiting` has line_number, raw,
    reason, detail and started_at. `repeated` are the line numbers of duplicates.
    """

    xdrs: pl.DataFrame
    waiting: pl.DataFrame
    repeated: pl.Series
    blank_count: int

    @property
    def duplicate_count(self) -> int:
        """How many lines say again what another of them said."""
        return len(self.repeated)


def mediate_lines(
    content: bytes,
    *,
    first_line: int,
    source: SourceTerms,
    at: datetime,
    header: str = "",
    takes_untimely: bool = False,
) -> MediatedLines:
    """Parse, leave out what repeats, and set aside what cannot be an xDR of this time.

    `header` has the lines of the file that name its columns, where its format has some. What
    `takes_untimely` is of any time but of months that were retired.
    """
    parsed = _parse(content, header=header, first_line=first_line, source=source)
    records, unfit = _without_unfit(parsed.records)
    keyed = records.hstack([dedup_keys(records, source_id=source.id)])
    repeated = is_repeated(keyed)
    once = keyed.filter(~repeated) if repeated.any() else keyed
    bounds = widest_bounds(source) if takes_untimely else _bounds(source, at)
    timely, untimely = _without_untimely(once, *bounds)
    unread = [_unparsable(each) for each in (parsed.rejected, unfit) if len(each)]
    waiting = pl.concat([*unread, untimely]).sort("line_number") if unread else untimely
    return MediatedLines(
        xdrs=timely,
        waiting=waiting,
        repeated=keyed["line_number"].filter(repeated),
        blank_count=parsed.blank_lines,
    )


def normalise_numbers(xdrs: pl.DataFrame, source: SourceTerms) -> pl.DataFrame:
    """`xdrs` with normalised_number, caller_e164 and its trunk; null where there is none.

    The trunk is trunk_vendor_id and trunk_tags.
    """
    plan = DialPlan(country_prefix=source.country_prefix)
    trunks = list(source.trunks.values())
    places = {tech_prefix: place for place, tech_prefix in enumerate(source.trunks)}
    called = normalise(xdrs["destination_number"], plan=plan, tech_prefixes=places)
    calling = normalise(xdrs["caller_number"], plan=plan)
    vendor_ids = alike("trunk_vendor_id", None, pl.Int64, len(xdrs))
    tags = alike("trunk_tags", None, pl.String, len(xdrs))
    if trunks:
        place = called["trunk"]
        vendors = pl.Series([trunk.vendor_id for trunk in trunks], dtype=pl.Int64)
        vendor_ids = vendors.gather(place).alias("trunk_vendor_id")
        texts = pl.Series([trunk.tags or None for trunk in trunks], dtype=pl.String)
        tags = texts.gather(place).alias("trunk_tags")
    found = [
        called["number"].alias("normalised_number"),
        vendor_ids,
        tags,
        calling["number"].alias("caller_e164"),
    ]
    return with_columns(xdrs, found)


def _parse(content: bytes, *, header: str, first_line: int, source: SourceTerms) -> ParsedChunk:
    adapter = ADAPTERS[source.format]
    parsed = adapter.parse(
        content, first_line=first_line, reading=source.reading(header, source.mapping)
    )
    # Nothing is used that was not answered, whatever the switch counted.
    billable, answered_at = parsed.records["billable_seconds"], parsed.records["answered_at"]
    if answered_at.null_count():
        billable = billable.set(answered_at.is_null(), 0)
    kept = {name: parsed.records[_READ_AS.get(name, name)] for name in _KEPT_TEXTS}
    kept["hangup_cause"] = _shortened(kept["hangup_cause"])
    records = pl.DataFrame(
        [
            parsed.records["line_number"],
            parsed.records["raw"],
            *(column.alias(name) for name, column in kept.items()),
            parsed.records["started_at"],
            parsed.records["duration_seconds"],
            billable.alias("volume"),
        ]
    )
    return ParsedChunk(records, parsed.rejected, parsed.blank_lines)


def _shortened(causes: pl.Series) -> pl.Series:
    """What was said of why calls ended, as far as there is room to keep it."""
    if len(causes) <= FEW:
        return pl.Series([said and said[:_CAUSE_CHARACTERS] for said in causes], dtype=pl.String)
    return causes.str.slice(0, _CAUSE_CHARACTERS)


def _without_unfit(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records whose texts fit their columns and keys, and the lines of the others with why."""
    if len(records) <= FEW and not _has_unfit(records):
        return records, no_rejected()
    unfit = records.select(pl.any_horizontal(_UNFIT.values()).fill_null(False)).to_series()
    if not unfit.any():
        return records, no_rejected()
    reason = pl.coalesce(
        pl.when(condition).then(pl.lit(reason)) for reason, condition in _UNFIT.items()
    )
    lines = records.filter(unfit).select("line_number", "raw", reason.alias("reason"))
    return records.filter(~unfit), lines


def _has_unfit(records: pl.DataFrame) -> bool:
    return any(
        len(text) > width or (BREAK in text and name in KEYED_TEXTS)
        for name, width in _WIDTHS.items()
        for text in records[name].to_list()
        if text
    )


def _bounds(source: SourceTerms, at: datetime) -> tuple[datetime, datetime]:
    """Between which instants an xDR that comes now has started."""
    oldest = at - source.oldest
    return max(oldest, source.not_before or oldest), at + MOST_IN_FUTURE


def widest_bounds(source: SourceTerms) -> tuple[datetime, datetime]:
    """Between which instants an xDR has started that is stored at all."""
    return source.not_before or _FIRST_INSTANT, _LAST_INSTANT


def _without_untimely(
    records: pl.DataFrame, oldest: datetime, latest: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records whose start can be true, and the lines of the others with the reason."""
    first, last = to_microseconds(oldest), to_microseconds(latest)
    starts = records["started_at"].to_numpy()
    if not ((starts < first) | (starts > last)).any():
        return records, pl.DataFrame(schema=_WAITING)
    started_at = pl.col("started_at")
    too_old, in_future = started_at < first, started_at > last
    untimely = records.filter(too_old | in_future)
    waiting = untimely.select(
        "line_number",
        "raw",
        reason=pl.when(too_old)
        .then(pl.lit(str(Suspended.TOO_OLD)))
        .otherwise(pl.lit(str(Suspended.IN_FUTURE))),
        detail=pl.when(too_old)
        .then(pl.lit(f"started before {oldest:%Y-%m-%d %H:%M:%S} UTC"))
        .otherwise(pl.lit(f"starts after {latest:%Y-%m-%d %H:%M:%S} UTC")),
        started_at=started_at,
    )
    return records.filter(~(too_old | in_future)), waiting


def _unparsable(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.select(
        "line_number",
        pl.col("raw").str.slice(0, MAX_LINE_BYTES),
        reason=pl.lit(str(Suspended.UNPARSABLE)),
        detail="reason",
        started_at=pl.lit(None, pl.Int64),
    )
