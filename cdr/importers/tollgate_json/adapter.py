"""Tollgate's own format: one JSON object a line (NDJSON), as the API takes it too.

    {"started_at": "2026-10-31T23:59:59+01:00", "destination_number": "+442071234567",
     "volume": 61, "account_code": "acc00017", "call_id": "4711"}

`started_at` carries its offset from UTC, so that no zone of the source is asked for. `volume` is
in the volume unit of the source's product: seconds for voice. Without a `call_id` the same xDR is
known by its start, numbers and duration. Nothing else than FIELDS is taken: a name that is misspelt
must not pass for one that was left out.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from cdr.importers.adapter import Adapter
from cdr.importers.chunks import ParsedChunk, no_rejected, split_lines
from cdr.importers.layout import STAMPS, TEXTS
from cdr.importers.reading import Reading
from cdr.rules.addresses import canonical_address
from cdr.rules.instants import to_microseconds

MOST_VOLUME = 2**53 - 1
"""What every reader of JSON takes for the same number."""
MOST_SECONDS = 2**31 - 1

_TEXTS = {
    "call_id": 64,
    "leg_id": 64,
    "account_code": 64,
    "caller_number": 64,
    "destination_number": 64,
    "hangup_cause": 40,
    "trunk": 64,
    "caller_ip": 45,
    "tags": 200,
}
FIELDS = ("started_at", "volume", "duration_seconds", *_TEXTS)
"""All that a line may say; the first two and `destination_number` must be there."""

_REQUIRED = ("started_at", "volume", "destination_number")
_LARGEST_YEAR = 2999
_RECORDS = {
    "line_number": pl.Int64,
    "raw": pl.String,
    **dict.fromkeys(TEXTS, pl.String),
    **dict.fromkeys(STAMPS, pl.Int64),
    "duration_seconds": pl.Int64,
    "billable_seconds": pl.Int64,
}
_MICROSECONDS = 1_000_000


class _NotUnderstood(ValueError):
    """What is wrong with a value, for people."""


class Record(NamedTuple):
    """One xDR as sent: instants in microseconds UTC, texts None where they are empty."""

    call_id: str | None
    leg_id: str | None
    account_code: str | None
    caller_number: str | None
    destination_number: str | None
    hangup_cause: str | None
    trunk: str | None
    caller_ip: str | None
    tags: str | None
    started_at: int
    volume: int
    duration_seconds: int


def parse(chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk:
    """The records of a chunk, as `adapter.Parse` says.

    Where `volume` is not zero the xDR was answered, at its start as far as is known.
    """
    lines = split_lines(chunk, first_line=first_line)
    rows: list[tuple[Any, ...]] = []
    rejected: list[tuple[int, str, str]] = []
    readable = (lines.readable[name].to_list() for name in ("line_number", "raw"))
    for number, raw in zip(*readable, strict=True):
        try:
            rows.append(_row(number, raw, read_record(_object(raw))))
        except FieldsRefused as refusal:
            rejected.append((number, raw, str(refusal)))
    refused = lines.rejected
    if rejected:
        found = pl.DataFrame(rejected, schema=no_rejected().schema, orient="row")
        refused = pl.concat([refused, found]).sort("line_number")
    records = pl.DataFrame(rows, schema=_RECORDS, orient="row")
    return ParsedChunk(records, refused, lines.blank_count)


class FieldsRefused(ValueError):
    """A line is no xDR; `by_field` says why for each field by its name."""

    def __init__(self, by_field: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name} {why}" for name, why in by_field.items()))
        self.by_field = dict(by_field)


def read_record(sent: Mapping[str, Any]) -> Record:
    """The xDR that an object of JSON says.

    :raises FieldsRefused: naming every field that is missing, unknown or wrong.
    """
    wrong = {_shown(name): "is not a field of an xDR" for name in sent if name not in FIELDS}
    values: dict[str, Any] = {}
    for name, read in _READERS.items():
        try:
            values[name] = read(sent[name]) if sent.get(name) is not None else None
        except _NotUnderstood as why:
            wrong[name] = str(why)
    missing = [name for name in _REQUIRED if name not in wrong and values[name] is None]
    wrong |= dict.fromkeys(missing, "is missing")
    if wrong:
        raise FieldsRefused(wrong)
    if values["duration_seconds"] is None:
        values["duration_seconds"] = min(values["volume"], MOST_SECONDS)
    return Record(**values)


def _shown(name: str) -> str:
    """An unknown name as it can be stored and sent: JSON may hold what no text may."""
    return name if name.isprintable() else ascii(name)


def _object(raw: str) -> Mapping[str, Any]:
    try:
        sent = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FieldsRefused({"the line": f"is not JSON: {error}"}) from error
    if not isinstance(sent, dict):
        raise FieldsRefused({"the line": "is not an object of JSON"})
    return sent


def _row(number: int, raw: str, record: Record) -> tuple[Any, ...]:
    answered_at = record.started_at if record.volume else None
    ended_at = record.started_at + record.duration_seconds * _MICROSECONDS
    texts = (getattr(record, name) for name in TEXTS)
    times = (record.started_at, answered_at, ended_at)
    return (number, raw, *texts, *times, record.duration_seconds, record.volume)


def _text(most: int) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        if not isinstance(value, str):
            raise _NotUnderstood("is not a text")
        if len(value) > most:
            raise _NotUnderstood(f"has more than {most} characters")
        if not value.isprintable():
            raise _NotUnderstood("holds control characters")
        return value or None

    return read


def _address(most: int) -> Callable[[Any], str | None]:
    """As it is compared with others, where it is one."""
    read_text = _text(most)

    def read(value: Any) -> str | None:
        text = read_text(value)
        return text and (canonical_address(text) or text)

    return read


def _whole(most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise _NotUnderstood(f"is not a whole number from 0 to {most}")
        return value

    return read


def _instant(value: Any) -> int:
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise _NotUnderstood("has no offset from UTC, such as Z or +01:00")
        if not 1970 <= at.year <= _LARGEST_YEAR:
            raise _NotUnderstood(f"is not between 1970 and {_LARGEST_YEAR}")
        return to_microseconds(at)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, _NotUnderstood):
            raise
        raise _NotUnderstood("is not an instant like 2026-10-31T23:59:59+01:00") from error


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **{name: _text(most) for name, most in _TEXTS.items()},
    "caller_ip": _address(_TEXTS["caller_ip"]),
    "started_at": _instant,
    "volume": _whole(MOST_VOLUME),
    "duration_seconds": _whole(MOST_SECONDS),
}

ADAPTER = Adapter(parse)
