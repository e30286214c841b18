from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.periods import Period
from subscriptions.rules.price_periods import price_period_of, price_periods_from

UNITS = st.sampled_from(["MONTH", "QUARTER", "YEAR"])
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


class TestPricePeriodOf:
    @pytest.mark.parametrize(
        ("unit", "day", "first", "end"),
        [
            ("MONTH", date(2026, 8, 7), date(2026, 8, 1), date(2026, 9, 1)),
            ("MONTH", date(2028, 2, 29), date(2028, 2, 1), date(2028, 3, 1)),
            ("MONTH", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
            ("QUARTER", date(2026, 8, 7), date(2026, 7, 1), date(2026, 10, 1)),
            ("QUARTER", date(2026, 12, 31), date(2026, 10, 1), date(2027, 1, 1)),
            ("YEAR", date(2026, 1, 1), date(2026, 1, 1), date(2027, 1, 1)),
        ],
    )
    def test_is_of_the_calendar(self, unit: str, day: date, first: date, end: date) -> None:
        assert price_period_of(unit, day) == Period(first, end)

    @given(unit=UNITS, day=DAYS)
    def test_holds_its_day_and_is_that_of_each_of_its_days(self, unit: str, day: date) -> None:
        period = price_period_of(unit, day)

        assert period.from_date <= day < period.to_date
        assert price_period_of(unit, period.from_date) == period
        assert price_period_of(unit, period.last_date) == period


class TestPricePeriodsFrom:
    @given(unit=UNITS, day=DAYS)
    def test_follow_each_other_without_a_gap(self, unit: str, day: date) -> None:
        periods = list(islice(price_periods_from(unit, day), 8))

        assert periods[0] == price_period_of(unit, day)
        for earlier, later in pairwise(periods):
            assert earlier.to_date == later.from_date
            assert later == price_period_of(unit, earlier.last_date + timedelta(days=1))
