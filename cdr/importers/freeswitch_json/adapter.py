"""FreeSWITCH `mod_json_cdr` and `mod_format_cdr`: one JSON document per line.

The modules write a document per call leg; many of them in one file, a line each, are what is read
here. Values of variables are URL-encoded unless `encode-values` is off: `%2B4930123` is +4930123.
Times are microseconds since 1970 UTC, hence unambiguous when clocks are changed. The volume is
`billusec`, in microseconds. The numbers are those of the latest profile of the call flow, as
`mod_cdr_csv` gives them. Legs that FreeSWITCH placed for another (`log-b-leg`, which is off unless
asked for) name their `originating_leg_uuid` and are stored unbilled: the call was charged by the
leg it came in on.

Source: src/mod/event_handlers/mod_json_cdr and switch_ivr_generate_json_cdr (src/switch_ivr.c) of
FreeSWITCH 1.10; developer.signalwire.com, "mod_json_cdr".
"""

import json
from urllib.parse import unquote

import polars as pl

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import Lines, ParsedChunk, split_lines
from cdr.importers.clocks import EPOCH_MICROSECONDS
from cdr.importers.layout import Layout, parsed_chunk
from cdr.importers.measures import Decimals
from cdr.importers.reading import Reading

_VARIABLES = (
    *("uuid", "start_uepoch", "answer_uepoch", "end_uepoch", "billusec", "hangup_cause"),
    *("accountcode", "sip_gateway", "sip_network_ip", "originating_leg_uuid"),
)
_PROFILE = ("caller_id_number", "destination_number", "network_addr")
_PROFILE_TYPE = pl.Struct(dict.fromkeys(_PROFILE, pl.String))
_DOCUMENT = pl.Struct(
    {
        "variables": pl.Struct(dict.fromkeys(_VARIABLES, pl.String)),
        "callflow": pl.List(pl.Struct({"caller_profile": _PROFILE_TYPE})),
    }
)
_LAYOUT = Layout(
    texts={
        "call_id": "uuid",
        "account_code": "accountcode",
        "trunk": "sip_gateway",
        "caller_ip": "address",
        "caller_number": "caller_id_number",
        "destination_number": "destination_number",
        "hangup_cause": "hangup_cause",
    },
    stamps={
        "started_at": "start_uepoch",
        "answered_at": "answer_uepoch",
        "ended_at": "end_uepoch",
    },
    clock=EPOCH_MICROSECONDS,
    billable="charged",
    measure=Decimals(per_unit=1_000_000),
    places={name: f"variables.{name}" for name in _VARIABLES} | {"charged": "variables.billusec"},
    required=("call_id",),
)
_TEXTS = ("uuid", "accountcode", "sip_gateway", "caller_id_number", "destination_number", "address")
# What is encoded in most numbers, column-wise; anything else is decoded one by one.
_COMMON = {"%2B": "+", "%23": "#", "%2A": "*", "%40": "@", "%20": " "}


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says."""
    lines = split_lines(chunk, first_line=first_line)
    fields, misshapen = _split(lines)
    return parsed_chunk(lines, fields, misshapen, _LAYOUT, reading)


def _split(lines: Lines) -> tuple[pl.DataFrame, pl.DataFrame]:
    readable = lines.readable
    documents, is_document = _documents(readable["raw"])
    flow = pl.col("callflow").list.first().struct.field("caller_profile")
    variables = pl.col("variables").struct
    fields = readable.hstack(documents.struct.unnest()).with_columns(
        *(variables.field(name) for name in _VARIABLES),
        *(flow.struct.field(name) for name in _PROFILE),
    )
    fields = fields.with_columns(
        address=pl.coalesce("sip_network_ip", "network_addr"),
        charged=pl.when(pl.col("originating_leg_uuid").is_null())
        .then("billusec")
        .otherwise(pl.lit("0")),
    ).drop("variables", "callflow")
    fields = fields.with_columns(_decoded(fields[name]) for name in _TEXTS)
    fits = is_document & ~_holds_nul(fields)
    if fits.all():
        return fields, readable.clear().with_columns(reason=pl.lit(None, pl.String))
    reason = (
        pl.when(is_document)
        .then(pl.lit("a value holds NUL characters"))
        .otherwise(pl.lit("the line is no JSON document of a call"))
    )
    return fields.filter(fits), readable.with_columns(reason=reason).filter(~fits)


def _holds_nul(fields: pl.DataFrame) -> pl.Series:
    r"""Which lines hold, as `\u0000` or `%00`, the one character that no text of ours may."""
    values = pl.col(*_VARIABLES, *_PROFILE, "address")
    found = pl.any_horizontal(values.str.contains("\0", literal=True)).fill_null(False)
    return fields.select(found).to_series()


def _documents(raw: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The documents of the lines, and which lines are some."""
    try:
        documents = raw.str.json_decode(_DOCUMENT)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        # One line that is no JSON spoils all: each is tried by itself, and the others once more.
        raw = raw.set(~pl.Series([_is_document(line) for line in raw], dtype=pl.Boolean), "{}")
        documents = raw.str.json_decode(_DOCUMENT)
    return documents, documents.struct.field("variables").is_not_null()


def _is_document(line: str) -> bool:
    """Whether a line is JSON of the shape that is looked for."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return False
    variables, flow = document.get("variables"), document.get("callflow", [])
    return (
        isinstance(variables, dict)
        and all(isinstance(variables.get(name, ""), str) for name in _VARIABLES)
        and isinstance(flow, list)
        and all(_is_step(step) for step in flow)
    )


def _is_step(step: object) -> bool:
    profile = step.get("caller_profile", {}) if isinstance(step, dict) else None
    return isinstance(profile, dict) and all(
        isinstance(profile.get(name, ""), str) for name in _PROFILE
    )


def _decoded(text: pl.Series) -> pl.Series:
    """URL-encoded text as it was."""
    encoded = text.str.contains("%", literal=True).fill_null(False)
    if not encoded.any():
        return text
    common = text
    for code, character in _COMMON.items():
        common = common.str.replace_all(code, character, literal=True)
    rest = common.str.contains("%", literal=True).fill_null(False)
    if not rest.any():
        return common
    decoded = [unquote(each) for each in text.filter(rest)]
    return common.scatter(rest.arg_true(), decoded)


ADAPTER = Adapter(parse)
