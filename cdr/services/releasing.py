"""Rating again the xDRs of one chunk that wait, whole or by a leg."""

import numpy as np
import polars as pl
from django.db import connection
from numpy.typing import NDArray

from cdr.rules.suspense import Result
from cdr.services.copying import timestamps
from cdr.services.rating import RatedXdrs, identify_xdrs, rate_xdrs
from cdr.services.recording import Origin, record_legs, record_suspense

STILL_WAITING = {"suspense_id": pl.Int64, "reason": pl.String, "detail": pl.String}
"""Columns of what could not be released, and why not."""

_LEG = ("xdr_id", "leg_kind", "payer_kind", "payer_id")
_STORED = {
    "id": pl.Int64,
    "started_at": pl.Int64,
    "line_number": pl.Int64,
    "account_code": pl.String,
    "caller_number": pl.String,
    "destination_number": pl.String,
    "received_tags": pl.String,
    "normalised_number": pl.String,
    "tags": pl.String,
    "volume": pl.Int64,
    "customer_id": pl.Int64,
    "vendor_id": pl.Int64,
    "terminating_customer_id": pl.Int64,
    "leg_count": pl.Int64,
}


def release_xdrs(waiting: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Write the legs that can be rated now; gives what still waits, as STILL_WAITING.

    `waiting` has suspense_id, raw, xdr_id, started_at (int64 microseconds UTC), leg_kind,
    payer_kind and payer_id, the last three null where the whole xDR waits.
    """
    if waiting.is_empty():
        return pl.DataFrame(schema=STILL_WAITING)
    rated = _rate_again(waiting, origin)
    release = rated.outcome.stands & _is_waiting(rated, waiting)
    record_legs(rated, origin, stands=release, number=_next_numbers(rated, release))
    _update_xdrs(rated, release, origin)

    failing = _failing(rated)
    whole = waiting.filter(pl.col("leg_kind").is_null())
    new_legs = failing.filter(pl.col("leg_kind").is_not_null()).join(
        whole.select("xdr_id"), on="xdr_id", how="semi"
    )
    record_suspense(rated, new_legs.drop("xdr_id"), origin)
    return pl.concat(
        [
            waiting.join(failing, on=list(_LEG), nulls_equal=True).select(list(STILL_WAITING)),
            _held_back(waiting, failing),
        ]
    )


def _rate_again(waiting: pl.DataFrame, origin: Origin) -> RatedXdrs:
    """Whole xDRs with the parties that hold now, the others with those they have."""
    per_xdr = waiting.group_by("xdr_id", maintain_order=True).agg(
        pl.col("started_at", "raw").first(), whole=pl.col("leg_kind").is_null().any()
    )
    stored = _stored(per_xdr, origin).join(
        per_xdr.select("raw", "whole", id="xdr_id"), on="id", maintain_order="left"
    )
    kept = stored.filter(~pl.col("whole"))
    parties = ["customer_id", "vendor_id", "terminating_customer_id"]
    unknown = stored.filter(pl.col("whole")).drop("normalised_number", "tags", *parties)
    found = identify_xdrs(unknown, origin.source).select(stored.columns)
    return rate_xdrs(pl.concat([found, kept]).sort("started_at", "id"), origin.source)


def _stored(per_xdr: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """The xDRs as columns; leg_count is the greatest number one of its legs has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT x.id, (extract(epoch FROM x.started_at) * 1000000)::bigint, x.line_number,"
            " x.account_code, x.caller_number, x.destination_number, nullif(x.received_tags, ''),"
            " nullif(x.normalised_number, ''), x.tags, x.volume, x.customer_id, x.vendor_id,"
            " x.terminating_customer_id, coalesce((SELECT max(l.number) FROM cdr_leg l"
            " WHERE l.provider_id = x.provider_id AND l.started_at = x.started_at"
            " AND l.xdr_id = x.id), 0)"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) AS w(id, started_at)"
            " JOIN cdr_xdr x ON x.started_at = w.started_at AND x.id = w.id"
            " WHERE x.provider_id = %s",
            [
                per_xdr["xdr_id"].to_list(),
                timestamps(per_xdr["started_at"]).to_list(),
                origin.source.provider_id,
            ],
        )
        rows = cursor.fetchall()
    return pl.DataFrame(rows, schema=_STORED, orient="row")


def _is_waiting(rated: RatedXdrs, waiting: pl.DataFrame) -> NDArray[np.bool_]:
    """Which of the planned legs something waits for: all of a whole xDR's, else the very leg."""
    legs = rated.legs
    planned = pl.DataFrame(
        {
            "xdr_id": rated.xdrs["id"].to_numpy()[legs.row],
            "leg_kind": legs.charge,
            "payer_kind": legs.payer_kind,
            "payer_id": legs.payer_id,
        }
    )
    whole = rated.xdrs["whole"].to_numpy()[legs.row]
    asked = waiting.select(_LEG).with_columns(is_asked=True)
    found = planned.join(asked, on=list(_LEG), how="left", maintain_order="left")
    waits: NDArray[np.bool_] = whole | found["is_asked"].fill_null(False).to_numpy()
    return waits


def _next_numbers(rated: RatedXdrs, release: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Numbers for the released legs that go on where those of their xDR end."""
    row = rated.legs.row
    numbers = rated.xdrs["leg_count"].to_numpy()[row]
    released_before: NDArray[np.int64] = np.cumsum(release) - release
    first_of_row = np.searchsorted(row, row, side="left")
    following: NDArray[np.int64] = numbers + released_before - released_before[first_of_row] + 1
    return following


def _update_xdrs(rated: RatedXdrs, release: NDArray[np.bool_], origin: Origin) -> None:
    """Give the xDRs the parties found, and the result that follows from the released legs."""
    result = rated.outcome.result.copy()
    result[rated.legs.row[release]] = Result.RATED
    whole = rated.xdrs["whole"].to_numpy()
    changed = np.zeros(len(result), dtype=bool)
    changed[rated.legs.row[release]] = True
    rows = rated.xdrs.with_columns(result=pl.Series(result)).filter(pl.Series(whole | changed))
    columns = [
        "id",
        "normalised_number",
        "tags",
        "customer_id",
        "vendor_id",
        "terminating_customer_id",
        "result",
    ]
    values = [rows[column].to_list() for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cdr_xdr x SET normalised_number = coalesce(w.number, ''),"
            " tags = w.tags, customer_id = w.customer_id, vendor_id = w.vendor_id,"
            " terminating_customer_id = w.called_id, result = w.result"
            " FROM unnest(%s::timestamptz[], %s::bigint[], %s::text[], %s::text[],"
            " %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[])"
            " AS w(started_at, id, number, tags, customer_id, vendor_id, called_id, result)"
            " WHERE x.provider_id = %s AND x.started_at = w.started_at AND x.id = w.id",
            [timestamps(rows["started_at"]).to_list(), *values, origin.source.provider_id],
        )


def _failing(rated: RatedXdrs) -> pl.DataFrame:
    """What cannot be rated now: the columns of suspense, and xdr_id."""
    suspense = rated.outcome.suspense
    return suspense.with_columns(xdr_id=rated.xdrs["id"].gather(suspense["row"]))


def _held_back(waiting: pl.DataFrame, failing: pl.DataFrame) -> pl.DataFrame:
    """Waiting legs of xDRs that cannot be rated as a whole any more."""
    whole = failing.filter(pl.col("leg_kind").is_null()).select("xdr_id", "reason", "detail")
    legs = waiting.filter(pl.col("leg_kind").is_not_null())
    return legs.join(whole, on="xdr_id").select(list(STILL_WAITING))
