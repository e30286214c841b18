from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.periods import Period, month
from subscriptions.rules.recurring import RecurringTerms, charges_due, credit_due

AUGUST = month(2026, 8)
MONTHLY = RecurringTerms(
    price=Decimal("21.6"),
    price_period="MONTH",
    quantity=1,
    in_advance=True,
    entry_proration=True,
    exit_proration=True,
    start_date=date(2026, 8, 1),
)
TERMS = st.builds(
    RecurringTerms,
    price=st.decimals(min_value=0, max_value=10**6, places=4),
    price_period=st.sampled_from(["MONTH", "QUARTER", "YEAR"]),
    quantity=st.integers(1, 100),
    in_advance=st.booleans(),
    entry_proration=st.booleans(),
    exit_proration=st.booleans(),
    start_date=st.dates(date(2024, 1, 1), date(2026, 12, 31)),
)


def due(terms: RecurringTerms, until: date) -> list[tuple[Period, Period, Decimal]]:
    return [(each.period, each.used, each.net_amount) for each in charges_due(terms, until)]


class TestChargesDue:
    def test_in_advance_are_due_on_the_first_day(self) -> None:
        september = month(2026, 9)

        assert due(MONTHLY, date(2026, 8, 31)) == [(AUGUST, AUGUST, Decimal("21.6"))]
        assert due(MONTHLY, date(2026, 9, 1)) == [
            (AUGUST, AUGUST, Decimal("21.6")),
            (september, september, Decimal("21.6")),
        ]

    def test_in_arrears_are_due_after_the_last_day(self) -> None:
        arrears = replace(MONTHLY, in_advance=False)

        assert due(arrears, date(2026, 8, 31)) == []
        assert due(arrears, date(2026, 9, 1)) == [(AUGUST, AUGUST, Decimal("21.6"))]

    def test_of_an_entered_and_left_month_are_for_the_days_used(self) -> None:
        terms = replace(
            MONTHLY,
            price=Decimal("10.368"),
            start_date=date(2026, 8, 8),
            last_date=date(2026, 8, 23),
        )

        used = Period(date(2026, 8, 8), date(2026, 8, 24))
        assert due(terms, date(2026, 12, 1)) == [(AUGUST, used, Decimal("5.3512"))]

    def test_of_a_quarter_count_its_actual_days(self) -> None:
        quarterly = replace(
            MONTHLY, price=Decimal(92), price_period="QUARTER", start_date=date(2026, 9, 21)
        )

        assert [amount for _, _, amount in due(quarterly, date(2026, 10, 1))] == [10, 92]

    def test_are_none_before_the_start(self) -> None:
        assert due(MONTHLY, date(2026, 7, 31)) == []

    def test_are_none_of_a_use_that_ends_before_it_starts(self) -> None:
        assert due(replace(MONTHLY, last_date=date(2026, 7, 31)), date(2027, 1, 1)) == []

    @given(terms=TERMS, used_days=st.integers(1, 900))
    def test_with_both_prorations_add_up_to_the_days_used(
        self, terms: RecurringTerms, used_days: int
    ) -> None:
        last = terms.start_date + timedelta(days=used_days - 1)
        both = replace(terms, entry_proration=True, exit_proration=True, last_date=last)

        charges = list(charges_due(both, date(2040, 1, 1)))

        assert sum(charge.used.days for charge in charges) == used_days
        errors = [
            Fraction(charge.net_amount)
            - Fraction(terms.price) * terms.quantity * charge.used.days / charge.period.days
            for charge in charges
        ]
        assert max(map(abs, errors)) <= Fraction(1, 20_000)

    @given(
        terms=TERMS,
        lasts=st.none() | st.integers(0, 900),
        first=st.integers(0, 900),
        more=st.integers(0, 400),
    )
    def test_only_ever_grow(
        self, terms: RecurringTerms, lasts: int | None, first: int, more: int
    ) -> None:
        last = None if lasts is None else terms.start_date + timedelta(days=lasts)
        terms = replace(terms, last_date=last)
        earlier = terms.start_date + timedelta(days=first)

        before = due(terms, earlier)
        after = due(terms, earlier + timedelta(days=more))

        assert after[: len(before)] == before
        starts = [used.from_date for _, used, _ in after]
        assert len(set(starts)) == len(starts)


class TestCreditDue:
    @pytest.mark.parametrize(
        ("price", "charged", "expected"),
        [("21.6", "21.6", "-16.7226"), ("10.368", "10.368", "-8.0268")],
    )
    def test_gives_back_the_days_after_the_last(
        self, price: str, charged: str, expected: str
    ) -> None:
        terms = replace(MONTHLY, price=Decimal(price), last_date=date(2026, 8, 7))

        assert credit_due(terms, AUGUST, Decimal(charged)) == Decimal(expected)

    def test_leaves_sixteen_days_of_the_8th_to_the_23rd(self) -> None:
        terms = replace(MONTHLY, price=Decimal("10.368"), start_date=date(2026, 8, 8))
        (charge,) = charges_due(terms, date(2026, 8, 8))

        left = replace(terms, last_date=date(2026, 8, 23))
        credit = credit_due(left, AUGUST, charge.net_amount)

        assert (charge.net_amount, credit) == (Decimal("8.0268"), Decimal("-2.6756"))
        assert charge.net_amount + credit == Decimal("5.3512")

    def test_is_nothing_without_exit_proration(self) -> None:
        terms = replace(MONTHLY, exit_proration=False, last_date=date(2026, 8, 7))

        assert credit_due(terms, AUGUST, Decimal("21.6")) == 0

    def test_is_everything_of_a_period_that_was_not_entered(self) -> None:
        terms = replace(MONTHLY, exit_proration=False, last_date=date(2026, 8, 31))

        assert credit_due(terms, month(2026, 9), Decimal("21.6")) == Decimal("-21.6")

    @given(terms=TERMS, charged_for=st.integers(0, 800), used_days=st.integers(1, 900))
    def test_makes_charges_in_advance_equal_to_those_of_an_end_known_before(
        self, terms: RecurringTerms, charged_for: int, used_days: int
    ) -> None:
        until = terms.start_date + timedelta(days=charged_for)
        advance = replace(terms, in_advance=True)
        ended = replace(advance, last_date=terms.start_date + timedelta(days=used_days - 1))

        charged = list(charges_due(advance, until))
        credits = [credit_due(ended, each.period, each.net_amount) for each in charged]

        kept = sum(each.net_amount for each in charged) + sum(credits)
        assert kept == sum(each.net_amount for each in charges_due(ended, until))
        assert all(credit <= 0 for credit in credits)
