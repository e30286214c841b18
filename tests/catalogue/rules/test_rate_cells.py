from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.prefixes import parse_prefixes
from catalogue.rules.rate_cells import CellReader
from catalogue.rules.rate_layouts import INCREMENTS
from catalogue.rules.rate_lines import COLUMNS
from catalogue.rules.time_profiles import parse_time_profile

WEEKEND = "Sat-Sun 00:00-24:00"
READER = CellReader(
    ZoneInfo("UTC"), time_profiles={"Weekend": 7, parse_time_profile(f"{WEEKEND} @3"): 7}
)
COMMA = CellReader(ZoneInfo("UTC"), decimal_comma=True)
PRICES = st.decimals("-9999999999", "9999999999", places=8)
DIGITS = st.text("0123456789", min_size=1, max_size=15)


class TestAnAmount:
    @given(PRICES)
    def test_is_read_to_the_last_digit(self, price: Decimal) -> None:
        assert Decimal(READER.amount("rate", f"{price:f}")).scaleb(-8) == price
        assert COMMA.amount("rate", f"{price:f}".replace(".", ",")) == int(price.scaleb(8))

    @pytest.mark.parametrize(
        "text",
        ["much", "1,5", "1e5", "NaN", "Infinity", "0.000000001", "10000000000", "1.2.3", "--1"],
    )
    def test_is_refused_where_a_digit_would_be_lost(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"write it as 0\.0125|at most eight|an amount"):
            READER.amount("rate", text)


class TestPrefixes:
    @given(DIGITS)
    def test_are_what_they_are(self, digits: str) -> None:
        assert READER.of("prefix")(digits) == (digits,)

    @given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20, unique=True))
    def test_of_a_list_are_all_of_it(self, numbers: list[int]) -> None:
        expected = tuple(str(number) for number in numbers)

        for separator in (",", ";", ", ", " ; "):
            assert READER.of("prefix")(separator.join(expected)) == expected

    @given(st.integers(0, 10**6), st.integers(0, 500), st.integers(7, 15))
    def test_of_a_range_are_all_between(self, first: int, more: int, width: int) -> None:
        expected = tuple(f"{number:0{width}}" for number in range(first, first + more + 1))

        assert READER.of("prefix")(f"{expected[0]}-{expected[-1]}") == expected

    @given(
        st.text("0123456789", max_size=5),
        st.integers(0, 9),
        st.integers(0, 9),
        st.text("0123456789", max_size=5),
    )
    def test_of_a_group_are_one_for_each_digit(
        self, start: str, low: int, high: int, end: str
    ) -> None:
        low, high = sorted((low, high))
        expected = tuple(f"{start}{digit}{end}" for digit in range(low, high + 1))

        assert parse_prefixes(f"{start}({low}-{high}){end}") == expected

    def test_of_a_mix_are_all_of_them_once(self) -> None:
        text = "+44301, 44301-44303;443(0-2)1"

        assert READER.of("prefix")(text) == ("44301", "44302", "44303", "44311", "44321")

    @pytest.mark.parametrize(
        "text", ["4x", "44-4", "443-441", "(1", "44,,45", "1" * 16, "0-99999", "44 301"]
    )
    def test_are_refused_where_they_mean_nothing(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            READER.of("prefix")(text)


class TestOtherCells:
    @pytest.mark.parametrize(
        ("text", "expected"), [("60/30", (60, 30, 0)), ("1 / 1 / 5", (1, 1, 5))]
    )
    def test_hold_increments(self, text: str, expected: tuple[int, int, int]) -> None:
        assert READER.of(INCREMENTS)(text) == expected

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            (INCREMENTS, "60"),
            (INCREMENTS, "0/1"),
            ("minimum", "0"),
            ("minimum", "1.5"),
            ("max_digits", "31"),
            ("grace", str(2**31)),
            ("status", "gone"),
            ("time_profile", "Weekday"),
            ("time_profile", WEEKEND),
            ("steps", "60:1/1"),
            ("origin_prefix", "1-2"),
            ("tag", "two words"),
            ("tag", "a,b"),
            ("destination", "x" * 121),
            ("destination", "two\nlines"),
        ],
    )
    def test_are_refused_with_the_reason(self, field: str, text: str) -> None:
        with pytest.raises(ValueError, match=r"\w"):
            READER.of(field)(text)

    def test_name_time_profiles(self) -> None:
        assert READER.of("time_profile")("Weekend") == 7
        assert READER.of("time_profile")("Sat,Sun 0:00-24:00 @3") == 7

    def test_are_whole_where_spreadsheets_add_a_point(self) -> None:
        assert READER.of("minimum")("60.0") == 60

    def test_are_read_for_every_field_there_is(self) -> None:
        assert all(READER.of(field) for field in (*COLUMNS, INCREMENTS))
