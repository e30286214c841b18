"""Taking xDRs and lines otherwise than they were received; what was received stays."""

from collections.abc import Mapping

import polars as pl
from django.db import connection

from cdr.models.mending import WIDTHS
from cdr.rating.networks import canonical_addresses
from cdr.rules.mending import FIELDS, Change, ChangeKind
from common.copying import copy_rows, timestamps

_COPIED_AT_ONCE = ("provider_id", "started_at", "xdr_id", *FIELDS, "mending_id", "is_current")
_SUPERSEDE = f"""
    UPDATE cdr_xdrcorrection SET is_current = false
    WHERE provider_id = %s AND is_current AND xdr_id = ANY(%s)
    RETURNING xdr_id, {", ".join(FIELDS)}
"""  # noqa: S608 - put together from constants


def corrected_xdrs(xdrs: pl.DataFrame, change: Change) -> pl.DataFrame:
    """`xdrs` with the field as corrected, and is_concerned: false where nothing is corrected."""
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


def corrected_lines(lines: pl.DataFrame, change: Change) -> pl.DataFrame:
    """`lines` with raw as corrected, and is_concerned: false where nothing is corrected."""
    raw = pl.col("raw")
    if change.kind is ChangeKind.TEXT:
        text = raw.str.replace_all(change.old_text, change.new_text, literal=True)
        return lines.with_columns(raw=text, is_concerned=text != raw)
    text = pl.lit(change.new_text) if change.kind is ChangeKind.LINE else raw
    return lines.with_columns(raw=text, is_concerned=pl.lit(True))


def record_corrections(
    xdrs: pl.DataFrame, change: Change, *, provider_id: int, mending_id: int
) -> None:
    """Keep beside stored xDRs (id, started_at and the field as corrected) what they are taken for.

    What was corrected before stays so.
    """
    if xdrs.is_empty():
        return
    before = _superseded(xdrs["id"], provider_id)
    rows = [
        (
            provider_id,
            started_at,
            xdr_id,
            *({**before.get(xdr_id, {}), change.field: text}.get(name) for name in FIELDS),
            mending_id,
            True,
        )
        for xdr_id, started_at, text in zip(
            xdrs["id"], timestamps(xdrs["started_at"]), xdrs[change.field], strict=True
        )
    ]
    schema = dict.fromkeys(_COPIED_AT_ONCE, pl.String) | {
        **dict.fromkeys(("provider_id", "xdr_id", "mending_id"), pl.Int64),
        "is_current": pl.Boolean,
    }
    copy_rows("cdr_xdrcorrection", pl.DataFrame(rows, schema=schema, orient="row"), texts=())


def _superseded(xdr_ids: pl.Series, provider_id: int) -> Mapping[int, dict[str, str | None]]:
    """What the xDRs were corrected to so far, which is not current any more."""
    with connection.cursor() as cursor:
        cursor.execute(_SUPERSEDE, [provider_id, xdr_ids.to_list()])
        return {xdr_id: dict(zip(FIELDS, texts, strict=True)) for xdr_id, *texts in cursor}
