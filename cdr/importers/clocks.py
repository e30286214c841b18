"""Instants as switches write them, column-wise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl


class Alike:
    """A clock all of whose times are of one kind."""

    def says_utc(self, column: str) -> pl.Expr | None:
        return None


class Clock(Protocol):
    """How instants are written; `example` shows it in the reason for a line that differs."""

    @property
    def example(self) -> str: ...

    @property
    def is_local(self) -> bool:
        """Whether the zone of the source says which instants are meant."""
        ...

    def read(self, column: str) -> pl.Expr:
        """A text column as datetimes in microseconds without a zone: local ones, or of UTC."""
        ...

    def says_utc(self, column: str) -> pl.Expr | None:
        """Which of the times are of UTC though others are local; None where all are alike."""
        ...


@dataclass(frozen=True)
class LocalClock(Alike):
    """What the wall clock showed, in the first of the formats (of Polars) that fits."""

    formats: Sequence[str]
    example: str
    is_local: bool = True

    def read(self, column: str) -> pl.Expr:
        readings = [
            pl.col(column).str.to_datetime(each, time_unit="us", strict=False)
            for each in self.formats
        ]
        return readings[0] if len(readings) == 1 else pl.coalesce(readings)


@dataclass(frozen=True)
class OffsetClock(Alike):
    """A time with its offset from UTC, as PostgreSQL writes it or ISO 8601 asks for."""

    example: str = "2026-10-31 23:59:59.123+00"
    is_local: bool = False

    def read(self, column: str) -> pl.Expr:
        text = pl.col(column).str.replace("T", " ", literal=True)
        text = text.str.replace(r"Z$", "+00")
        aware = text.str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False
        )
        return aware.dt.replace_time_zone(None)


@dataclass(frozen=True)
class EpochClock(Alike):
    """A whole number since 1970-01-01 00:00 UTC, each of which is so many microseconds."""

    microseconds: int
    example: str
    is_local: bool = False

    def read(self, column: str) -> pl.Expr:
        count = pl.col(column).cast(pl.Int64, strict=False)
        # 1970 to 9999: what lies outside is no count of these units.
        most = 253_402_300_799_999_999 // self.microseconds
        within = pl.when(count.is_between(0, most)).then(count)
        return (within * self.microseconds).cast(pl.Datetime("us"))


@dataclass(frozen=True)
class ZonedClock:
    """`23:59:59.123 UTC OCT 31 2026`: of UTC where it says so or GMT, else local.

    The weekday may stand before the month, and a dot or asterisk in front, as Cisco's format has
    where clocks are not synchronised.
    """

    example: str = "23:59:59.123 UTC OCT 31 2026"
    is_local: bool = True

    def read(self, column: str) -> pl.Expr:
        return pl.col(column).map_batches(_read_zoned, return_dtype=pl.Datetime("us"))

    def says_utc(self, column: str) -> pl.Expr:
        return pl.col(column).str.contains(r" (?:UTC|GMT) ")


def _read_zoned(text: pl.Series) -> pl.Series:
    """Times of UTC without a weekday, as nearly all are, need not be turned round first."""
    is_plain = text.str.contains(_PLAIN).fill_null(False)
    if is_plain.all():
        return text.str.to_datetime("%H:%M:%S%.f UTC %b %d %Y", time_unit="us", strict=False)
    turned = text.str.replace(_ZONED, "${4} ${3} ${5} ${1}")
    return turned.str.to_datetime("%d %b %Y %H:%M:%S%.f", time_unit="us", strict=False)


_PLAIN = r"^\d\d:\d\d:\d\d\.\d{3} UTC [A-Z]{3} \d\d \d{4}$"
_ZONED = r"^[.*]?(\S+) (\S+) (?:[A-Za-z]{3} )?([A-Za-z]{3}) (\d{1,2}) (\d{4})$"
LOCAL_SECONDS = LocalClock(("%Y-%m-%d %H:%M:%S",), "2026-10-31 23:59:59")
EPOCH_SECONDS = EpochClock(1_000_000, "1793491199")
EPOCH_MICROSECONDS = EpochClock(1, "1793491199000000")
