"""From the fields of lines to records, by what each column of a format means."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from cdr.importers.chunks import Lines, ParsedChunk, no_rejected
from cdr.importers.clocks import Clock
from cdr.importers.measures import MAX_SECONDS, Measure, WholeSeconds, rounded
from cdr.importers.reading import Reading
from cdr.importers.stamps import to_instants
from cdr.rating.networks import canonical_addresses

SHOWN_CHARACTERS = 60
TEXTS = (
    "call_id",
    "leg_id",
    "account_code",
    "trunk",
    "caller_ip",
    "caller_number",
    "destination_number",
    "hangup_cause",
    "tags",
)
STAMPS = ("started_at", "answered_at", "ended_at")

# Switches write the Unix epoch, in local time or as a zero, for a call that was never answered.
_EPOCH_ENDS = 2 * 86_400 * 1_000_000


@dataclass(frozen=True)
class Layout:
    """Which column of the fields is what of a record; the rest follows from what is there.

    `texts` and `stamps` give the column for some of TEXTS and STAMPS; `started_at` is needed.
    `duration` is the column of the whole call's seconds, `billable` that of the volume used. Where
    there is no end, it is the start and the duration; no duration, the time from start to end; no
    volume, the time from answer to end. Without a column of answers whatever has a volume was
    answered when it started. A volume that `is_time` tells how long it took, too. `places` names a
    column in reasons; `required` texts must not be empty.
    """

    texts: Mapping[str, str]
    stamps: Mapping[str, str]
    clock: Clock
    duration: str | None = None
    billable: str | None = None
    measure: Measure = field(default_factory=WholeSeconds)
    is_time: bool = True
    places: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    @property
    def quantities(self) -> dict[str, str]:
        """The columns of quantities by what they are in a record."""
        named = {"duration_seconds": self.duration, "billable_seconds": self.billable}
        return {name: column for name, column in named.items() if column is not None}

    def place(self, column: str) -> str:
        """How reasons name a column."""
        return self.places.get(column, f"column {column}")


def positional(columns: tuple[str, ...]) -> dict[str, str]:
    """Places of columns that have no header: by their number from 1, and what they are called."""
    return {name: f"column {number} ({name})" for number, name in enumerate(columns, start=1)}


def parsed_chunk(
    lines: Lines,
    fields: pl.DataFrame,
    misshapen: pl.DataFrame,
    layout: Layout,
    reading: Reading,
    *,
    passed_over: int = 0,
) -> ParsedChunk:
    """The records of a chunk of which `fields` were split and `misshapen` could not be.

    `passed_over` is of how many lines there are that hold no record, by their form.
    """
    records, faulty = read_records(fields, layout, reading)
    columns = ("line_number", "raw", "reason")
    rejected = [each.select(columns) for each in (lines.rejected, misshapen, faulty)]
    empty = lines.blank_count + passed_over
    return ParsedChunk(records, pl.concat(rejected).sort("line_number"), empty)


def read_records(
    fields: pl.DataFrame, layout: Layout, reading: Reading
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records of lines split into text columns, and the lines (with reason) that are none.

    `fields` has line_number, raw and the columns that the layout names. Columns of the records:
    line_number, raw, TEXTS (null where empty), STAMPS (int64 microseconds UTC, null for unknown
    or never), duration_seconds and billable_seconds (int64).
    """
    typed = fields.with_columns(
        *(_text_of(layout, name).alias(name) for name in TEXTS),
        *(_stamp(layout, name).alias(name) for name in STAMPS),
        *(
            layout.measure.read(column, reading.rounding).alias(name)
            for name, column in layout.quantities.items()
        ),
    )
    never = pl.col("answered_at").dt.epoch("us") < _EPOCH_ENDS
    typed = _with_instants(typed.with_columns(is_never=never.fill_null(False)), layout, reading)
    completed = typed.with_columns(answered_at=_answered()).with_columns(
        **_derived(layout, reading)
    )
    return _without_faults(completed, layout, reading)


def _text_of(layout: Layout, name: str) -> pl.Expr:
    column = layout.texts.get(name)
    if column is None:
        return pl.lit(None, pl.String)
    text = pl.when(pl.col(column) != "").then(column)
    if name == "caller_ip":
        return text.map_batches(canonical_addresses, return_dtype=pl.String)
    return text


def _stamp(layout: Layout, name: str) -> pl.Expr:
    column = layout.stamps.get(name)
    return pl.lit(None, pl.Datetime("us")) if column is None else layout.clock.read(column)


