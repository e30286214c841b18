"""Taking xDRs and lines otherwise than they were received; what was received stays."""

from collections.abc import Mapping

import polars as pl
from django.db import connection

from cdr.models.mending import WIDTHS
from cdr.rating.networks import canonical_addresses
from cdr.rules.instants import to_microseconds
from cdr.rules.mending import FIELDS, START, Change, ChangeKind, parse_start
from cdr.services.mediation import widest_bounds
from cdr.services.moving import charged_before
from cdr.services.recording import Origin
from common.copying import copy_rows, timestamps

_RECEIVED = "received_started_at"
_COPIED_AT_ONCE = (
    *("provider_id", "started_at", _RECEIVED, "xdr_id"),
    *FIELDS,
    *("mending_id", "is_current"),
)
_RECEIVED_TEXT = "to_char(received_started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00')"
_SUPERSEDE = f"""
    UPDATE cdr_xdrcorrection SET is_current = false
    WHERE provider_id = %s AND is_current AND xdr_id = ANY(%s)
    RETURNING xdr_id, {_RECEIVED_TEXT}, {", ".join(FIELDS)}
"""  # noqa: S608 - put together from constants


def corrected_xdrs(xdrs: pl.DataFrame, change: Change, origin: Origin) -> pl.DataFrame:
    """`xdrs` with the field as corrected, and is_concerned: false where nothing is corrected.

    Their start as it is stored is old_start.
    """
    xdrs = xdrs.with_columns(old_start="started_at")
    if change.field == START:
        return _started(xdrs, change, origin)
    field = pl.col(change.field).fill_null("")
    if change.kind is ChangeKind.SET:
        is_concerned, text = pl.lit(True), pl.lit(change.new_text)
    else:
        is_concerned = field.str.starts_with(change.old_text)
        text = pl.lit(change.new_text) + field.str.slice(len(change.old_text))
    if change.field == "caller_ip":
        text = text.map_batches(canonical_addresses, return_dtype=pl.String)
    # A field has no more than its column holds: what would be longer is left as it is.
    fits = text.str.len_chars() <= WIDTHS[change.field]
    return xdrs.with_columns(is_concerned=is_concerned & fits).with_columns(
        pl.when("is_concerned").then(text).otherwise(change.field).alias(change.field)
    )


def _started(xdrs: pl.DataFrame, change: Change, origin: Origin) -> pl.DataFrame:
    """With the start as corrected, where an xDR of it is stored at all.

    What was charged once, and is not any more, keeps its start, as its history does.
    """
    start = to_microseconds(parse_start(change.new_text, origin.source.zone))
    oldest, latest = widest_bounds(origin.source)
    is_possible = to_microseconds(oldest) <= start <= to_microseconds(latest)
    is_concerned = pl.lit(is_possible) & (pl.col("started_at") != start)
    if is_possible:
        is_concerned &= ~pl.col("id").is_in(charged_before(xdrs, origin.source).implode())
    return xdrs.with_columns(is_concerned=is_concerned).with_columns(
        started_at=pl.when("is_concerned").then(start).otherwise("started_at")
    )


def corrected_lines(lines: pl.DataFrame, change: Change) -> pl.DataFrame:
    """`lines` with raw or zone as corrected, and is_concerned: false where nothing is corrected."""
    concerned = lines.with_columns(is_concerned=pl.lit(True))
    match change.kind:
        case ChangeKind.TEXT:
            raw = pl.col("raw")
            text = raw.str.replace_all(change.old_text, change.new_text, literal=True)
            return lines.with_columns(raw=text, is_concerned=text != raw)
        case ChangeKind.ZONE:
            return concerned.with_columns(zone=pl.lit(change.new_text))
        case _:
            return concerned.with_columns(raw=pl.lit(change.new_text))


def record_corrections(
    xdrs: pl.DataFrame, change: Change, *, provider_id: int, mending_id: int
) -> None:
    """Keep beside stored xDRs what they are taken for.

    They have id, old_start, and started_at and the field as corrected. What was corrected before
    stays so.
    """
    if xdrs.is_empty():
        return
    before = _superseded(xdrs["id"], provider_id)
    starts = (timestamps(xdrs[name]) for name in ("started_at", "old_start"))
    rows = []
    for xdr_id, started_at, old_start, text in zip(
        xdrs["id"], *starts, xdrs[change.field], strict=True
    ):
        so_far = before.get(xdr_id, {})
        received = so_far.get(_RECEIVED) or old_start
        texts = {
            **so_far,
            change.field: text,
            "provider_id": provider_id,
            "started_at": started_at,
            _RECEIVED: received if received != started_at else None,
            "xdr_id": xdr_id,
            "mending_id": mending_id,
            "is_current": True,
        }
        rows.append([texts.get(name) for name in _COPIED_AT_ONCE])
    schema = dict.fromkeys(_COPIED_AT_ONCE, pl.String) | {
        **dict.fromkeys(("provider_id", "xdr_id", "mending_id"), pl.Int64),
        "is_current": pl.Boolean,
    }
    copy_rows("cdr_xdrcorrection", pl.DataFrame(rows, schema=schema, orient="row"), texts=())


def _superseded(xdr_ids: pl.Series, provider_id: int) -> Mapping[int, dict[str, str | None]]:
    """What the xDRs were corrected to so far, which is not current any more."""
    names = (_RECEIVED, *FIELDS)
    with connection.cursor() as cursor:
        cursor.execute(_SUPERSEDE, [provider_id, xdr_ids.to_list()])
        return {xdr_id: dict(zip(names, texts, strict=True)) for xdr_id, *texts in cursor}
