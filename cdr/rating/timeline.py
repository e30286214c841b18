"""Time cut where the usable rates of a table change.

At an instant they depend on the epoch (cut where rates come into force or end) and on which time
profiles contain the local time: few combinations, each of which is chosen from once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalogue.rules.time_profiles import TimeProfile
from cdr.rating.wall_clock import DAY, Instants, read_clock

FOREVER = int(np.iinfo(np.int64).max)
_MINUTE = 60 * 1_000_000
_DAYS_IN_A_ROW = 1_000

Codes = NDArray[np.int64]


class Timeline:
    """The epochs of a table's rates and the time profiles of its zone.

    `cuts` are the sorted instants at which a rate comes into force or ends: epoch e runs from cut
    e - 1 to cut e, epoch 0 lies before every rate. `profile_sets` grows as combinations are met:
    each is the places of the profiles that contain a local time.
    """

    def __init__(self, cuts: Instants, profiles: Sequence[TimeProfile], zone: str) -> None:
        self.cuts = cuts
        self.profile_sets: list[frozenset[int]] = [frozenset()]
        self._profiles = profiles
        self._zone = zone
        minutes = {m for p in profiles for r in p.ranges for m in (r.start_minute, r.end_minute)}
        self._minutes = np.array(sorted(minutes | {0}), dtype=np.int64)
        self._sets_by_day: dict[tuple[bool, ...], Codes] = {}
        self._ranges = [(place, r) for place, p in enumerate(profiles) for r in p.ranges]

    def epochs(self, instants: Instants) -> Codes:
        """The epoch of each instant."""
        return np.searchsorted(self.cuts, instants, side="right")

    def epoch_start(self, epoch: int) -> int:
        """The first instant of an epoch."""
        return int(self.cuts[epoch - 1]) if epoch else int(np.iinfo(np.int64).min)

    def profile_codes(self, instants: Instants) -> Codes | None:
        """Which of `profile_sets` contains each instant; None where the table has no profiles."""
        if not self._profiles or not len(instants):
            return None
        local = read_clock(self._zone, instants).local
        day = local // DAY
        slot = np.searchsorted(self._minutes * _MINUTE, local - day * DAY, side="right") - 1
        days, place = _distinct(day)
        codes: Codes = self._codes_of_days(days)[place, slot]
        return codes

    def next_changes(self, instants: Instants) -> Instants:
        """The next instant after each at which other rates may be usable; FOREVER for never."""
        following = np.append(self.cuts, FOREVER)[self.epochs(instants)]
        if not self._profiles or not len(instants):
            return following
        clock = read_clock(self._zone, instants)
        since_midnight = clock.local % DAY
        stops = np.append(self._minutes * _MINUTE, DAY)
        stop = stops[np.searchsorted(stops, since_midnight, side="right")]
        by_clock = np.minimum(clock.even_until, instants + (stop - since_midnight))
        earliest: Instants = np.minimum(following, by_clock)
        return earliest

    def _codes_of_days(self, days: Codes) -> Codes:
        """The code of each slot of each day; a day is a number of days since 1970."""
        dates = days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        years = (months.astype(np.int64) // 12 + 1970).tolist()
        in_year = (months.astype(np.int64) % 12 + 1).tolist()
        in_month = ((dates - months).astype(np.int64) + 1).tolist()
        weekdays = ((days + 3) % 7).tolist()  # 1970 began on a Thursday
        return np.stack(
            [
                self._codes_of_day(tuple(hours.is_on(*each) for _, hours in self._ranges))
                for each in zip(years, in_year, in_month, weekdays, strict=True)
            ]
        )

    def _codes_of_day(self, is_on: tuple[bool, ...]) -> Codes:
        found = self._sets_by_day.get(is_on)
        if found is None:
            ranges = [each for each, on in zip(self._ranges, is_on, strict=True) if on]
            found = np.array(
                [
                    self._code(
                        frozenset(
                            place
                            for place, hours in ranges
                            if hours.start_minute <= minute < hours.end_minute
                        )
                    )
                    for minute in self._minutes.tolist()
                ],
                dtype=np.int64,
            )
            self._sets_by_day[is_on] = found
        return found

    def _code(self, profiles: frozenset[int]) -> int:
        if profiles not in self.profile_sets:
            self.profile_sets.append(profiles)
        return self.profile_sets.index(profiles)


def _distinct(values: Codes) -> tuple[Codes, Codes]:
    """The values to look up, and the place of each among them."""
    first, last = int(values.min()), int(values.max())
    if last - first < _DAYS_IN_A_ROW:
        return np.arange(first, last + 1), values - first
    distinct, place = np.unique(values, return_inverse=True)
    return distinct, place
