"""Asterisk `cdr_csv`, the file `Master.csv`: 16 columns and up to five more.

`loguniqueid` and `loguserfield` add one each, `newcdrcolumns` adds peeraccount, linkedid and
sequence at the end. Of 17 or 20 columns the 17th is the unique id if it looks like one, else the
user field. A call with a unique id can have several records, one for each channel it was offered
to: their destination channel and sequence tell them apart. Texts are quoted, numbers are not, and a
call nobody answered has an empty answer. Times are local ones of the switch, UTC with `usegmtime`:
its source then has that zone.

The trunk is the channel without its serial number: `PJSIP/berlin-000000a1` is `PJSIP/berlin`.

Source: cdr/cdr_csv.c (build_csv_record) and configs/samples/cdr.conf.sample of Asterisk 13 to 22.
"""

import polars as pl

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import ParsedChunk, split_lines
from cdr.importers.clocks import LOCAL_SECONDS
from cdr.importers.csv_fields import WIDTH, split_fields
from cdr.importers.layout import Layout, parsed_chunk, positional
from cdr.importers.reading import Reading

COLUMNS = (
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
)

_WIDTHS = range(16, 22)
_WITH_SEQUENCE = 19
# `1759305600.42`, with the name of the system in front where it has one: `berlin-1759305600.42`.
_UNIQUE_ID = r"^(?:\S+-)?[0-9]{9,}\.[0-9]+$"
_SERIAL_NUMBER = r"-[0-9a-f]{8}(?:;[12])?$"
_LAYOUT = Layout(
    texts={
        "call_id": "unique_id",
        "leg_id": "leg",
        "account_code": "accountcode",
        "trunk": "trunk",
        "caller_number": "src",
        "destination_number": "dst",
        "hangup_cause": "disposition",
    },
    stamps={"started_at": "start", "answered_at": "answer", "ended_at": "end"},
    clock=LOCAL_SECONDS,
    duration="duration",
    billable="billsec",
    places=positional(COLUMNS),
)
_USED = (
    "accountcode src dst channel dstchannel start answer end duration billsec disposition"
).split()
_POSITIONS = {name: COLUMNS.index(name) for name in _USED} | {
    "seventeenth": 16,
    "nineteenth": 18,
    "twentieth": 19,
    "twenty_first": 20,
}


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says."""
    lines = split_lines(chunk, first_line=first_line)
    fields, misshapen = split_fields(lines.readable, _POSITIONS, widths=_WIDTHS)
    fields = fields.with_columns(
        unique_id=_unique_id(),
        leg=pl.concat_str("dstchannel", _sequence(), separator="/", ignore_nulls=True),
        trunk=pl.col("channel").str.replace(_SERIAL_NUMBER, ""),
    )
    return parsed_chunk(lines, fields, misshapen, _LAYOUT, reading)


def _unique_id() -> pl.Expr:
    column = pl.col("seventeenth")
    is_meant = pl.col(WIDTH).is_in([18, 21]) | (
        pl.col(WIDTH).is_in([17, 20]) & column.str.contains(_UNIQUE_ID)
    )
    return pl.when(is_meant).then(column)


def _sequence() -> pl.Expr:
    last = (
        pl.when(pl.col(WIDTH) == _WITH_SEQUENCE)
        .then("nineteenth")
        .when(pl.col(WIDTH) == _WITH_SEQUENCE + 1)
        .then("twentieth")
        .otherwise("twenty_first")
    )
    return pl.when(pl.col(WIDTH) >= _WITH_SEQUENCE).then(last)


ADAPTER = Adapter(parse)
