"""Pages about one month, which their address names: `?month=2026-10`."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.timezone import localdate

from common import clock
from common.periods import Period, PeriodNotUnderstood, month, parse_month
from web.access import SurfaceRequest


@dataclass(frozen=True)
class ShownMonth:
    """A month with the first days of the months before and after; `later` None: not begun yet."""

    period: Period
    earlier: date
    later: date | None


def shown_month(request: SurfaceRequest) -> ShownMonth:
    """The month that the address names, or that in which the provider is now."""
    today = localdate(clock.now())
    try:
        period = parse_month(request.GET.get("month", ""))
    except PeriodNotUnderstood:
        period = month(today.year, today.month)
    earlier = (period.from_date - timedelta(days=1)).replace(day=1)
    return ShownMonth(period, earlier, period.to_date if period.to_date <= today else None)
