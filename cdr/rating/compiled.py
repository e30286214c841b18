"""A rate table, with its parents, compiled for columns of xDRs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from cdr.rating.choice import NO_RATE, Choice, Located, TagColumn
from cdr.rating.columns import RateColumns, chained
from cdr.rating.fixed_point import PriceColumns, PricedRows, fit
from cdr.rating.rate_keys import sort_rates
from cdr.rating.splitting import (
    LONGEST_SPLIT,
    MICROSECONDS,
    NOTHING_ON_TOP,
    RateStretch,
    split_rows,
)
from cdr.rating.timeline import FOREVER, Timeline
from cdr.rules.cost import Reason, Stretch, leg_cost
from cdr.rules.rates import Boundary, ParentRefused, Rate, RateStatus, RateTable

NO_RATE_ID = -1

ROWS_AT_ONCE = 65_536
"""Rows of one step: bounds the memory of intermediate columns; speed hardly depends on it."""

_NOT_CHARGED = (Reason.UNRATED, Reason.BLOCKED, Reason.OVERFLOW)
_SPLIT = (Reason.RATED, Reason.OVERFLOW)
_SPLIT_ADDITIVE = (*_SPLIT, Reason.UNRATED)


@dataclass(frozen=True, slots=True)
class RatedBatch:
    """Parallel arrays, one row per xDR, in the order given.

    `rate_index` (int32, -1 none) points into the table's rates; `rate_id` (int64, -1 none) is that
    rate's id; `billed` (int64) is in volume units; `cost` (int64) is in units of 10^-8 whatever the
    table's decimals, exact; `reason` (uint8) holds `Reason` values. `additive_index`,
    `additive_id` and `additive_cost` are of the additive rate, whose cost comes on top of `cost`. A
    row that is unrated, blocked or overflowed has billed and costs 0. Where a row was split, the
    rates are those of its start.
    """

    rate_index: NDArray[np.int32]
    rate_id: NDArray[np.int64]
    billed: NDArray[np.int64]
    cost: NDArray[np.int64]
    reason: NDArray[np.uint8]
    additive_index: NDArray[np.int32]
    additive_id: NDArray[np.int64]
    additive_cost: NDArray[np.int64]


class CompiledTable:
    """The rates of a table and its parents, ready to rate columns.

    The rates of the table come first, then those of its parent and so on. Rounding, decimals, time
    zone, increments and boundary are the table's own, whichever table a rate stands in.
    """

    def __init__(self, table: RateTable, rates: Sequence[RateColumns]) -> None:
        self.table = table
        self.rates, depth = chained(rates)
        keys = sort_rates(self.rates, depth)
        instants = np.concatenate([keys.effective_from, keys.effective_to])
        cuts = np.unique(instants[instants != FOREVER])
        self.choice = Choice(keys, Timeline(cuts, keys.profiles, table.timezone))
        self._ids = np.append(self.rates.integers("id", 0), NO_RATE_ID)
        self._prices = PriceColumns(table, self.rates)
        self._unit = table.seconds_per_volume_unit * MICROSECONDS

    @property
    def needs_caller(self) -> bool:
        """Whether the caller's number decides anywhere."""
        return self.choice.needs_caller

    @property
    def needs_tags(self) -> bool:
        """Whether the tags of an xDR decide anywhere."""
        return self.choice.needs_tags

    def rate(
        self,
        destination: NDArray[np.int64],
        started_at: NDArray[np.int64],
        volume: NDArray[np.int64],
        *,
        caller: NDArray[np.int64] | None = None,
        tags: TagColumn | None = None,
        included: NDArray[np.int64] | None = None,
    ) -> RatedBatch:
        """Choose the rate of every row and price it.

        `destination` and `caller` hold keys made by `align`, `started_at` microseconds since
        1970-01-01 UTC, `volume` volume units (voice: seconds), 0 for an attempt, and `included` how
        many of them an allowance covers; all int64 and equally long.

        :raises ValueError: the columns differ in length or a volume is negative.
        """
        rows = len(destination)
        tag_codes = None if tags is None else tags.codes
        for column in (started_at, volume, caller, tag_codes, included):
            if column is not None and len(column) != rows:
                raise ValueError("destination, started_at and volume differ in length")
        for amount in (volume, included):
            if amount is not None and rows and int(amount.min()) < 0:
                raise ValueError(f"row {int(amount.argmin())}: a volume is 0 or more")
        parts = []
        for first in range(0, rows, ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            located = self.choice.locate(
                destination[part], None if caller is None else caller[part], tags and tags[part]
            )
            covered = None if included is None else np.minimum(included[part], volume[part])
            parts.append(self._rate(located, started_at[part], volume[part], covered))
        return _joined(parts)

    def _rate(
        self,
        located: Located,
        started_at: NDArray[np.int64],
        volume: NDArray[np.int64],
        included: NDArray[np.int64] | None,
    ) -> RatedBatch:
        index, priced = self._price(located, started_at, volume, included, is_additive=False)
        if self.choice.has_additive:
            on_top_index, on_top = self._price(
                located, started_at, volume, included, is_additive=True
            )
            _add(priced, on_top_index, on_top)
            on_top_id, on_top_cost = self._ids[on_top_index], on_top.cost
        else:
            on_top_index = np.full(len(index), NO_RATE, dtype=np.int32)
            on_top_id = np.full(len(index), NO_RATE_ID, dtype=np.int64)
            on_top_cost = np.zeros(len(index), dtype=np.int64)
        return RatedBatch(
            rate_index=index,
            rate_id=self._ids[index],
            billed=priced.billed,
            cost=priced.cost,
            reason=priced.reason,
            additive_index=on_top_index,
            additive_id=on_top_id,
            additive_cost=on_top_cost,
        )

    def _price(
        self,
        located: Located,
        started_at: NDArray[np.int64],
        volume: NDArray[np.int64],
        included: NDArray[np.int64] | None,
        *,
        is_additive: bool,
    ) -> tuple[NDArray[np.int32], PricedRows]:
        """The rate of each row by its policy, and the price at it."""
        if self.table.boundary is not Boundary.SPLIT:
            index = self.choice.choose(located, started_at, is_additive=is_additive)
            return index, self._prices.price(index, volume, included)
        covered = np.zeros_like(volume) if included is None else included
        too_long = volume > LONGEST_SPLIT * MICROSECONDS // self._unit
        covered = np.where((covered < volume) & ~too_long, covered, 0)
        at_start = self.choice.choose(located, started_at, is_additive=is_additive)
        grace = self._prices.grace(at_start)
        # Whether it is free was decided before the allowance was used.
        covered = np.where(volume <= grace, 0, covered)
        charged_from, index = started_at, at_start.copy()
        if covered.any():
            charged_from = started_at + covered * self._unit
            index = self.choice.choose(located, charged_from, is_additive=is_additive)
        priced = self._prices.price(index, volume, included, at_start=at_start)
        charged = np.isin(priced.reason, _SPLIT_ADDITIVE if is_additive else _SPLIT)
        length = np.where(charged, volume - covered, 0)
        too_long &= charged
        if too_long.any():
            priced.billed[too_long] = 0
            priced.cost[too_long] = 0
            priced.reason[too_long] = Reason.OVERFLOW
            length[too_long] = 0
        stretches = split_rows(
            self.choice,
            located,
            index,
            charged_from,
            length,
            unit=self._unit,
            is_additive=is_additive,
        )
        for row, later in stretches.items():
            every = [RateStretch(0, int(index[row])), *later]
            leg = self._split(
                every, int(volume[row]), int(covered[row]), int(grace[row]), is_additive
            )
            priced.billed[row], priced.cost[row], priced.reason[row] = leg
            if is_additive:
                index[row] = next(each.rate_index for each in every if each.rate_index >= 0)
        return index, priced

    def _split(
        self,
        stretches: Sequence[RateStretch],
        volume: int,
        included: int,
        grace: int,
        is_additive: bool,
    ) -> tuple[int, int, Reason]:
        """Billed volume, cost and reason of a row whose rate changes while it lasts."""
        rates = [
            NOTHING_ON_TOP if each.rate_index == NO_RATE else self.rates.rate(each.rate_index)
            for each in stretches
        ]
        if NOTHING_ON_TOP in rates and not is_additive:
            return 0, 0, Reason.UNRATED
        if any(rate.status is RateStatus.BLOCKED for rate in rates):
            return 0, 0, Reason.BLOCKED
        later = [
            Stretch(each.start, rate) for each, rate in zip(stretches[1:], rates[1:], strict=True)
        ]
        leg = leg_cost(self.table, rates[0], volume, included=included, later=later, grace=grace)
        return fit(leg)


def compile_table(
    table: RateTable,
    rates: Sequence[Rate] | RateColumns,
    parents: Sequence[tuple[RateTable, Sequence[Rate] | RateColumns]] = (),
) -> CompiledTable:
    """Compile the rates of a table and of its parents, the nearest first.

    :raises ParentRefused: a parent has another currency than the table.
    """
    chain = [rates, *(parent_rates for _, parent_rates in parents)]
    for parent, _ in parents:
        require_same_currency(table, parent)
    columns = [each if isinstance(each, RateColumns) else RateColumns.of(each) for each in chain]
    return CompiledTable(table, columns)


def require_same_currency(table: RateTable, parent: RateTable) -> None:
    """:raises ParentRefused: the currencies of a table and its parent are known and differ."""
    if table.currency and parent.currency and table.currency != parent.currency:
        why = f"its currency is {parent.currency}, that of {table.name!r} is {table.currency}"
        raise ParentRefused("parent", parent.name, why)


def _add(priced: PricedRows, additive_index: NDArray[np.int32], on_top: PricedRows) -> None:
    """Have rows fail with their additive rate, and charge no additive rate to rows that fail."""
    fails = (additive_index != NO_RATE) & np.isin(on_top.reason, _NOT_CHARGED)
    stands = ~np.isin(priced.reason, _NOT_CHARGED)
    failing = fails & stands
    priced.reason[failing] = on_top.reason[failing]
    refused = fails | ~stands
    priced.billed[refused] = 0
    priced.cost[refused] = 0
    on_top.cost[refused] = 0
    additive_index[~stands] = NO_RATE


def _joined(parts: Sequence[RatedBatch]) -> RatedBatch:
    if len(parts) == 1:
        return parts[0]
    empty = np.zeros(0, dtype=np.int64)
    if not parts:
        narrow = empty.astype(np.int32)
        reason = empty.astype(np.uint8)
        return RatedBatch(narrow, empty, empty, empty, reason, narrow, empty, empty)
    columns = (field.name for field in fields(RatedBatch))
    return RatedBatch(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    )
