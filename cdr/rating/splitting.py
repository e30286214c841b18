"""xDRs that last beyond an instant at which their rate changes, in tables that split them there.

A unit of volume is priced by the rate in use when it begins. Few xDRs of a batch are concerned, so
that those are priced one by one, by the rule in Decimals.
"""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cdr.rating.choice import Choice, Located
from cdr.rules.instants import BEGINNING
from cdr.rules.rates import Rate

MICROSECONDS = 1_000_000
LONGEST_SPLIT = 366 * 86_400
"""Seconds; in a table that splits, an xDR that lasts longer is an overflow."""

NOTHING_ON_TOP = Rate(id=0, prefix="", rate=Decimal(0), effective_from=BEGINNING)
"""Stands for an additive rate where there is none for a while."""

Integers = NDArray[np.int64]


class RateStretch(NamedTuple):
    """From `start` chargeable units on, a row is priced at a rate; -1 for none."""

    start: int
    rate_index: int


def split_rows(
    choice: Choice,
    located: Located,
    first: NDArray[np.int32],
    started_at: Integers,
    volume: Integers,
    *,
    unit: int,
    is_additive: bool = False,
) -> dict[int, list[RateStretch]]:
    """The stretches after the first of every row whose rate changes while it lasts.

    `first` is the rate of each row at its start, `started_at` that of its first chargeable unit;
    `unit` is how many microseconds a unit of volume lasts. No row lasts longer than LONGEST_SPLIT.
    """
    found: dict[int, list[RateStretch]] = {}
    ends = started_at + volume * unit
    current = first.copy()
    rows = np.flatnonzero(volume > 0)
    changes = choice.timeline.next_changes(started_at)
    while len(rows := rows[changes[rows] < ends[rows]]):
        at = changes[rows]
        # The first unit that begins at the change or later.
        start = -((started_at[rows] - at) // unit)
        chosen = choice.choose(located[rows], at, is_additive=is_additive)
        for place in np.flatnonzero((chosen != current[rows]) & (start < volume[rows])).tolist():
            stretch = RateStretch(int(start[place]), int(chosen[place]))
            found.setdefault(int(rows[place]), []).append(stretch)
        current[rows] = chosen
        changes[rows] = choice.timeline.next_changes(at)
    return found
