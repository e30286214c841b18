"""FreeSWITCH `mod_cdr_csv`: the 15 columns of its template `example`, the 13 of `default`.

`example` is what the shipped configuration selects; `default` is compiled into the module, has the
same first 13 columns and writes a blank before the last of them. Which one wrote a line is seen
from the line, for a file goes on after the template was changed. The module puts no quote marks of
its own around a quote inside a value: such lines are rejected, for their columns cannot be told.
Times are local ones of the switch, `2026-10-31 23:59:59`.

Source: conf/vanilla/autoload_configs/cdr_csv.conf.xml and mod_cdr_csv.c of FreeSWITCH 1.10.
"""

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import ParsedChunk, split_lines
from cdr.importers.clocks import LOCAL_SECONDS
from cdr.importers.csv_fields import split_fields
from cdr.importers.layout import Layout, parsed_chunk, positional
from cdr.importers.reading import Reading

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
STAMP_FORMAT = "%Y-%m-%d %H:%M:%S"

_CODEC_COLUMNS = 2
_WIDTHS = (len(COLUMNS) - _CODEC_COLUMNS, len(COLUMNS))
_LAYOUT = Layout(
    texts={
        "call_id": "uuid",
        "leg_id": "bleg_uuid",
        "account_code": "accountcode",
        "caller_number": "caller_id_number",
        "destination_number": "destination_number",
        "hangup_cause": "hangup_cause",
    },
    stamps={"started_at": "start_stamp", "answered_at": "answer_stamp", "ended_at": "end_stamp"},
    clock=LOCAL_SECONDS,
    duration="duration",
    billable="billsec",
    places=positional(COLUMNS),
    required=("call_id",),
)
_USED = {*_LAYOUT.texts.values(), *_LAYOUT.stamps.values(), *_LAYOUT.quantities.values()}
_POSITIONS = {name: place for place, name in enumerate(COLUMNS) if name in _USED}


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says."""
    lines = split_lines(chunk, first_line=first_line)
    fields, misshapen = split_fields(lines.readable, _POSITIONS, widths=_WIDTHS)
    return parsed_chunk(lines, fields, misshapen, _LAYOUT, reading)


ADAPTER = Adapter(parse)