def _with_instants(typed: pl.DataFrame, layout: Layout, reading: Reading) -> pl.DataFrame:
    if not layout.clock.is_local:
        return typed.with_columns(pl.col(name).dt.epoch("us") for name in STAMPS)
    if layout.duration is None:
        typed = typed.with_columns(duration_seconds=pl.lit(None, pl.Int64))
    instants = typed.with_columns(to_instants(typed, reading.zone))
    says_utc = layout.clock.says_utc(layout.stamps["started_at"])
    if says_utc is None:
        return instants
    of_utc = typed.select(pl.col(name).dt.epoch("us").alias(f"{name}_utc") for name in STAMPS)
    return instants.hstack(of_utc).with_columns(
        pl.when(says_utc).then(f"{name}_utc").otherwise(name).alias(name) for name in STAMPS
    )


def _answered() -> pl.Expr:
    return pl.when(pl.col("answered_at") >= _EPOCH_ENDS).then("answered_at")


def _derived(layout: Layout, reading: Reading) -> dict[str, pl.Expr]:
    """What no column says, from what others do."""
    started_at, ended_at = pl.col("started_at"), pl.col("ended_at")
    answered_at = pl.col("answered_at")
    derived = {}
    if layout.billable is None and layout.duration is None:
        talked = pl.when(answered_at <= ended_at).then(ended_at - answered_at).otherwise(0)
        derived["billable_seconds"] = rounded(talked, reading.rounding)
    elif layout.billable is None:
        derived["billable_seconds"] = pl.col("duration_seconds")
    if layout.duration is None and "ended_at" in layout.stamps:
        lasted = pl.when(started_at <= ended_at).then(ended_at - started_at)
        derived["duration_seconds"] = rounded(lasted, reading.rounding)
    elif layout.duration is None:
        volume = derived.get("billable_seconds", pl.col("billable_seconds"))
        derived["duration_seconds"] = volume if layout.is_time else pl.lit(0, pl.Int64)
    if "ended_at" not in layout.stamps:
        length = derived.get("duration_seconds", pl.col("duration_seconds"))
        derived["ended_at"] = started_at + length * 1_000_000
    if "answered_at" not in layout.stamps:
        volume = derived.get("billable_seconds", pl.col("billable_seconds"))
        derived["answered_at"] = pl.when(volume > 0).then(started_at)
    return derived


def _without_faults(
    records: pl.DataFrame, layout: Layout, reading: Reading
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The good records, without the columns as written, and the rejected lines."""
    faults = _faults(layout, reading)
    conditions = [condition for condition, _ in faults]
    faulty = records.select(pl.any_horizontal(conditions).fill_null(False)).to_series()
    kept = ["line_number", "raw", *TEXTS, *STAMPS, "duration_seconds", "billable_seconds"]
    if not faulty.any():
        return records.select(kept), no_rejected()
    reason = pl.coalesce([pl.when(condition).then(text) for condition, text in faults])
    # In one piece: of several, filtering leaves some empty, and pl.format panics (Polars 1.44).
    lines = records.filter(faulty).rechunk()
    rejected = lines.select("line_number", "raw", reason.alias("reason"))
    return records.filter(~faulty).select(kept), rejected


def _faults(layout: Layout, reading: Reading) -> list[tuple[pl.Expr, pl.Expr]]:
    """What a record must not have, each with its reason, the one to be told first in front."""
    start, answer, end = (pl.col(name) for name in STAMPS)
    faults = [
        (pl.col(name).is_null(), pl.lit(f"{layout.place(layout.texts[name])} is empty"))
        for name in layout.required
    ]
    for name in layout.stamps:
        column = layout.stamps[name]
        untimed = pl.col(name).is_null()
        if name == "answered_at":
            # Unless it was never answered, which switches write in several ways.
            untimed &= (pl.col(column) != "") & ~pl.col("is_never")
        faults.append((untimed, _time_reason(layout, column, reading)))
    faults += [
        (pl.col(name).is_null(), _reason(layout, column, f"is not {layout.measure.expected}"))
        for name, column in layout.quantities.items()
    ]
    if "ended_at" in layout.stamps:
        faults.append(
            (end < start, _reason(layout, layout.stamps["ended_at"], "is before the start"))
        )
    if "answered_at" in layout.stamps:
        outside = (answer < start) | (answer > end)
        what = "is not between start and end"
        faults.append((outside, _reason(layout, layout.stamps["answered_at"], what)))
    length = pl.col("duration_seconds")
    return [*faults, (length > MAX_SECONDS, pl.lit("it lasts longer than 68 years"))]


def _time_reason(layout: Layout, column: str, reading: Reading) -> pl.Expr:
    unreadable = _reason(layout, column, f"is not a time like {layout.clock.example}")
    if not layout.clock.is_local:
        return unreadable
    skipped = f"was skipped when clocks in {reading.zone.key} were put forward"
    is_unreadable = layout.clock.read(column).is_null()
    return pl.when(is_unreadable).then(unreadable).otherwise(_reason(layout, column, skipped))


def _reason(layout: Layout, column: str, what: str) -> pl.Expr:
    value = pl.col(column).fill_null("").str.slice(0, SHOWN_CHARACTERS)
    return pl.format('{} "{}" {}', pl.lit(layout.place(column)), value, pl.lit(what))
