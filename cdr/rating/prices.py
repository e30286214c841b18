"""The price of every leg of a batch, table by table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cdr.rating.compiled import NO_RATE_ID, CompiledTable
from cdr.rating.legs import PlannedLegs
from cdr.rating.terms import NO_TABLE
from cdr.rules.cost import Reason

STORED_COST_LIMIT = 10**18
"""Legs are stored with ten digits before the decimal point: a greater cost is an overflow."""

NO_RATE = -1


@dataclass(frozen=True, slots=True)
class Destinations:
    """The destinations of a table's rates: `names` holds each once, `codes` its place by rate.

    `codes` (int32) is parallel to the rates.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int32]


_NO_DESTINATIONS = Destinations((), np.array([], dtype=np.int32))


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A rate table to price legs with; `compiled` is None where the engine does not rate it.

    `fault` then says why.
    """

    id: int
    name: str
    currency: str
    compiled: CompiledTable | None
    destinations: Destinations = _NO_DESTINATIONS
    fault: str = ""


def price_table(table_id: int, name: str, currency: str, compiled: CompiledTable) -> PriceTable:
    """A compiled table with its destinations."""
    places: dict[str, int] = {}
    codes = [places.setdefault(text, len(places)) for text in compiled.destinations]
    destinations = Destinations(tuple(places), np.array(codes, dtype=np.int32))
    return PriceTable(table_id, name, currency, compiled, destinations)


@dataclass(frozen=True, slots=True)
class PricedLegs:
    """Parallel to the planned legs: the rate of the leg's table, billed volume, cost at 10^-8.

    `rate_index` and `rate_id` are -1 for none, and so is `destination`, a code of the table's;
    `reason` holds `Reason` values.
    """

    rate_index: NDArray[np.int32]
    destination: NDArray[np.int32]
    rate_id: NDArray[np.int64]
    billed: NDArray[np.int64]
    cost: NDArray[np.int64]
    reason: NDArray[np.uint8]


def price_legs(
    legs: PlannedLegs,
    tables: Mapping[int, PriceTable],
    *,
    destination: NDArray[np.int64],
    started_at: NDArray[np.int64],
    volume: NDArray[np.int64],
) -> PricedLegs:
    """Rate every leg in its own table; a leg without a table, or whose fault it has, is unrated.

    The columns are by xDR, as `CompiledTable.rate` takes them.
    """
    count = len(legs.row)
    priced = PricedLegs(
        rate_index=np.full(count, NO_RATE, dtype=np.int32),
        destination=np.full(count, NO_RATE, dtype=np.int32),
        rate_id=np.full(count, NO_RATE_ID, dtype=np.int64),
        billed=np.zeros(count, dtype=np.int64),
        cost=np.zeros(count, dtype=np.int64),
        reason=np.full(count, Reason.UNRATED, dtype=np.uint8),
    )
    for table_id, members in _by_table(legs.table_id):
        table = tables[table_id] if table_id != NO_TABLE else None
        if table is None or table.compiled is None:
            continue
        row = legs.row[members]
        batch = table.compiled.rate(destination[row], started_at[row], volume[row])
        too_dear = (batch.cost >= STORED_COST_LIMIT) | (batch.cost <= -STORED_COST_LIMIT)
        batch.reason[too_dear] = Reason.OVERFLOW
        priced.rate_index[members] = batch.rate_index
        found = batch.rate_index != NO_RATE
        priced.destination[members[found]] = table.destinations.codes[batch.rate_index[found]]
        priced.rate_id[members] = batch.rate_id
        priced.billed[members] = np.where(too_dear, 0, batch.billed)
        priced.cost[members] = np.where(too_dear, 0, batch.cost)
        priced.reason[members] = batch.reason
    return priced


def table_ids(legs: PlannedLegs) -> list[int]:
    """The rate tables that the legs are priced at."""
    return [table_id for table_id, _ in _by_table(legs.table_id) if table_id != NO_TABLE]


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
