"""Dates as rate files write them, and which way of writing a column of them has."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1970, 2999


class DateFormat(StrEnum):
    """The ways of writing a date; where several fit a column, the first of them is taken."""

    ISO = "YYYY-MM-DD"
    DAY_DASH = "DD-MM-YYYY"
    DAY_DOT = "DD.MM.YYYY"
    MONTH_SLASH = "MM/DD/YYYY"
    DAY_SLASH = "DD/MM/YYYY"
    YEAR_SLASH = "YYYY/MM/DD"
    COMPACT = "YYYYMMDD"
    MONTH = "YYYY-MM"


_PARTS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "MM": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{1,2})",
    ".": r"\.",
}
_TIME = r"(?:[T ]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.0+)?)?)?"
# With its offset, as exports have it, an instant reads the same whatever the format of a file.
_WITH_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}.*")


def _pattern(date_format: DateFormat) -> re.Pattern[str]:
    written = re.sub(r"YYYY|MM|DD|\.", lambda part: _PARTS[part[0]], date_format.value)
    if date_format is DateFormat.COMPACT:
        written = written.replace("{1,2}", "{2}")
    return re.compile(written + _TIME)


_PATTERNS = {date_format: _pattern(date_format) for date_format in DateFormat}


def read_instant(text: str, date_format: DateFormat, zone: ZoneInfo) -> datetime:
    """The instant that a cell means; without an offset, on the clocks of `zone`.

    Of a time that clocks show twice it is the first. ISO 8601 with a time is read whatever the
    format says.

    >>> read_instant("31.10.2026", DateFormat.DAY_DOT, ZoneInfo("UTC")).isoformat()
    '2026-10-31T00:00:00+00:00'

    :raises ValueError: it is not written so, or no clock of the zone ever shows it.
    """
    instant = _iso(text) if _WITH_TIME.fullmatch(text) else None
    if instant is None:
        instant = _written(text, date_format)
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"'{text}' is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    if instant.tzinfo is not None:
        return instant
    local = instant.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != instant:
        raise ValueError(f"'{text}' is left out when clocks in {zone.key} are put forward")
    return local


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _written(text: str, date_format: DateFormat) -> datetime:
    found = _PATTERNS[date_format].fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is not a date written as {date_format}")
    parts = {name: int(value) for name, value in found.groupdict().items() if value is not None}
    try:
        return datetime(**{"day": 1, **parts})  # type: ignore[arg-type]  # noqa: DTZ001  # local
    except ValueError as error:
        raise ValueError(f"'{text}' is no day of the calendar") from error


def detect_date_format(texts: Iterable[str]) -> DateFormat:
    """How most of the cells are written; of several formats that fit as many, the first.

    >>> detect_date_format(["01/02/2026", "31/12/2026"]).value
    'DD/MM/YYYY'
    """
    cells = [text for text in texts if text]
    return max(DateFormat, key=lambda each: sum(_fits(text, each) for text in cells))


def _fits(text: str, date_format: DateFormat) -> bool:
    try:
        _written(text, date_format)
    except ValueError:
        return False
    return True
