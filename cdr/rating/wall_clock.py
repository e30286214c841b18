"""What the wall clocks of a time zone show, for columns of instants.

The offset from UTC changes at a zone's transitions only (daylight saving begins or ends), so that
the transitions of the years in question, found once, answer for every row by a search.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cdr.rules.instants import from_microseconds, to_microseconds

_SECOND = 1_000_000
DAY = 86_400 * _SECOND
_FIRST_YEAR, _LAST_YEAR = 2, 9997
_YEARS_IN_A_ROW = 30

Instants = NDArray[np.int64]


class WallClock(NamedTuple):
    """For each instant: the local time in microseconds since 1970, and until when it runs evenly.

    `even_until` is an instant before which the offset from UTC does not change.
    """

    local: Instants
    even_until: Instants


def read_clock(zone: str, instants: Instants) -> WallClock:
    """What clocks in `zone` show at each of the instants (int64 microseconds UTC), one or more."""
    changes, offsets = _changes(zone, _years(instants))
    place = np.searchsorted(changes, instants, side="right") - 1
    following = np.append(changes[1:], np.iinfo(np.int64).max)
    return WallClock(instants + offsets[place], following[place])


def _years(instants: Instants) -> tuple[int, ...]:
    """The years the instants are in, and one more, in which the last of them may end."""
    first, last = (_year(int(bound)) for bound in (instants.min(), instants.max()))
    if last - first <= _YEARS_IN_A_ROW:
        return tuple(range(first, last + 2))
    found = np.unique(instants.view("datetime64[us]").astype("datetime64[Y]")).astype(np.int64)
    years = np.unique(np.clip(found + 1970, _FIRST_YEAR, _LAST_YEAR)).tolist()
    return tuple(sorted({*years, *(year + 1 for year in years)}))


def _year(instant: int) -> int:
    year = int(np.datetime64(instant, "us").astype("datetime64[Y]").astype(np.int64)) + 1970
    return min(max(year, _FIRST_YEAR), _LAST_YEAR)


@lru_cache(maxsize=256)
def _changes(zone: str, years: tuple[int, ...]) -> tuple[Instants, Instants]:
    """The instants at which the offset changes, and the offset from each on; sorted."""
    found = [change for year in years for change in _changes_in(zone, year)]
    instants = np.array([instant for instant, _ in found], dtype=np.int64)
    instants[0] = np.iinfo(np.int64).min
    return instants, np.array([offset for _, offset in found], dtype=np.int64)


@lru_cache(maxsize=4096)
def _changes_in(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """The beginning of a year (UTC) and the changes within it, each with the offset from it on."""
    clock = ZoneInfo(zone)
    end = datetime(year + 1, 1, 1, tzinfo=UTC)
    day = datetime(year, 1, 1, tzinfo=UTC)
    changes = [(to_microseconds(day), _offset(clock, day))]
    while day < end:
        tomorrow = min(day + timedelta(days=1), end)
        if _offset(clock, tomorrow) != changes[-1][1]:
            instant = _first_second(clock, day, tomorrow)
            changes.append((to_microseconds(instant), _offset(clock, instant)))
        day = tomorrow
    return tuple(change for change in changes if change[0] < to_microseconds(end))


def _first_second(clock: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the offset that holds `after` begins."""
    low, high = to_microseconds(before) // _SECOND, to_microseconds(after) // _SECOND
    wanted = _offset(clock, after)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(clock, from_microseconds(middle * _SECOND)) == wanted:
            high = middle
        else:
            low = middle
    return from_microseconds(high * _SECOND)


def _offset(clock: ZoneInfo, instant: datetime) -> int:
    offset = instant.astimezone(clock).utcoffset() or timedelta(0)
    return offset // timedelta(microseconds=1)
