"""Sharing out allowances among columns of usage: strictly in order, without a loop over rows."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rules.allowances import Counted, Entitlement, Sharing
from common.periods import Period, month

USES = {"row": pl.Int64, "place": pl.Int64, "volume": pl.Int64}
_NO_END = date.max


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter of a month and the entitlements it counts, all of one customer.

    Without any it is only there for what rolls in. `previous` and `following` are the places of the
    counters of the months around it among those it is given with, where its volume rolls over.
    """

    key: str
    customer_id: int
    month: date
    rolls_over: bool
    entitlements: tuple[Entitlement, ...]
    counted: Counted
    previous: int | None = None
    following: int | None = None

    @property
    def lock_order(self) -> tuple[date, int, str]:
        """Everybody locks counters in this order, so that nobody waits in a circle."""
        return self.month, self.customer_id, self.key

    @property
    def order(self) -> tuple[int, date, int, int]:
        """As that of the oldest of its entitlements."""
        return min(each.order for each in self.entitlements)


def counters_of(
    entitlements: Sequence[Entitlement], wanted: Collection[tuple[int, date]]
) -> list[Counter]:
    """The counters of customers in months, unused, and those of the month before that roll over.

    `wanted` has customers and first days of months. In the order in which counters are locked.
    """
    by_key: dict[tuple[int, str], list[Entitlement]] = {}
    for each in sorted(entitlements, key=lambda each: each.order):
        by_key.setdefault((each.customer_id, each.key), []).append(each)
    months_of: dict[int, set[date]] = {}
    for customer_id, first_day in wanted:
        months_of.setdefault(customer_id, set()).add(first_day)
    found = {}
    for (customer_id, key), members in by_key.items():
        months = set(months_of.get(customer_id, ()))
        if members[0].rolls_over:
            months |= {month_before(first_day) for first_day in months}
        for first_day in months:
            granted = sum(each.granted(period_of(first_day)) for each in members)
            if granted:
                counter = Counter(
                    key,
                    customer_id,
                    first_day,
                    members[0].rolls_over,
                    tuple(members),
                    Counted(granted),
                )
                found[counter.lock_order] = counter
    return [found[place] for place in sorted(found)]


def linked(counters: Sequence[Counter]) -> list[Counter]:
    """The same in their order, each that rolls over with the places of those around it."""
    places = {(each.customer_id, each.key, each.month): at for at, each in enumerate(counters)}
    return [
        replace(
            each,
            previous=places.get((each.customer_id, each.key, month_before(each.month))),
            following=places.get((each.customer_id, each.key, period_of(each.month).to_date)),
        )
        if each.rolls_over
        else each
        for each in counters
    ]


def month_before(first_day: date) -> date:
    """The first day of the month before."""
    return (first_day - timedelta(days=1)).replace(day=1)


def period_of(first_day: date) -> Period:
    """The calendar month that begins with a day."""
    return month(first_day.year, first_day.month)


def share_out(
    usage: pl.DataFrame, counters: Sequence[Counter]
) -> tuple[pl.DataFrame, list[Counted]]:
    """Who uses how much of which counter, and the counters afterwards.

    `usage` is in the order of use, and has customer_id, subscription_id (of what named the
    customer, null for none), number, day, month (its first day) and volume (int64, 1 or more). An
    xDR uses what is left of the first counter that fits, then of the next. The answer has `row`,
    the place in `usage`, `place`, that among the counters, and `volume`, 1 or more.
    """
    counted = [counter.counted for counter in counters]
    wanted = usage["volume"].to_numpy().copy()
    claims = _claims(usage, counters)
    uses = [pl.DataFrame(schema=USES)]
    for first_day in sorted({counter.month for counter in counters}):
        of_month = claims.filter(pl.col("month") == first_day)
        places = [place for place, each in enumerate(counters) if each.month == first_day]
        _roll_in(counters, counted, places)
        left = np.zeros(len(counters), dtype=np.int64)
        for place in places:
            following = counters[place].following
            left[place] = counted[place].left(None if following is None else counted[following])
        for rank in of_month["rank"].unique().sort():
            turn = of_month.filter(pl.col("rank") == rank).sort("row")
            taken = _take(turn, wanted, left)
            uses.append(taken)
            wanted[taken["row"].to_numpy()] -= taken["volume"].to_numpy()
            for place, volume in taken.group_by("place").agg(pl.col("volume").sum()).iter_rows():
                counted[place] = replace(counted[place], used=counted[place].used + volume)
    return pl.concat(uses).sort("row", maintain_order=True), counted


