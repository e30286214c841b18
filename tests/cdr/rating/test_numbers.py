import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cdr.rating.numbers import align, digit_counts, normalise, prefix_intervals
from cdr.rules.numbers import normalise_number
from tests.cdr.rating.strategies import digits

texts = st.text("0159+ x\t", max_size=20)


class TestAlign:
    def test_puts_digits_left_and_counts_them(self) -> None:
        keys = align(pl.Series(["44", "440", "123456789012345", "0"]))

        assert keys.dtype == np.int64
        assert keys.tolist() == [
            440_000_000_000_000 * 32 + 2,
            440_000_000_000_000 * 32 + 3,
            123_456_789_012_345 * 32 + 15,
            1,
        ]

    def test_only_counts_the_digits_after_the_fifteenth(self) -> None:
        keys = align(pl.Series(["1234567890123456", "123456789012345" + "9" * 40]))

        first = 123_456_789_012_345 * 32
        assert keys.tolist() == [first + 16, first + 31]
        assert digit_counts(keys).tolist() == [16, 31]

    def test_marks_what_is_not_a_number(self) -> None:
        keys = align(pl.Series(["", None, "+44", "44 1", "-5", "٤٤", "44\n", "abc"]))

        assert keys.tolist() == [-1] * 8

    def test_takes_an_empty_column(self) -> None:
        assert align(pl.Series([], dtype=pl.String)).tolist() == []

    @given(digits, st.text("0123", min_size=1, max_size=17))
    def test_falls_into_a_prefix_exactly_when_the_number_starts_so(
        self, prefix: str, number: str
    ) -> None:
        key = int(align(pl.Series([number]))[0])

        (start,), (end,) = prefix_intervals(pl.Series([prefix]))
        assert (start <= key < end) == number.startswith(prefix)


class TestNormalise:
    @given(st.lists(texts, min_size=1, max_size=20))
    def test_equals_the_rule(self, numbers: list[str]) -> None:
        assert normalise(pl.Series(numbers)).to_list() == [normalise_number(n) for n in numbers]
