"""Pages about one calendar month, which leads to those before and after it."""

from datetime import date, timedelta

from django.http import Http404
from django.utils.timezone import localdate

from common import clock
from common.periods import Period, PeriodNotUnderstood, month, parse_month


def this_month() -> Period:
    """The present month in the provider's zone."""
    return _month_of(localdate(clock.now()))


def asked_month(text: str) -> Period:
    """The month that an address names, the present one where it names none."""
    try:
        return parse_month(text) if text else this_month()
    except PeriodNotUnderstood as fault:
        raise Http404 from fault


def month_before(period: Period) -> Period:
    """The calendar month before another."""
    return _month_of(period.from_date - timedelta(days=1))


def month_after(period: Period) -> Period | None:
    """The calendar month after another, if it has begun."""
    after = _month_of(period.to_date)
    return after if after <= this_month() else None


def name_of(period: Period) -> str:
    """The month as addresses write it, such as `2026-10`."""
    return f"{period.from_date:%Y-%m}"


def _month_of(day: date) -> Period:
    return month(day.year, day.month)
