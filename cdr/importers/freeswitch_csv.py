"""FreeSWITCH `mod_cdr_csv`: the 15 columns of its template `example`, the 13 of `default`.

`example` is what the shipped configuration selects; `default` is compiled into the module, has the
same first 13 columns and writes a blank before the last of them. Which one wrote a line is seen
from the line, for a file goes on after the template was changed. The module puts no quote marks of
its own around a quote inside a value: such lines are rejected, for their columns cannot be told.
Times are local ones of the switch, `2026-10-31 23:59:59`.
"""

from zoneinfo import ZoneInfo

import polars as pl

from cdr.importers.chunks import ParsedChunk, no_rejected, split_lines
from cdr.importers.csv_fields import split_fields
from cdr.importers.stamps import to_instants

COLUMNS = (
    "caller_id_name",
    "caller_id_number",
    "destination_number",
    "context",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
    "uuid",
    "bleg_uuid",
    "accountcode",
    "read_codec",
    "write_codec",
)
CODEC_COLUMNS = 2
STAMP_FORMAT = "%Y-%m-%d %H:%M:%S"
MAX_SECONDS = 2**31 - 1
SHOWN_CHARACTERS = 60

_STAMPS = {"started_at": "start_stamp", "answered_at": "answer_stamp", "ended_at": "end_stamp"}
_QUANTITIES = {"duration_seconds": "duration", "billable_seconds": "billsec"}
_TEXTS = {
    "call_id": "uuid",
    "leg_id": "bleg_uuid",
    "account_code": "accountcode",
    "caller_number": "caller_id_number",
    "destination_number": "destination_number",
    "hangup_cause": "hangup_cause",
    "context": "context",
}
# Old releases wrote the Unix epoch, in local time, for a call that was never answered.
_EPOCH_ENDS = 2 * 86_400 * 1_000_000


def parse(chunk: bytes, *, first_line: int, zone: ZoneInfo) -> ParsedChunk:
    """The records of a chunk of complete lines, whose first is line `first_line` of its file.

    Columns of the records: line_number (int64, from 1), raw (the line without its end), call_id,
    leg_id, account_code, caller_number, destination_number, hangup_cause, context, started_at,
    answered_at, ended_at (int64 microseconds UTC; written as local times of `zone`, see
    `to_instants`), duration_seconds, billable_seconds (int64). An empty field is null; uuid, start,
    end, duration and billsec must be there.
    """
    lines = split_lines(chunk, first_line=first_line)
    fields, misshapen = split_fields(lines.readable, COLUMNS, optional=CODEC_COLUMNS)
    typed = fields.select(
        "line_number",
        "raw",
        *(_present(column).alias(name) for name, column in _TEXTS.items()),
        *(_stamp(column).alias(name) for name, column in _STAMPS.items()),
        *(_quantity(column).alias(name) for name, column in _QUANTITIES.items()),
    )
    records = typed.with_columns(to_instants(typed, zone))
    checked = records.hstack(fields.select(*_STAMPS.values(), *_QUANTITIES.values()))
    records, faulty = _reject_faults(checked, zone)
    rejected = pl.concat([lines.rejected, misshapen, faulty]).sort("line_number")
    return ParsedChunk(records, rejected, lines.blank_count)


def _reject_faults(checked: pl.DataFrame, zone: ZoneInfo) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The good records, without the columns as written, and the rejected lines."""
    faults = _faults(zone)
    conditions = [condition for condition, _ in faults]
    faulty = checked.select(pl.any_horizontal(conditions).fill_null(False)).to_series()
    answered_at = pl.when(pl.col("answered_at") >= _EPOCH_ENDS).then("answered_at")
    records = checked.drop(*_STAMPS.values(), *_QUANTITIES.values()).with_columns(
        answered_at=answered_at
    )
    if not faulty.any():
        return records, no_rejected()
    reason = pl.coalesce([pl.when(condition).then(text) for condition, text in faults])
    # In one piece: of several, filtering leaves some empty, and pl.format panics (Polars 1.44).
    lines = checked.filter(faulty).rechunk()
    rejected = lines.select("line_number", "raw", reason.alias("reason"))
    return records.filter(~faulty), rejected


def _present(column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(column)


def _stamp(column: str) -> pl.Expr:
    return pl.col(column).str.to_datetime(STAMP_FORMAT, time_unit="us", strict=False)


def _quantity(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64, strict=False)


def _faults(zone: ZoneInfo) -> list[tuple[pl.Expr, pl.Expr]]:
    """What a record must not have, each with its reason, the one to be told first in front."""
    answered = pl.col("answered_at") >= _EPOCH_ENDS
    outside = (pl.col("answered_at") < pl.col("started_at")) | (
        pl.col("answered_at") > pl.col("ended_at")
    )
    return [
        (pl.col("call_id").is_null(), pl.lit(f"{_place('uuid')} is empty")),
        (_untimed("started_at"), _time_reason("start_stamp", zone)),
        (_untimed("ended_at"), _time_reason("end_stamp", zone)),
        (
            _untimed("answered_at") & (pl.col("answer_stamp") != ""),
            _time_reason("answer_stamp", zone),
        ),
        *((_unmeasured(name), _number_reason(column)) for name, column in _QUANTITIES.items()),
        (
            pl.col("ended_at") < pl.col("started_at"),
            _reason("end_stamp", "is before the start"),
        ),
        (answered & outside, _reason("answer_stamp", "is not between start and end")),
    ]


def _untimed(name: str) -> pl.Expr:
    return pl.col(name).is_null()


def _unmeasured(name: str) -> pl.Expr:
    return ~pl.col(name).is_between(0, MAX_SECONDS).fill_null(False)


def _time_reason(column: str, zone: ZoneInfo) -> pl.Expr:
    skipped = f"was skipped when clocks in {zone.key} were put forward"
    return (
        pl.when(_stamp(column).is_null())
        .then(_reason(column, "is not a time like 2026-10-31 23:59:59"))
        .otherwise(_reason(column, skipped))
    )


def _number_reason(column: str) -> pl.Expr:
    return _reason(column, f"is not a number of seconds from 0 to {MAX_SECONDS}")


def _reason(column: str, what: str) -> pl.Expr:
    value = pl.col(column).fill_null("").str.slice(0, SHOWN_CHARACTERS)
    return pl.format('{} "{}" {}', pl.lit(_place(column)), value, pl.lit(what))


def _place(column: str) -> str:
    return f"column {COLUMNS.index(column) + 1} ({column})"
