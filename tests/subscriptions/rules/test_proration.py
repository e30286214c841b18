from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.periods import month
from subscriptions.rules.proration import charged_days, prorated

AUGUST = month(2026, 8)
DAYS = st.dates(date(2026, 7, 1), date(2026, 9, 30))
PRICES = st.decimals(min_value=0, max_value=10**9, places=8)


def days(start: date, last: date | None = None, *, entry: bool = True, leaving: bool = True) -> int:
    return charged_days(
        AUGUST,
        start_date=start,
        last_date=last,
        entry_proration=entry,
        exit_proration=leaving,
    )


class TestChargedDays:
    @pytest.mark.parametrize(
        ("start", "last", "expected"),
        [
            (date(2026, 8, 1), None, 31),
            (date(2026, 7, 15), None, 31),
            (date(2026, 8, 8), None, 24),
            (date(2026, 8, 31), None, 1),
            (date(2026, 8, 8), date(2026, 8, 23), 16),
            (date(2026, 8, 8), date(2026, 8, 8), 1),
            (date(2026, 7, 1), date(2026, 8, 7), 7),
            (date(2026, 8, 8), date(2026, 9, 7), 24),
            (date(2026, 7, 1), date(2026, 7, 31), 0),
            (date(2026, 9, 1), None, 0),
            (date(2026, 8, 8), date(2026, 8, 7), 0),
        ],
    )
    def test_count_both_end_days(self, start: date, last: date | None, expected: int) -> None:
        assert days(start, last) == expected

    @pytest.mark.parametrize(
        ("entry", "leaving", "expected"),
        [(True, True, 16), (True, False, 24), (False, True, 23), (False, False, 31)],
    )
    def test_count_in_full_on_the_sides_that_are_switched_off(
        self, entry: bool, leaving: bool, expected: int
    ) -> None:
        first, last = date(2026, 8, 8), date(2026, 8, 23)

        assert days(first, last, entry=entry, leaving=leaving) == expected

    @given(first=DAYS, last=st.none() | DAYS, entry=st.booleans(), leaving=st.booleans())
    def test_are_never_fewer_than_the_days_used_nor_more_than_the_period_has(
        self, first: date, last: date | None, entry: bool, leaving: bool
    ) -> None:
        used = sum(
            first <= AUGUST.from_date + timedelta(days=day)
            and (last is None or AUGUST.from_date + timedelta(days=day) <= last)
            for day in range(31)
        )

        charged = days(first, last, entry=entry, leaving=leaving)

        assert days(first, last) == used
        assert used <= charged <= (31 if used else 0)


class TestProrated:
    @pytest.mark.parametrize(
        ("price", "quantity", "used", "of", "expected"),
        [
            ("21.6", 1, 31, 31, "21.6"),
            ("21.6", 1, 7, 31, "4.8774"),
            ("10.368", 1, 24, 31, "8.0268"),
            ("10.368", 1, 16, 31, "5.3512"),
            ("10.368", 3, 16, 31, "16.0537"),
            ("0.0001", 1, 1, 2, "0.0001"),
            ("0.00009999", 1, 1, 2, "0.0000"),
            ("30", 1, 29, 29, "30"),
            ("90", 1, 45, 90, "45"),
            ("365", 1, 1, 365, "1"),
        ],
    )
    def test_is_the_price_by_days_to_four_decimals_half_up(
        self, price: str, quantity: int, used: int, of: int, expected: str
    ) -> None:
        amount = prorated(Decimal(price), quantity, used, of)

        assert amount == Decimal(expected)
        assert amount.as_tuple().exponent == -4

    @given(
        price=PRICES,
        quantity=st.integers(1, 10**6),
        of=st.integers(28, 366),
        data=st.data(),
    )
    def test_is_within_half_a_unit_of_the_exact_amount(
        self, price: Decimal, quantity: int, of: int, data: st.DataObject
    ) -> None:
        used = data.draw(st.integers(0, of))

        amount = prorated(price, quantity, used, of)

        exact = Fraction(price) * quantity * used / of
        assert abs(Fraction(amount) - exact) <= Fraction(1, 20_000)
        assert amount != Decimal(0) or exact < Fraction(1, 20_000)

    @given(price=PRICES, of=st.integers(28, 366), data=st.data())
    def test_grows_with_every_day(self, price: Decimal, of: int, data: st.DataObject) -> None:
        fewer = data.draw(st.integers(0, of))
        more = data.draw(st.integers(fewer, of))

        assert prorated(price, 1, fewer, of) <= prorated(price, 1, more, of)
