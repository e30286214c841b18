"""Time profiles as rate decks write them: which local times a rate is for, and how heavily.

`Mon-Fri 08:00-20:00;Sat 08:00-13:00` or `12-25 00:00-24:00 @20`: days and hours, half-open, in the
time zone of the rate table, and after @ the weight with which the profile outweighs others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MINUTES_OF_DAY = 24 * 60
WEIGHT_LIMIT = 2**31 - 1

_WEIGHT = re.compile(r"(.*?)\s*@\s*([0-9]{1,10})")
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_CALENDAR_DAY = re.compile(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})")
_LEAP_YEAR = 2000


class TimeProfileNotUnderstood(ValueError):
    """A time profile is not written as days and hours; the message says where."""


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of one year, or of every year where `year` is None."""

    year: int | None
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class HoursOfDays:
    """`[start_minute, end_minute)` of the day, on weekdays (Monday 0) or on calendar days."""

    weekdays: frozenset[int]
    calendar_days: frozenset[CalendarDay]
    start_minute: int
    end_minute: int

    def is_on(self, year: int, month: int, day: int, weekday: int) -> bool:
        """Whether the hours are those of this day."""
        return (
            weekday in self.weekdays
            or CalendarDay(None, month, day) in self.calendar_days
            or CalendarDay(year, month, day) in self.calendar_days
        )


@dataclass(frozen=True, slots=True)
class TimeProfile:
    """The local times it contains and its weight; equal however it was written."""

    ranges: frozenset[HoursOfDays]
    weight: int

    def contains(self, local: datetime) -> bool:
        """Whether a wall clock that shows `local` is inside; an hour shown twice is so twice."""
        minute = local.hour * 60 + local.minute
        return any(
            hours.start_minute <= minute < hours.end_minute
            and hours.is_on(local.year, local.month, local.day, local.weekday())
            for hours in self.ranges
        )


@lru_cache(maxsize=1024)
def parse_time_profile(text: str) -> TimeProfile:
    """The profile a text stands for.

    Days are weekdays (`Mon`, `Mon-Fri`, `Fri-Mon`), days of every year (`12-25`) or of one
    (`2026-04-06`), several parted by commas.

    >>> parse_time_profile("12-25 00:00-24:00 @20").weight
    20

    :raises TimeProfileNotUnderstood: otherwise.
    """
    weighted = _WEIGHT.fullmatch(text.strip())
    ranges, weight = (weighted[1], int(weighted[2])) if weighted else (text.strip(), 0)
    if weight > WEIGHT_LIMIT:
        raise TimeProfileNotUnderstood(f"a weight is at most {WEIGHT_LIMIT}")
    parts = [part.strip() for part in ranges.split(";")]
    return TimeProfile(frozenset(_hours_of_days(part) for part in parts), weight)


def in_order(ranges: Iterable[HoursOfDays]) -> list[HoursOfDays]:
    """The ranges from Monday on, then those of calendar days, each by their first minute."""
    return sorted(
        ranges,
        key=lambda hours: (
            min(hours.weekdays, default=len(WEEKDAYS)),
            sorted(map(_day_text, hours.calendar_days)),
            hours.start_minute,
            hours.end_minute,
            sorted(hours.weekdays),
        ),
    )


def write_ranges(ranges: Iterable[HoursOfDays]) -> str:
    """The ranges as `parse_time_profile` reads them, the same for all ways to write them.

    >>> write_ranges(parse_time_profile("Sat 8:00-13:00;Mon,Tue,Wed 08:00-20:00").ranges)
    'Mon-Wed 08:00-20:00;Sat 08:00-13:00'
    """
    return ";".join(f"{days_text(hours)} {hours_text(hours)}" for hours in in_order(ranges))


def days_text(hours: HoursOfDays) -> str:
    """`Mon-Fri,12-25`: the days of a range."""
    return ",".join([*_runs(sorted(hours.weekdays)), *sorted(map(_day_text, hours.calendar_days))])


def hours_text(hours: HoursOfDays) -> str:
    """`08:00-20:00`: the hours of a range."""
    return f"{clock_text(hours.start_minute)}-{clock_text(hours.end_minute)}"


def clock_text(minute: int) -> str:
    """`08:30` for the minute 510 of the day."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _runs(weekdays: Sequence[int]) -> list[str]:
    """Days that follow each other as one: `Mon-Fri`."""
    runs: list[list[int]] = []
    for day in weekdays:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [
        WEEKDAYS[run[0]] if len(run) == 1 else f"{WEEKDAYS[run[0]]}-{WEEKDAYS[run[-1]]}"
        for run in runs
    ]


def _day_text(day: CalendarDay) -> str:
    year = "" if day.year is None else f"{day.year:04}-"
    return f"{year}{day.month:02}-{day.day:02}"


def _hours_of_days(part: str) -> HoursOfDays:
    days, _, hours = part.partition(" ")
    found = _HOURS.fullmatch(hours.strip())
    if found is None:
        raise TimeProfileNotUnderstood(f"'{part}' is not written as Mon-Fri 08:00-20:00")
    first, last = (_minute(found[place], found[place + 1]) for place in (1, 3))
    if first >= last:
        raise TimeProfileNotUnderstood(f"'{part}' ends before it starts; part it at midnight")
    weekdays: set[int] = set()
    calendar_days: set[CalendarDay] = set()
    for item in days.split(","):
        day = _CALENDAR_DAY.fullmatch(item)
        if day is None:
            weekdays |= _weekdays(item)
        else:
            calendar_days.add(_calendar_day(item, day[1], int(day[2]), int(day[3])))
    return HoursOfDays(frozenset(weekdays), frozenset(calendar_days), first, last)


def _minute(hour: str, minute: str) -> int:
    of_day = int(hour) * 60 + int(minute)
    if int(minute) > 59 or of_day > MINUTES_OF_DAY:
        raise TimeProfileNotUnderstood(f"'{hour}:{minute}' is no time of day")
    return of_day


def _weekdays(item: str) -> set[int]:
    names = [name.lower() for name in WEEKDAYS]
    first, _, last = item.lower().partition("-")
    if first not in names or (last or first) not in names:
        raise TimeProfileNotUnderstood(
            f"'{item}' is neither a weekday, as Mon, nor a day, as 12-25"
        )
    start, end = names.index(first), names.index(last or first)
    return {(start + step) % 7 for step in range((end - start) % 7 + 1)}


def _calendar_day(item: str, year: str | None, month: int, day: int) -> CalendarDay:
    try:
        datetime(int(year) if year else _LEAP_YEAR, month, day)  # noqa: DTZ001 - a day, no instant
    except ValueError as error:
        raise TimeProfileNotUnderstood(f"there is no day '{item}'") from error
    return CalendarDay(int(year) if year else None, month, day)
