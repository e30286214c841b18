"""Accounting of Kamailio and OpenSIPS as CSV with a header: an export of a table of calls.

The tables are those of Kamailio's `acc` module (`acc_cdrs`, with columns of `cdr_extra`) and of
Siremis (`cdrs`, filled by the procedure `kamailio_cdrs`), and OpenSIPS' `acc` with the flag `cdr`.
Which columns there are, and how they are called, is up to the proxy's configuration: each is found
in the header by any of its usual names. A proxy knows a call from the moment it was answered: its
time is start and answer. A SIP code other than 2xx makes an unanswered call. Durations may have a
fraction. Of an address like `sip:+4930123@example.org` the user is the number.

Source: srdb1 schema acc_cdrs.xml of Kamailio 5.8 (duration float(10,3)), the table `cdrs` of
Siremis 5 and OpenSIPS' "DB schema 3.6", table `acc` (time, duration, ms_duration, setuptime).
"""

import polars as pl

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import ParsedChunk, split_lines, without_header
from cdr.importers.clocks import LocalClock
from cdr.importers.csv_fields import split_fields
from cdr.importers.headers import read_header
from cdr.importers.layout import Layout, parsed_chunk
from cdr.importers.measures import Decimals
from cdr.importers.reading import Reading
from cdr.importers.rejecting import rejected_whole
from cdr.importers.sip_addresses import user_of

NAMES = {
    "call_id": ("sip_call_id", "callid", "call_id"),
    "from_tag": ("sip_from_tag", "from_tag"),
    "to_tag": ("sip_to_tag", "to_tag"),
    "account_code": ("account", "account_code", "accountcode", "auth_user"),
    "trunk": ("trunk", "src_gwgroupid", "gwid"),
    "caller_ip": ("src_ip", "source_ip"),
    "caller_number": ("src_username", "src_user", "from_user", "caller", "from_uri"),
    "destination_number": (
        *("dst_ousername", "dst_ouser", "dst_username", "dst_user", "ruri_user"),
        *("callee", "to_user", "ruri", "to_uri"),
    ),
    "hangup_cause": ("sip_reason", "sip_code"),
    "sip_code": ("sip_code",),
    "start": ("call_start_time", "start_time", "time"),
    "milliseconds": ("ms_duration",),
    "seconds": ("duration",),
}
_NEEDED = (NAMES["start"], NAMES["destination_number"], ("duration", "ms_duration"))
_CLOCK = LocalClock(("%Y-%m-%d %H:%M:%S%.f",), "2026-10-31 23:59:59")
_TEXTS = ("call_id", "account_code", "trunk", "caller_ip", "hangup_cause")


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says."""
    lines = without_header(split_lines(chunk, first_line=first_line), reading.header)
    header = read_header(reading.header)
    fault = header.lacks(_NEEDED)
    if fault is not None:
        return rejected_whole(lines, fault)
    names = header.named(NAMES)
    fields, misshapen = split_fields(lines.readable, header.places(names), widths=[header.width])
    fields = fields.with_columns(**_worked_out(names))
    return parsed_chunk(lines, fields, misshapen, _layout(names), reading)


def _worked_out(names: dict[str, str]) -> dict[str, pl.Expr]:
    tags = [pl.col(name) for name in ("from_tag", "to_tag") if name in names]
    used = "milliseconds" if "milliseconds" in names else "seconds"
    length = pl.col(used)
    if "sip_code" in names:
        code = pl.col("sip_code")
        length = (
            pl.when((code == "") | code.str.starts_with("2")).then(length).otherwise(pl.lit("0"))
        )
    worked_out = {
        "leg": pl.concat_str(tags, separator="/") if tags else pl.lit(None, pl.String),
        "length": length,
        "called": user_of("destination_number"),
    }
    if "caller_number" in names:
        worked_out["calling"] = user_of("caller_number")
    return worked_out


def _layout(names: dict[str, str]) -> Layout:
    texts = {name: name for name in _TEXTS if name in names}
    texts |= {"leg_id": "leg", "destination_number": "called"}
    if "caller_number" in names:
        texts["caller_number"] = "calling"
    is_milliseconds = "milliseconds" in names
    return Layout(
        texts=texts,
        stamps={"started_at": "start"},
        clock=_CLOCK,
        billable="length",
        measure=Decimals(per_unit=1000 if is_milliseconds else 1),
        places={
            "start": f"column {names['start']}",
            "length": f"column {names['milliseconds' if is_milliseconds else 'seconds']}",
        },
    )


def _fault(reading: Reading) -> str | None:
    return read_header(reading.header).lacks(_NEEDED)


ADAPTER = Adapter(parse, header_lines=lambda mapping: 1, fault=_fault)
