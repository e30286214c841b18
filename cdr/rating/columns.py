"""Rates as columns: hundreds of thousands of them, without an object for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.scale import COST_SCALE_DIGITS, to_scaled
from cdr.rules.instants import from_microseconds, to_microseconds
from cdr.rules.rates import Policy, Rate, RateStatus

AMOUNTS = ("rate", "initial_rate", "connection_fee", "min_cost", "max_cost", "attempt_fee")
TEXTS = ("destination", "steps", "time_profile", "policy", "tag", "origin_prefix", "status")
RATE_SCHEMA = {
    "id": pl.Int64,
    "prefix": pl.String,
    "effective_from": pl.Int64,
    "effective_to": pl.Int64,
    **dict.fromkeys(AMOUNTS, pl.Int64),
    "minimum": pl.Int64,
    "increment": pl.Int64,
    "grace": pl.Int64,
    "min_digits": pl.Int16,
    "max_digits": pl.Int16,
    **dict.fromkeys(TEXTS, pl.String),
}
"""Columns of rates: amounts as whole numbers of 10^-8, instants as microseconds UTC.

Null stands for None; texts are never null.
"""

_INSTANTS = ("effective_from", "effective_to")


@dataclass(frozen=True)
class Coded:
    """A text column in which few texts repeat: `codes` (int32, by row) points into `texts`."""

    texts: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(frozen=True)
class RateColumns:
    """Rates of a table, checked when they were entered: `coded` has its TEXTS, `numbers` the rest.

    Texts that repeat are kept once.
    """

    numbers: pl.DataFrame
    coded: Mapping[str, Coded]

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def read(cls, rates: pl.DataFrame) -> "RateColumns":
        """The columns of a frame that has those of RATE_SCHEMA."""
        return cls(rates.drop(TEXTS), {name: _coded(rates[name]) for name in TEXTS})

    @classmethod
    def of(cls, rates: Sequence[Rate]) -> "RateColumns":
        """The columns of rates given one by one."""
        columns: dict[str, Any] = {
            name: [getattr(rate, name) for rate in rates] for name in RATE_SCHEMA
        }
        for name in AMOUNTS:
            columns[name] = [None if value is None else to_scaled(value) for value in columns[name]]
        for name in _INSTANTS:
            columns[name] = [
                None if value is None else to_microseconds(value) for value in columns[name]
            ]
        return cls.read(pl.DataFrame(columns, schema=RATE_SCHEMA))

    def rate(self, index: int) -> Rate:
        """The rate of a row."""
        values: dict[str, Any] = self.numbers.row(index, named=True)
        values |= {name: coded.texts[coded.codes[index]] for name, coded in self.coded.items()}
        for name in AMOUNTS:
            if values[name] is not None:
                values[name] = Decimal(values[name]).scaleb(-COST_SCALE_DIGITS)
        for name in _INSTANTS:
            if values[name] is not None:
                values[name] = from_microseconds(values[name])
        values |= {"policy": Policy(values["policy"]), "status": RateStatus(values["status"])}
        return Rate(**values)

    def has_text(self, column: str, text: str) -> NDArray[np.bool_]:
        """Whether the column of each rate says `text`."""
        coded = self.coded[column]
        wanted = np.array([each == text for each in coded.texts], dtype=bool)
        return wanted[coded.codes] if len(wanted) else np.zeros(len(self), dtype=bool)

    def integers(self, column: str, absent: int) -> NDArray[np.int64]:
        """A column as int64, `absent` where it is null."""
        return self.numbers[column].cast(pl.Int64).fill_null(absent).to_numpy()

    def prefixes(self, index: NDArray[np.int32]) -> list[str]:
        """The prefix of each of the rates; empty for the index -1."""
        found = self.numbers["prefix"].gather(np.maximum(index, 0)) if len(self) else None
        return _where_found(index, found)

    def destinations(self, index: NDArray[np.int32]) -> list[str]:
        """The destination of each of the rates; empty for the index -1."""
        coded = self.coded["destination"]
        texts = pl.Series(coded.texts, dtype=pl.String)
        found = texts.gather(coded.codes[np.maximum(index, 0)]) if len(self) else None
        return _where_found(index, found)


def _where_found(index: NDArray[np.int32], texts: pl.Series | None) -> list[str]:
    if texts is None:
        return [""] * len(index)
    found: list[str] = texts.set(pl.Series(index < 0), "").to_list()
    return found


def chained(tables: Sequence[RateColumns]) -> tuple[RateColumns, NDArray[np.int8]]:
    """The rates of a table and its parents in one, and how many parents away each one is."""
    depths = np.repeat(np.arange(len(tables), dtype=np.int8), [len(table) for table in tables])
    if len(tables) == 1:
        return tables[0], depths
    numbers = pl.concat([table.numbers for table in tables])
    coded = {name: _joined([table.coded[name] for table in tables]) for name in TEXTS}
    return RateColumns(numbers, coded), depths


def _coded(column: pl.Series) -> Coded:
    texts = column.unique(maintain_order=True)
    codes = column.replace_strict(texts, np.arange(len(texts)), return_dtype=pl.Int32)
    return Coded(tuple(texts.to_list()), codes.to_numpy().astype(np.int32))


def _joined(columns: Sequence[Coded]) -> Coded:
    places: dict[str, int] = {}
    codes = []
    for column in columns:
        to = [places.setdefault(text, len(places)) for text in column.texts]
        codes.append(np.array(to, dtype=np.int32)[column.codes])
    return Coded(tuple(places), np.concatenate(codes))
