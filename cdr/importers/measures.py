"""Durations and volumes as switches write them, column-wise, in whole units."""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from cdr.rules.volumes import Rounding

MICRO = 1_000_000
MAX_SECONDS = 2**31 - 1
MAX_VOLUME = 10**12
"""More than any xDR holds; a million of it fits 64 bits."""


class Measure(Protocol):
    """How a quantity is written; `expected` says so in the reason for a line that differs."""

    @property
    def expected(self) -> str: ...

    def read(self, column: str, rounding: Rounding) -> pl.Expr:
        """The quantity of a text column as int64, null where it is none or too large."""
        ...


def rounded(micro: pl.Expr, rounding: Rounding, per_unit: int = MICRO) -> pl.Expr:
    """An int64 column of which `per_unit` are one unit, not negative, as whole units."""
    whole, rest = micro // per_unit, micro % per_unit
    match rounding:
        case Rounding.UP:
            more = rest > 0
        case Rounding.NEAREST:
            more = rest * 2 >= per_unit
        case Rounding.DOWN:
            return whole
    return whole + more.cast(pl.Int64)


@dataclass(frozen=True)
class WholeSeconds:
    """Seconds without a fraction."""

    expected: str = f"a number of seconds from 0 to {MAX_SECONDS}"

    def read(self, column: str, rounding: Rounding) -> pl.Expr:
        seconds = pl.col(column).cast(pl.Int64, strict=False)
        return pl.when(seconds.is_between(0, MAX_SECONDS)).then(seconds)


@dataclass(frozen=True)
class Decimals:
    """A number of which `per_unit` make a unit, or each makes `units`; six decimals are looked at.

    `most` is the greatest number of units.
    """

    units: int = 1
    per_unit: int = 1
    sign: str = "."
    most: int = MAX_SECONDS

    @property
    def expected(self) -> str:
        return f"a number from 0 to {self.most * self.per_unit // self.units}"

    def read(self, column: str, rounding: Rounding) -> pl.Expr:
        parts = pl.col(column).str.splitn(self.sign, 2)
        digits = parts.struct.field("field_0")
        whole = digits.cast(pl.Int64, strict=False)
        micro = _fraction(parts.struct.field("field_1"))
        ceiling = self.most * self.per_unit // self.units
        is_number = whole.is_between(0, ceiling) & ~digits.str.starts_with("-")
        within = pl.when(is_number).then(whole)
        if self.per_unit == 1:
            return within * self.units + rounded(micro * self.units, rounding)
        rest = within % self.per_unit * MICRO + micro
        return within // self.per_unit + rounded(rest, rounding, MICRO * self.per_unit)


@dataclass(frozen=True)
class ClockTime:
    """Hours, minutes and seconds: 01:02:03, 02:03 or 00:02:03.5."""

    sign: str = "."
    expected: str = "a time span like 00:01:30"

    def read(self, column: str, rounding: Rounding) -> pl.Expr:
        groups = pl.col(column).str.extract_groups(
            rf"^(?:(\d{{1,6}}):)?(\d{{1,2}}):([0-5]\d)(?:[{self.sign}](\d+))?$"
        )
        hours, minutes, seconds = (
            groups.struct.field(str(number)).cast(pl.Int64) for number in (1, 2, 3)
        )
        whole = hours.fill_null(0) * 3600 + minutes * 60 + seconds
        return whole + rounded(_fraction(groups.struct.field("4")), rounding)


def _fraction(digits: pl.Expr) -> pl.Expr:
    """What stands behind the decimal sign, in millionths; zero where there is no sign."""
    micro = digits.str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64, strict=False)
    is_number = digits.str.contains(r"^[0-9]+$")
    return pl.when(digits.is_null()).then(0).when(is_number).then(micro)
