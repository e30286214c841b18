"""Cisco Unified Communications Manager: a CDR file with two lines of header, one of names, one of
types.

Columns are found by their names, for releases add some. Times are seconds since 1970 UTC, a zero
being never. Addresses are whole numbers whose bytes are turned round and that are negative where
the last byte of the address is above 127: -1139627840 is 192.168.18.188.

**Several records per call.** A transfer, a conference or a forwarded call writes a record for each
pair of parties that were connected, all under one global call id and not always next to each
other. Each record is an xDR of its own, told apart by its `pkid`, so that it does not matter where
a file is cut into chunks. *Decision:* a record is charged if it was connected and its called party
is outside the cluster. Unbilled are those whose called party is inside: an extension (fewer than
seven digits) or a conference bridge (`b00…`), which is how the cluster joins parties that are
already connected; and all without a connect time. So a call to outside that is transferred is
charged to whoever placed it, up to the transfer, and what an outside party says to an extension
afterwards is not. Records of another type than 1 (such as 2, call management) are no calls.

Source: Cisco Unified Communications Manager "Call Detail Records Administration Guide" and "Call
Reporting and Billing Administration Guide" 15, CDR field descriptions, "Convert Signed Decimal
Value to IP Address".
"""

import polars as pl

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import ParsedChunk, split_lines, without_header
from cdr.importers.clocks import EPOCH_SECONDS
from cdr.importers.csv_fields import split_fields
from cdr.importers.headers import read_header
from cdr.importers.layout import Layout, parsed_chunk
from cdr.importers.reading import Reading
from cdr.importers.rejecting import rejected_whole

NEEDED = (
    *("cdrRecordType", "globalCallID_callManagerId", "globalCallID_callId"),
    *("dateTimeOrigination", "dateTimeConnect", "dateTimeDisconnect", "duration"),
    *("callingPartyNumber", "finalCalledPartyNumber", "pkid"),
)
_OPTIONAL = (
    *("globalCallId_ClusterID", "origIpAddr", "origIpv4v6Addr", "origDeviceName"),
    *("clientMatterCode", "origCause_value", "destCause_value"),
)
_CALL = "1"
_INSIDE = r"^(?:b00.*|[^0-9]*(?:[0-9][^0-9]*){0,6})$"
_LAYOUT = Layout(
    texts={
        "call_id": "call",
        "leg_id": "pkid",
        "account_code": "clientMatterCode",
        "trunk": "origDeviceName",
        "caller_ip": "address",
        "caller_number": "callingPartyNumber",
        "destination_number": "finalCalledPartyNumber",
        "hangup_cause": "cause",
    },
    stamps={
        "started_at": "dateTimeOrigination",
        "answered_at": "dateTimeConnect",
        "ended_at": "dateTimeDisconnect",
    },
    clock=EPOCH_SECONDS,
    billable="duration",
    required=("leg_id",),
)


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says."""
    lines = without_header(split_lines(chunk, first_line=first_line), reading.header)
    header = read_header(reading.header)
    fault = header.lacks([(name,) for name in NEEDED])
    if fault is not None:
        return rejected_whole(lines, fault)
    positions = {
        name: header.positions[name] for name in (*NEEDED, *_OPTIONAL) if name in header.positions
    }
    fields, misshapen = split_fields(lines.readable, positions, widths=[header.width])
    is_call = fields["cdrRecordType"] == _CALL
    calls = fields if is_call.all() else fields.filter(is_call)
    absent = [pl.lit(None, pl.String).alias(name) for name in _OPTIONAL if name not in positions]
    worked_out = calls.with_columns(absent).with_columns(
        call=pl.concat_str(
            "globalCallID_callManagerId",
            "globalCallID_callId",
            pl.col("globalCallId_ClusterID").replace("", None),
            separator="-",
            ignore_nulls=True,
        ),
        address=_address(),
        cause=pl.coalesce(
            pl.col(name).replace(["", "0"], None) for name in ("destCause_value", "origCause_value")
        ),
    )
    passed_over = len(fields) - len(calls)
    parsed = parsed_chunk(lines, worked_out, misshapen, _LAYOUT, reading, passed_over=passed_over)
    return _without_inside(parsed)


def _without_inside(parsed: ParsedChunk) -> ParsedChunk:
    """What ended inside the cluster used nothing that is charged."""
    inside = pl.col("destination_number").fill_null("").str.contains(_INSIDE)
    volume = pl.when(inside).then(0).otherwise("billable_seconds").cast(pl.Int64)
    records = parsed.records.with_columns(volume.alias("billable_seconds"))
    return ParsedChunk(records, parsed.rejected, parsed.blank_lines)


def _address() -> pl.Expr:
    """The address of the caller, of whichever column has one."""
    number = pl.col("origIpAddr").cast(pl.Int64, strict=False)
    is_address = number.is_between(-(2**31), 2**32 - 1) & (number != 0)
    octets = [(number // 256**place % 256).cast(pl.String) for place in range(4)]
    turned = pl.when(is_address).then(pl.concat_str(octets, separator="."))
    written = pl.col("origIpv4v6Addr").replace("", None)
    return pl.coalesce(written, turned)


def _fault(reading: Reading) -> str | None:
    return read_header(reading.header).lacks([(name,) for name in NEEDED])


ADAPTER = Adapter(parse, header_lines=lambda mapping: 2, fault=_fault)
