"""The calendar months, quarters and years that recurring prices are for."""

from collections.abc import Iterator
from datetime import date

from common.periods import Period

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def price_period_of(price_period: str, day: date) -> Period:
    """The calendar MONTH, QUARTER or YEAR that `day` lies in."""
    months = _MONTHS[price_period]
    # Months counted from year 0, so that every length divides the year evenly.
    first = (day.year * 12 + day.month - 1) // months * months
    return Period(_first_day(first), _first_day(first + months))


def price_periods_from(price_period: str, day: date) -> Iterator[Period]:
    """The price period that `day` lies in and all that follow it, without end."""
    while True:
        period = price_period_of(price_period, day)
        yield period
        day = period.to_date


def _first_day(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)
