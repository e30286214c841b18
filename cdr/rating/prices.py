"""The price of every leg of a batch, table by table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from cdr.rating.choice import NO_RATE, TagColumn
from cdr.rating.compiled import NO_RATE_ID, CompiledTable, RatedBatch
from cdr.rating.legs import PlannedLegs
from cdr.rating.terms import NO_TABLE
from cdr.rules.cost import Reason

STORED_COST_LIMIT = 10**18
"""Legs are stored with ten digits before the decimal point: a greater cost is an overflow."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A rate table to price legs with; `compiled` is None where it cannot be rated by.

    `fault` then says why.
    """

    id: int
    name: str
    currency: str
    compiled: CompiledTable | None
    fault: str = ""

    def destination(self, code: int) -> str:
        """The destination that a code of priced legs stands for."""
        if self.compiled is None:
            raise LookupError(f"rate table {self.id} has no destinations: {self.fault}")
        return self.compiled.rates.coded["destination"].texts[code]


@dataclass(frozen=True, slots=True)
class PricedLegs:
    """Parallel to the planned legs: the rate of the leg's table, billed volume, cost at 10^-8.

    `rate_index` and `rate_id` are -1 for none, and so is `destination`, a code of the table's;
    `cost` is all that is due, `additive_cost` what of it an additive rate adds; `reason` holds
    `Reason` values. `total_before` is of legs priced by tiers: the month's total without them.
    """

    rate_index: NDArray[np.int32]
    destination: NDArray[np.int32]
    rate_id: NDArray[np.int64]
    billed: NDArray[np.int64]
    cost: NDArray[np.int64]
    additive_cost: NDArray[np.int64]
    reason: NDArray[np.uint8]
    total_before: NDArray[np.int64]


def price_legs(
    legs: PlannedLegs,
    tables: Mapping[int, PriceTable],
    *,
    destination: NDArray[np.int64],
    started_at: NDArray[np.int64],
    volume: NDArray[np.int64],
    caller: NDArray[np.int64] | None = None,
    tags: TagColumn | None = None,
    included: NDArray[np.int64] | None = None,
) -> PricedLegs:
    """Rate every leg in its own table; a leg without a table, or whose fault it has, is unrated.

    The columns are by xDR, as `CompiledTable.rate` takes them.
    """
    priced = unpriced(len(legs.row))
    for table_id, members in _by_table(legs.table_id):
        table = tables[table_id] if table_id != NO_TABLE else None
        if table is None or table.compiled is None:
            continue
        row = legs.row[members]
        batch = table.compiled.rate(
            destination[row],
            started_at[row],
            volume[row],
            caller=None if caller is None else caller[row],
            tags=None if tags is None else tags[row],
            included=None if included is None else included[row],
        )
        _place(priced, members, batch, table.compiled)
    return priced


def unpriced(count: int) -> PricedLegs:
    """So many legs that nothing prices."""
    return PricedLegs(
        rate_index=np.full(count, NO_RATE, dtype=np.int32),
        destination=np.full(count, NO_RATE, dtype=np.int32),
        rate_id=np.full(count, NO_RATE_ID, dtype=np.int64),
        billed=np.zeros(count, dtype=np.int64),
        cost=np.zeros(count, dtype=np.int64),
        additive_cost=np.zeros(count, dtype=np.int64),
        reason=np.full(count, Reason.UNRATED, dtype=np.uint8),
        total_before=np.zeros(count, dtype=np.int64),
    )


def chosen_legs(priced: PricedLegs, leg: NDArray[np.integer]) -> PricedLegs:
    """Some of the legs, in the order given."""
    return PricedLegs(
        **{column.name: getattr(priced, column.name)[leg] for column in fields(PricedLegs)}
    )


def place_legs(priced: PricedLegs, leg: NDArray[np.int64], anew: PricedLegs) -> PricedLegs:
    """The same, but with `anew` in the places of some legs."""
    columns = {}
    for column in fields(PricedLegs):
        values = getattr(priced, column.name).copy()
        values[leg] = getattr(anew, column.name)
        columns[column.name] = values
    return PricedLegs(**columns)


def _place(
    priced: PricedLegs,
    members: NDArray[np.int64],
    batch: RatedBatch,
    table: CompiledTable,
) -> None:
    """Enter the legs of one table, but for costs that are too great to be stored."""
    total = batch.cost + batch.additive_cost
    too_dear = np.zeros(len(members), dtype=bool)
    for amount in (batch.cost, batch.additive_cost, total):
        too_dear |= (amount >= STORED_COST_LIMIT) | (amount <= -STORED_COST_LIMIT)
    batch.reason[too_dear] = Reason.OVERFLOW
    found = batch.rate_index != NO_RATE
    destinations = table.rates.coded["destination"].codes
    priced.rate_index[members] = batch.rate_index
    priced.destination[members[found]] = destinations[batch.rate_index[found]]
    priced.rate_id[members] = batch.rate_id
    priced.billed[members] = np.where(too_dear, 0, batch.billed)
    priced.cost[members] = np.where(too_dear, 0, total)
    priced.additive_cost[members] = np.where(too_dear, 0, batch.additive_cost)
    priced.reason[members] = batch.reason


def table_ids(legs: PlannedLegs) -> list[int]:
    """The rate tables that the legs are priced at; tiers, whose ids are negative, are none."""
    return [table_id for table_id, _ in _by_table(legs.table_id) if table_id > NO_TABLE]


def _by_table(table_id: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each table with the positions of its legs, in order."""
    if not len(table_id):
        return
    # A batch has few tables, so that they fit small integers, which are sorted by counting.
    distinct = np.array(sorted(set(table_id.tolist())), dtype=np.int64)
    place = np.searchsorted(distinct, table_id).astype(np.min_scalar_type(len(distinct)))
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=len(distinct)))
    for number, members in enumerate(np.split(order, ends[:-1])):
        yield int(distinct[number]), members
