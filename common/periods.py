"""Billing periods: half-open ranges of dates, and the instants they cover in a provider's zone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from common.errors import DomainError

# Near the first and last years of `date` the next month, or a zone's midnight, does not exist.
_MONTH = re.compile(r"((?:19|2[0-9])[0-9]{2})-(0[1-9]|1[0-2])")


class PeriodNotUnderstood(DomainError):
    """The text is not a month such as `2026-10`."""


@dataclass(frozen=True, order=True)
class Period:
    """Days from `from_date` (inclusive) to `to_date` (exclusive)."""

    from_date: date
    to_date: date

    def __post_init__(self) -> None:
        if self.from_date >= self.to_date:
            raise PeriodNotUnderstood(f"A period must end after it starts, not {self}.")

    def __str__(self) -> str:
        return f"{self.from_date} to {self.to_date - timedelta(days=1)}"

    @property
    def days(self) -> int:
        """Number of days in the period."""
        return (self.to_date - self.from_date).days

    @property
    def last_date(self) -> date:
        """The last day that belongs to the period."""
        return self.to_date - timedelta(days=1)

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """First instant of the period and the first one after it, in `zone` (DST-safe)."""
        return start_of_day(self.from_date, zone), start_of_day(self.to_date, zone)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Midnight that begins `day` in `zone`, aware."""
    return datetime.combine(day, time.min, tzinfo=zone)


def month(year: int, number: int) -> Period:
    """The calendar month."""
    following = date(year + number // 12, number % 12 + 1, 1)
    return Period(date(year, number, 1), following)


def months(period: Period) -> Iterator[Period]:
    """The calendar months of a period in order, the first and the last as far as they are in it."""
    first = period.from_date
    while first < period.to_date:
        following = month(first.year, first.month).to_date
        yield Period(first, min(following, period.to_date))
        first = following


def parse_month(text: str) -> Period:
    """`2026-10` as a period, of the years 1900 to 2999.

    :raises PeriodNotUnderstood: for anything else.
    """
    match = _MONTH.fullmatch(text)
    if match is None:
        raise PeriodNotUnderstood(f"'{text}' is not a month; write it as 2026-10.")
    return month(int(match[1]), int(match[2]))
