"""Numbers as sortable integers, so that a prefix is one interval of them.

The key of a number is its digits left-aligned to fifteen places, times sixteen, plus how many
digits it has: `44` is 440000000000000·16 + 2. The count keeps `44` out of the prefix `440`, whose
interval starts at 440000000000000·16 + 3. Digits after the fifteenth decide nothing, for no prefix
is longer.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rules.rates import PREFIX_DIGITS

NOT_A_NUMBER = -1
COUNT_PLACES = 16

_SHIFTS = 10 ** np.arange(PREFIX_DIGITS, -1, -1, dtype=np.int64)


def align(numbers: pl.Series) -> NDArray[np.int64]:
    """The int64 key of each number of a string column; -1 for null and what is not all digits."""
    digits = numbers.set(~numbers.str.contains("^[0-9]+$"), None).str.slice(0, PREFIX_DIGITS)
    values = digits.cast(pl.Int64).fill_null(NOT_A_NUMBER).to_numpy()
    counts = digits.str.len_bytes().fill_null(0).to_numpy().astype(np.int64)
    keys: NDArray[np.int64] = values * _SHIFTS[counts] * COUNT_PLACES + counts
    keys[values == NOT_A_NUMBER] = NOT_A_NUMBER
    return keys


def normalise(numbers: pl.Series) -> pl.Series:
    """Each number without blanks and without its international sign `+` or `00`."""
    compact = numbers.str.replace_all(r"\s", "")
    return compact.str.replace(r"^(?:\+|00)", "")


def prefix_start(prefix: str) -> int:
    """The least key of the numbers that start with `prefix`."""
    return _first_number(prefix) * COUNT_PLACES + len(prefix)


def prefix_end(prefix: str) -> int:
    """The key after the greatest of the numbers that start with `prefix`."""
    return (_first_number(prefix) + _width(prefix)) * COUNT_PLACES


def _first_number(prefix: str) -> int:
    return int(prefix or "0") * _width(prefix)


def _width(prefix: str) -> int:
    """How many fifteen-digit numbers start with `prefix`."""
    return int(_SHIFTS[len(prefix)])
