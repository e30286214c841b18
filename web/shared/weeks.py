"""A week as a picture: when, from Monday to Sunday and on calendar days, a time profile holds."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalogue.rules.time_profiles import (
    MINUTES_OF_DAY,
    WEEKDAYS,
    CalendarDay,
    HoursOfDays,
    in_order,
)

LABEL_WIDTH, DAY_WIDTH, ROW_HEIGHT, HEADING_HEIGHT = 84, 720, 24, 22
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True)
class Bar:
    """Hours of a day, placed within the picture."""

    x: float
    width: float
    title: str


@dataclass(frozen=True)
class DayRow:
    """A day of the picture with its hours."""

    label: str
    y: int
    bars: list[Bar]

    @property
    def text_y(self) -> int:
        """The base line of the label."""
        return self.y + ROW_HEIGHT - 8


@dataclass(frozen=True)
class WeekPicture:
    """Rows of days under a scale of hours; `{% include "components/_week.html" with week=… %}`."""

    rows: list[DayRow]
    hours: list[tuple[int, str]]
    width: int
    height: int
    day_x: int = LABEL_WIDTH
    day_width: int = DAY_WIDTH
    bar_height: int = ROW_HEIGHT - 6
    top: int = HEADING_HEIGHT


def week_picture(ranges: Iterable[HoursOfDays]) -> WeekPicture:
    """The hours of each weekday, and of each calendar day that the ranges name."""
    ordered = in_order(ranges)
    named = {day for hours in ordered for day in hours.calendar_days}
    days: list[int | CalendarDay] = [
        *range(len(WEEKDAYS)),
        *sorted(named, key=lambda day: (day.year or 0, day.month, day.day)),
    ]
    rows = [
        DayRow(_label(day), HEADING_HEIGHT + number * ROW_HEIGHT, _bars(day, ordered))
        for number, day in enumerate(days)
    ]
    scale = [(LABEL_WIDTH + hour * DAY_WIDTH // 24, f"{hour:02}") for hour in range(0, 25, 3)]
    height = HEADING_HEIGHT + len(rows) * ROW_HEIGHT
    return WeekPicture(rows, scale, LABEL_WIDTH + DAY_WIDTH + 12, height)


def _label(day: int | CalendarDay) -> str:
    if isinstance(day, int):
        return WEEKDAYS[day]
    return f"{day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if day.year else ''}"


def _bars(day: int | CalendarDay, ranges: Iterable[HoursOfDays]) -> list[Bar]:
    """The hours of a day, those that touch as one."""
    spans: list[list[int]] = []
    own = (hours for hours in ranges if day in hours.weekdays or day in hours.calendar_days)
    for start, end in sorted((hours.start_minute, hours.end_minute) for hours in own):
        if spans and start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    return [
        Bar(
            x=round(LABEL_WIDTH + start * DAY_WIDTH / MINUTES_OF_DAY, 1),
            width=round((end - start) * DAY_WIDTH / MINUTES_OF_DAY, 1),
            title=f"{_label(day)} {start // 60:02}:{start % 60:02} to {end // 60:02}:{end % 60:02}",
        )
        for start, end in spans
    ]
