"""Rating again the xDRs of one chunk that wait, whole or by a leg."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rules.suspense import Result
from cdr.selectors.stored_xdrs import Condition, last_numbers, of_xdrs, stored_xdrs
from cdr.services.allowances import count_usage
from cdr.services.rating import RatedXdrs, identify_xdrs, rate_xdrs
from cdr.services.recording import Origin, record_legs, record_suspense
from cdr.services.settling import WAITS
from cdr.services.stored_parties import FOUND, update_xdrs
from cdr.services.subjects import xdr_subjects
from common.copying import timestamps
from common.scope import Scope

_TOLD = ("suspense_id", "row", "reason", "detail", "table_id")
_LEG = ("xdr_id", "leg_kind", "payer_kind", "payer_id")
_LEGS_OF = "(l.started_at, l.xdr_id) IN (SELECT * FROM unnest(%s::timestamptz[], %s::bigint[]))"


@dataclass(frozen=True, slots=True)
class Released:
    """What waits on: rows `still` (WAITS), and whole xDRs that have `moved_on`.

    The latter (suspense_id, reason) are identified now and wait for each of their legs instead.
    """

    still: pl.DataFrame
    moved_on: pl.DataFrame


def release_xdrs(waiting: pl.DataFrame, origin: Origin) -> Released:
    """Write the legs that can be rated now; gives what waits on.

    `waiting` has suspense_id, raw, xdr_id, started_at (int64 microseconds UTC), leg_kind,
    payer_kind and payer_id, the last three null where the whole xDR waits, and is_whole: whether it
    is to be identified again. All that waits of such an xDR must be there.
    """
    waiting = waiting.drop("detail")  # why they wait is told anew
    rated = _rate_again(waiting, origin)
    release = rated.outcome.stands & _is_waiting(rated, waiting)
    rated = count_usage(rated, origin.source, among=release)
    release &= rated.outcome.stands
    record_legs(rated, origin, stands=release, number=_next_numbers(rated, release))
    _update_xdrs(rated, release, origin)

    failing = _failing(rated)
    still = waiting.join(failing, on=list(_LEG), nulls_equal=True)
    legs = failing.filter(pl.col("leg_kind").is_not_null())
    new_legs = legs.join(waiting.filter("is_whole"), on="xdr_id", how="semi").join(
        still, on=list(_LEG), how="anti"
    )
    record_suspense(rated, new_legs.drop("xdr_id"), origin)
    told = pl.concat([still.select(_TOLD), _held_back(waiting, failing)])
    about = xdr_subjects(rated.xdrs[told["row"]], told, origin.source)
    return Released(about.select(list(WAITS)), _moved_on(rated, waiting, told, new_legs))


def _moved_on(
    rated: RatedXdrs, waiting: pl.DataFrame, told: pl.DataFrame, new_legs: pl.DataFrame
) -> pl.DataFrame:
    is_whole = pl.Series(rated.outcome.result == Result.SUSPENDED).gather(new_legs["row"])
    first = new_legs.filter(is_whole).unique("xdr_id", keep="first", maintain_order=True)
    ended = waiting.join(told, on="suspense_id", how="anti")
    return ended.join(first, on="xdr_id").select("suspense_id", "reason")


def _rate_again(waiting: pl.DataFrame, origin: Origin) -> RatedXdrs:
    """Whole xDRs with the parties that hold now, the others with those they have."""
    per_xdr = waiting.group_by("xdr_id", maintain_order=True).agg(
        pl.col("started_at", "raw").first(), whole=pl.col("is_whole").any()
    )
    stored = _stored(per_xdr, origin).join(
        per_xdr.select("raw", "whole", id="xdr_id"), on="id", maintain_order="left"
    )
    found = identify_xdrs(stored.drop(FOUND), origin.source)
    columns = [*stored.columns, "subscription_id"]
    own = found.select("id", found_id="customer_id", subscription_id="subscription_id")
    kept = stored.filter(~pl.col("whole")).join(own, on="id", how="left", maintain_order="left")
    # Of what named the customer, where that still names the same one.
    its_own = pl.when(pl.col("found_id") == pl.col("customer_id")).then("subscription_id")
    both = [
        found.filter(pl.col("whole")).select(columns),
        kept.with_columns(subscription_id=its_own).select(columns),
    ]
    return rate_xdrs(pl.concat(both).sort("started_at", "id"), origin.source)


def _stored(per_xdr: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """The xDRs as columns; leg_count is the greatest number one of its legs has."""
    scope = Scope.system(origin.source.provider_id)
    keys = [timestamps(per_xdr["started_at"]).to_list(), per_xdr["xdr_id"].to_list()]
    xdrs = stored_xdrs(scope, of_xdrs(*keys))
    counts = last_numbers(scope, Condition(_LEGS_OF, keys)).rename({"number": "leg_count"})
    numbered = xdrs.join(counts, left_on="id", right_on="xdr_id", how="left")
    return numbered.with_columns(pl.col("leg_count").fill_null(0))


def _is_waiting(rated: RatedXdrs, waiting: pl.DataFrame) -> NDArray[np.bool_]:
    """Which of the planned legs something waits for: all of a whole xDR's, else the very leg."""
    legs, xdrs = rated.legs, rated.xdrs
    planned = pl.DataFrame(
        {
            "xdr_id": xdrs["id"].to_numpy()[legs.row],
            "leg_kind": legs.charge,
            "payer_kind": legs.payer_kind,
            "payer_id": legs.payer_id,
        }
    )
    whole = xdrs["whole"].to_numpy()[legs.row]
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
    update_xdrs(rows, origin.source.provider_id)


def _failing(rated: RatedXdrs) -> pl.DataFrame:
    """What cannot be rated now: the columns of suspense, and xdr_id."""
    suspense = rated.outcome.suspense
    return suspense.with_columns(xdr_id=rated.xdrs["id"].gather(suspense["row"]))


def _held_back(waiting: pl.DataFrame, failing: pl.DataFrame) -> pl.DataFrame:
    """Waiting legs of xDRs that cannot be rated as a whole any more."""
    whole = failing.filter(pl.col("leg_kind").is_null())
    told = whole.select("xdr_id", "row", "reason", "detail", "table_id")
    legs = waiting.filter(pl.col("leg_kind").is_not_null())
    return legs.join(told, on="xdr_id").select(_TOLD)
