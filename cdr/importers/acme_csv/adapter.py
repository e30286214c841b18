"""Oracle (Acme Packet) session border controllers: stop records of their local CDR files.

Columns have places, not names; the SBC writes them all with `cdr-output-inclusive` enabled, which
is needed here. Only stop records (status 2) are calls: start and interim records tell of calls
that are not over, others of the SBC itself. Times are `23:59:59.123 UTC OCT 31 2026`, perhaps with
the weekday; those that do not say UTC or GMT are of the source's zone. The volume is the time from
connect to disconnect, in milliseconds, as Acct-Session-Time is in whole seconds or in milliseconds
as configured. The trunk is the ingress realm, the caller's address the source of the inbound
media.

Source: Oracle Communications SBC Accounting Guide S-Cz10, "Local CDR Stop Record" (tables B-3 and
B-7), "Cisco Systems RADIUS Decodes", "Local CDR File Format".
"""

import polars as pl

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import ParsedChunk, split_lines
from cdr.importers.clocks import ZonedClock
from cdr.importers.csv_fields import split_fields
from cdr.importers.layout import Layout, parsed_chunk
from cdr.importers.reading import Reading
from cdr.importers.sip_addresses import user_of

POSITIONS = {
    "status": 0,
    "session_id": 3,
    "calling": 9,
    "called": 10,
    "setup_time": 13,
    "connect_time": 14,
    "disconnect_time": 15,
    "cause": 16,
    "ingress_realm": 22,
    "source_address": 26,
}
_STOP = ("2", "Stop")
_NO_CALL = ("1", "3", "7", "8", "15", "Start", "Interim-Update", "Accounting-On", "Accounting-Off")
_LAYOUT = Layout(
    texts={
        "call_id": "session_id",
        "trunk": "ingress_realm",
        "caller_ip": "source_address",
        "caller_number": "calling_user",
        "destination_number": "called_user",
        "hangup_cause": "cause",
    },
    stamps={
        "started_at": "setup_time",
        "answered_at": "connect_time",
        "ended_at": "disconnect_time",
    },
    clock=ZonedClock(),
    places={name: f"column {place + 1} ({name})" for name, place in POSITIONS.items()},
    required=("call_id",),
)


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says."""
    lines = split_lines(chunk, first_line=first_line)
    short, passed_over = _without_other_records(lines.readable)
    fields, misshapen = split_fields(short, POSITIONS)
    fields, unknown = _with_status(fields)
    fields = fields.with_columns(calling_user=user_of("calling"), called_user=user_of("called"))
    misshapen = pl.concat([misshapen, unknown])
    return parsed_chunk(lines, fields, misshapen, _LAYOUT, reading, passed_over=passed_over)


def _without_other_records(lines: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The lines that are not start, interim or other records, and how many those were.

    What has no status of any record stays, to be rejected.
    """
    status = pl.col("raw").str.extract(r'^ *"?([0-9A-Za-z-]+)"?(?:,|$)', 1)
    is_call = ~lines.select(status.is_in(list(_NO_CALL)).fill_null(False)).to_series()
    calls = lines if is_call.all() else lines.filter(is_call)
    return calls, len(lines) - len(calls)


def _with_status(fields: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The stop records, and the lines whose status is none at all."""
    is_stop = fields["status"].is_in(list(_STOP))
    if is_stop.all():
        return fields, fields.clear().select("line_number", "raw", reason=pl.lit(""))
    reason = pl.format(
        'column 1 (status) "{}" is no accounting status', pl.col("status").str.slice(0, 60)
    )
    unknown = fields.filter(~is_stop).rechunk()
    return fields.filter(is_stop), unknown.select("line_number", "raw", reason=reason)


ADAPTER = Adapter(parse)
