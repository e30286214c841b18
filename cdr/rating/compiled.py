"""A rate table compiled for columns of xDRs.

Time is cut into epochs at the instants where a rate comes into force or ends. Inside an epoch the
rates in force do not change, so that one prefix index serves it; it is built when first needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cdr.rating.fixed_point import PriceColumns
from cdr.rating.intervals import PrefixIndex, build_prefix_index
from cdr.rating.numbers import prefix_end, prefix_start
from cdr.rating.supported import require_supported_rate, require_supported_table
from cdr.rules.choosing import effective_ends
from cdr.rules.instants import to_microseconds
from cdr.rules.rates import Rate, RateStatus, RateTable

NEVER = int(np.iinfo(np.int64).max)
NO_RATE_ID = -1

ROWS_AT_ONCE = 65_536
"""Rows of one step: bounds the memory of intermediate columns; speed hardly depends on it."""

INDEXES_KEPT = 64
"""Prefix indexes remembered per table: 60 000 prefixes take 1.5 MB, a chunk spans few epochs."""


@dataclass(frozen=True, slots=True)
class RatedBatch:
    """Parallel arrays, one row per xDR, in the order given.

    `rate_index` (int32, -1 none) points into the table's `rates`, `prefixes`, `destinations`;
    `rate_id` (int64, -1 none) is that rate's id; `billed` (int64) is in volume units; `cost`
    (int64) is in units of 10^-8 whatever the table's decimals, exact; `reason` (uint8) holds
    `Reason` values. A row that is unrated, blocked or overflowed has billed and cost 0.
    """

    rate_index: NDArray[np.int32]
    rate_id: NDArray[np.int64]
    billed: NDArray[np.int64]
    cost: NDArray[np.int64]
    reason: NDArray[np.uint8]


class CompiledTable:
    """The rates of one table, ready to rate columns; `compile_table` builds it.

    `rates`, `prefixes` and `destinations` are by rate index; stashed rates keep their index and
    are never chosen.
    """

    def __init__(self, table: RateTable, rates: Sequence[Rate]) -> None:
        self.table = table
        self.rates = tuple(rates)
        self.prefixes = tuple(rate.prefix for rate in self.rates)
        self.destinations = tuple(rate.destination for rate in self.rates)
        self._ids = np.array([*(rate.id for rate in self.rates), NO_RATE_ID], dtype=np.int64)
        self._prices = PriceColumns(table, self.rates)
        self._epochs = _Epochs(self.rates)

    def rate(
        self,
        destination: NDArray[np.int64],
        started_at: NDArray[np.int64],
        volume: NDArray[np.int64],
    ) -> RatedBatch:
        """Choose the rate of every row and price it.

        `destination` holds keys made by `align`, `started_at` microseconds since 1970-01-01 UTC,
        `volume` volume units (voice: seconds), 0 for an attempt; all int64 and equally long.

        :raises ValueError: the columns differ in length or a volume is negative.
        """
        rows = len(destination)
        if len(started_at) != rows or len(volume) != rows:
            raise ValueError("destination, started_at and volume differ in length")
        if rows and int(volume.min()) < 0:
            raise ValueError(f"row {int(volume.argmin())}: a volume is 0 or more")
        batch = RatedBatch(
            rate_index=np.empty(rows, dtype=np.int32),
            rate_id=np.empty(rows, dtype=np.int64),
            billed=np.empty(rows, dtype=np.int64),
            cost=np.empty(rows, dtype=np.int64),
            reason=np.empty(rows, dtype=np.uint8),
        )
        for first in range(0, rows, ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            index = self._epochs.find(destination[part], started_at[part])
            priced = self._prices.price(index, volume[part])
            batch.rate_index[part] = index
            batch.rate_id[part] = self._ids[index]
            batch.billed[part] = priced.billed
            batch.cost[part] = priced.cost
            batch.reason[part] = priced.reason
        return batch


def compile_table(table: RateTable, rates: Sequence[Rate]) -> CompiledTable:
    """Compile the rates of one table.

    :raises UnsupportedRate: the table or a rate that is not stashed uses what the engine does not
        rate, naming the rate, the column and the value.
    """
    require_supported_table(table)
    for rate in rates:
        if rate.status is not RateStatus.STASHED:
            require_supported_rate(rate)
    return CompiledTable(table, rates)


class _Epochs:
    """The prefix index of each stretch of time in which the rates in force stay the same."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        usable = [i for i, rate in enumerate(rates) if rate.status is not RateStatus.STASHED]
        ends = effective_ends(rates)
        # Ascending preference inside a prefix: the last of equals is the one to choose.
        usable.sort(key=lambda i: (rates[i].effective_from, rates[i].id))
        self._owners = np.array(usable, dtype=np.int32)
        self._effective_from = _instants([rates[i].effective_from for i in usable])
        self._effective_to = _instants([ends[i] for i in usable])
        self._starts = np.array([prefix_start(rates[i].prefix) for i in usable], dtype=np.int64)
        self._ends = np.array([prefix_end(rates[i].prefix) for i in usable], dtype=np.int64)
        self._lengths = np.array([len(rates[i].prefix) for i in usable], dtype=np.int8)
        self._cuts = np.unique(np.concatenate([self._effective_from, self._effective_to]))
        self._indexes: dict[int, PrefixIndex] = {}

    def find(
        self, destination: NDArray[np.int64], started_at: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """The index of the rate for each row; -1 for none."""
        first, last = self._epoch_of(np.array([started_at.min(), started_at.max()])).tolist()
        if first == last:
            return self._index(first).find(destination)
        epoch_by_row = self._epoch_of(started_at)
        found = np.empty(len(destination), dtype=np.int32)
        for epoch in np.unique(epoch_by_row).tolist():
            rows = np.flatnonzero(epoch_by_row == epoch)
            found[rows] = self._index(epoch).find(destination[rows])
        return found

    def _epoch_of(self, started_at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Epoch e runs from cut e - 1 to cut e; epoch 0 lies before every rate."""
        return np.searchsorted(self._cuts, started_at, side="right")

    def _index(self, epoch: int) -> PrefixIndex:
        index = self._indexes.pop(epoch, None) or self._build(epoch)
        self._indexes[epoch] = index  # the most recently used comes last
        if len(self._indexes) > INDEXES_KEPT:
            del self._indexes[next(iter(self._indexes))]
        return index

    def _build(self, epoch: int) -> PrefixIndex:
        beginning = int(self._cuts[epoch - 1]) if epoch else int(np.iinfo(np.int64).min)
        in_force = (self._effective_from <= beginning) & (beginning < self._effective_to)
        rows = np.flatnonzero(in_force)
        # np.unique keeps the first of equals, and the preferred one comes last.
        _, preferred = np.unique(self._starts[rows][::-1], return_index=True)
        rows = rows[::-1][preferred]
        return build_prefix_index(
            self._starts[rows], self._ends[rows], self._lengths[rows], self._owners[rows]
        )


def _instants(instants: Sequence[datetime | None]) -> NDArray[np.int64]:
    return np.array(
        [NEVER if instant is None else to_microseconds(instant) for instant in instants],
        dtype=np.int64,
    )
