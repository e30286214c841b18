"""Yeti's CDR export: CSV with a header, of the columns that were chosen for it.

PostgreSQL writes it: booleans are `t` and `f`, times have their offset. Yeti keeps a record for
each routing attempt of a call; the last of them (`is_last_cdr`) is the one its customer is charged
for, the others are stored unbilled. Without that column every record is charged as it stands.

Source: yeti-switch.org, "CDR Export", and app/models/cdr/cdr.rb of yeti-web (table cdr.cdr; scope
`where_customer`).
"""

import polars as pl

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import ParsedChunk, split_lines, without_header
from cdr.importers.clocks import OffsetClock
from cdr.importers.csv_fields import split_fields
from cdr.importers.headers import read_header
from cdr.importers.layout import TEXTS, Layout, parsed_chunk
from cdr.importers.reading import Reading
from cdr.importers.rejecting import rejected_whole

NAMES = {
    "call_id": ("uuid", "local_tag", "orig_call_id", "id"),
    "leg_id": ("routing_attempt",),
    "account_code": (
        *("customer_acc_external_id", "customer_external_id"),
        *("customer_acc_id", "customer_id"),
    ),
    "trunk": ("customer_auth_name", "orig_gw_external_id", "orig_gw_id"),
    "caller_ip": ("auth_orig_ip", "sign_orig_ip"),
    "caller_number": ("src_prefix_routing", "src_prefix_in"),
    "destination_number": ("dst_prefix_routing", "dst_prefix_in"),
    "hangup_cause": ("internal_disconnect_reason", "lega_disconnect_reason"),
    "started_at": ("time_start",),
    "answered_at": ("time_connect",),
    "ended_at": ("time_end",),
    "seconds": ("duration",),
    "is_last": ("is_last_cdr",),
}
_NEEDED = [NAMES[name] for name in ("started_at", "destination_number", "seconds")]
_CLOCK = OffsetClock()


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says."""
    lines = without_header(split_lines(chunk, first_line=first_line), reading.header)
    header = read_header(reading.header)
    fault = header.lacks(_NEEDED)
    if fault is not None:
        return rejected_whole(lines, fault)
    names = header.named(NAMES)
    positions = {f"read_{name}": place for name, place in header.places(names).items()}
    fields, misshapen = split_fields(lines.readable, positions, widths=[header.width])
    charged = pl.col("read_seconds")
    if "is_last" in names:
        charged = (
            pl.when(pl.col("read_is_last").is_in(["f", "false"]))
            .then(pl.lit("0"))
            .otherwise(charged)
        )
    fields = fields.with_columns(charged.alias("charged"))
    return parsed_chunk(lines, fields, misshapen, _layout(names), reading)


def _layout(names: dict[str, str]) -> Layout:
    stamps = ("started_at", "answered_at", "ended_at")
    return Layout(
        texts={name: f"read_{name}" for name in TEXTS if name in names},
        stamps={name: f"read_{name}" for name in stamps if name in names},
        clock=_CLOCK,
        billable="charged",
        places={
            **{f"read_{name}": f"column {column}" for name, column in names.items()},
            "charged": f"column {names['seconds']}",
        },
    )


def _fault(reading: Reading) -> str | None:
    return read_header(reading.header).lacks(_NEEDED)


ADAPTER = Adapter(parse, header_lines=lambda mapping: 1, fault=_fault)