def _roll_in(counters: Sequence[Counter], counted: list[Counted], places: Iterable[int]) -> None:
    for place in places:
        previous, now = counters[place].previous, counted[place]
        rolled_in = now.rolled_in if previous is None else counted[previous].rollable
        counted[place] = now.opened(now.granted, rolled_in)


def _claims(usage: pl.DataFrame, counters: Sequence[Counter]) -> pl.DataFrame:
    """Which row may use which counter: row, place, month and rank, the customer's order of use."""
    schema = {
        "customer_id": pl.Int64,
        "month": pl.Date,
        "place": pl.Int64,
        "rank": pl.Int64,
        "own": pl.Int64,
        "first_day": pl.Date,
        "last_day": pl.Date,
        "fits": pl.Int64,
    }
    destinations: dict[tuple[str, ...], int] = {}
    rows = []
    for (place, counter), rank in zip(enumerate(counters), _ranks(counters), strict=True):
        for each in counter.entitlements:
            of_one = each.subscription_id if each.sharing is Sharing.OWN else None
            fits = destinations.setdefault(each.destinations, len(destinations))
            days = each.start_date, each.last_date or _NO_END
            rows.append((counter.customer_id, counter.month, place, rank, of_one, *days, fits))
    granted = pl.DataFrame(rows, schema=schema, orient="row")
    day, own = pl.col("day"), pl.col("own")
    claims = (
        usage.with_columns(row=pl.int_range(len(usage), dtype=pl.Int64))
        .join(granted, on=["customer_id", "month"])
        .filter(
            own.is_null() | own.eq_missing(pl.col("subscription_id")),
            day.is_between("first_day", "last_day"),
        )
    )
    fitting = [
        claims.filter(pl.col("fits") == group, _begins_with(prefixes))
        for prefixes, group in destinations.items()
    ]
    names = ["row", "place", "month", "rank"]
    # A pool may be open to a row by several of its entitlements.
    nothing = claims.select(names).clear()
    return pl.concat([nothing, *(each.select(names) for each in fitting)]).unique()


def _ranks(counters: Sequence[Counter]) -> list[int]:
    """The place of each counter in its customer's order of use, the same in every month."""
    ranks: dict[int, int] = {}
    found = [0] * len(counters)
    granting = [place for place, each in enumerate(counters) if each.entitlements]
    for place in sorted(granting, key=lambda place: counters[place].order):
        counter = counters[place]
        ranks[counter.customer_id] = ranks.get(counter.customer_id, -1) + 1
        found[place] = ranks[counter.customer_id]
    return found


def _begins_with(prefixes: Sequence[str]) -> pl.Expr:
    if not prefixes:
        return pl.lit(True)
    number = pl.col("number")
    return pl.any_horizontal(number.str.starts_with(prefix) for prefix in prefixes).fill_null(False)


def _take(turn: pl.DataFrame, wanted: NDArray[np.int64], left: NDArray[np.int64]) -> pl.DataFrame:
    """What rows take of the one counter each has in this turn: what those before it leave."""
    row, place = turn["row"].to_numpy(), turn["place"].to_numpy()
    # Nobody asks for more than there was: beyond it all get nothing whatever they ask for.
    asked = np.minimum(wanted[row], left[place])
    frame = turn.select("row", "place", asked=pl.Series(asked), left=pl.Series(left[place]))
    up_to_it = pl.col("asked").cast(pl.Int128).cum_sum().over("place")
    rest = pl.col("left").cast(pl.Int128) - (up_to_it - pl.col("asked"))
    volume = pl.min_horizontal(rest.clip(0), pl.col("asked").cast(pl.Int128)).cast(pl.Int64)
    return frame.select("row", "place", volume=volume).filter(pl.col("volume") > 0)
