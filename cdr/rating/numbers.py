"""Numbers as sortable integers, so that a prefix is one interval of them.

The key of a number is its digits left-aligned to fifteen places, times 32, plus how many digits it
has: `44` is 440000000000000·32 + 2. The count keeps `44` out of the prefix `440`, whose interval
starts at 440000000000000·32 + 3. Of the digits after the fifteenth only the count decides, up to
31, for no prefix is longer.
"""

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.few import FEW
from cdr.rules.rates import PREFIX_DIGITS

NOT_A_NUMBER = -1
COUNT_PLACES = 32

_DIGITS = re.compile("[0-9]+")
_SHIFTS = 10 ** np.arange(PREFIX_DIGITS, -1, -1, dtype=np.int64)


def align(numbers: pl.Series) -> NDArray[np.int64]:
    """The int64 key of each number of a string column; -1 for null and what is not all digits."""
    if len(numbers) <= FEW:
        return np.array([_key(number) for number in numbers.to_list()], dtype=np.int64)
    number = pl.col("number")
    digits = pl.when(number.str.contains("^[0-9]+$")).then(number.str.slice(0, PREFIX_DIGITS))
    read = numbers.to_frame("number").select(
        value=digits.cast(pl.Int64).fill_null(NOT_A_NUMBER),
        count=number.str.len_bytes().fill_null(0).clip(0, COUNT_PLACES - 1),
    )
    values, counts = read["value"].to_numpy(), read["count"].to_numpy()
    aligned = values * _SHIFTS[np.minimum(counts, PREFIX_DIGITS)]
    keys: NDArray[np.int64] = aligned * COUNT_PLACES + counts
    keys[values == NOT_A_NUMBER] = NOT_A_NUMBER
    return keys


def _key(number: str | None) -> int:
    if number is None or not _DIGITS.fullmatch(number):
        return NOT_A_NUMBER
    count = len(number)
    missing = max(PREFIX_DIGITS - count, 0)
    aligned: int = int(number[:PREFIX_DIGITS]) * 10**missing
    return aligned * COUNT_PLACES + min(count, COUNT_PLACES - 1)


def normalise(numbers: pl.Series) -> pl.Series:
    """Each number without blanks and without its international sign `+` or `00`."""
    compact = numbers.str.replace_all(r"\s", "")
    return compact.str.replace(r"^(?:\+|00)", "")


def prefix_intervals(prefixes: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least key of the numbers that start with each prefix, and the key after the greatest."""
    lengths = prefixes.str.len_bytes().to_numpy()
    digits = prefixes.replace("", "0").cast(pl.Int64).to_numpy()
    widths = _SHIFTS[lengths]
    # The empty prefix stands for all fifteen places: its first number is 0 anyway.
    first = digits * widths
    return first * COUNT_PLACES + lengths, (first + widths) * COUNT_PLACES


def digit_counts(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many digits the number of each key has, 31 for more."""
    return keys & (COUNT_PLACES - 1)
