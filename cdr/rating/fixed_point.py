"""Cost in 64-bit fixed point: amounts at 10^-8, one rounding per leg, no binary float.

With the units K of the table, the cost of x further units after the minimum is
(F·K + R0·M + R·x) / K. The part in parentheses is an int64 at 10^-8: its constant half is worked
out once per rate, and so is the volume above which it might not fit. Larger volumes take the
Decimal rule row by row and get the same answer it would give.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalogue.rules.price_steps import STEPS_LIMIT
from cdr.rating.columns import RateColumns
from cdr.rating.scale import COST_SCALE_DIGITS, to_scaled
from cdr.rules.cost import LegCost, Reason, leg_cost
from cdr.rules.rates import FeeDue, IncrementBase, RateStatus, RateTable, Rounding, steps_of

_INT64 = np.iinfo(np.int64)
_SAFE = 2**62
_REFUSALS = np.uint8(2)

Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PricedRows:
    """Per row: billed volume (int64), cost at 10^-8 (int64) and reason (uint8)."""

    billed: Integers
    cost: Integers
    reason: NDArray[np.uint8]


class PriceColumns:
    """The prices of a table's rates as columns, with one more row, the last, for "no rate".

    Rows are picked by rate index, so that the index -1 picks the last.
    """

    def __init__(self, table: RateTable, rates: RateColumns) -> None:
        self.table = table
        self._rates = rates
        fee, rate = rates.integers("connection_fee", 0), rates.integers("rate", 0)
        initial = rates.numbers.select(pl.coalesce("initial_rate", "rate")).to_series().to_numpy()
        minimum, increment = rates.integers("minimum", 1), rates.integers("increment", 1)
        constant, limit = _plain_limits(table, fee, initial, rate, minimum, increment)
        self._steps = _step_columns(table, rates)
        for place, stepped in enumerate(self._steps.rates.tolist()):
            constant[stepped] = self._steps.constants[place]
            limit[stepped] = self._steps.limits[place]
        self._constant = np.append(constant, 0)
        self._limit = np.append(limit, _INT64.max)
        self._rate = np.append(rate, 0)
        self._minimum = np.append(minimum, 1)
        self._increment = np.append(increment, 1)
        self._grace = np.append(rates.integers("grace", 0), 0)
        self._attempt = self._rounded_column("attempt_fee", 0)
        self._fee = self._rounded_column("connection_fee", 0)
        self._floor = self._rounded_column("min_cost", _INT64.min)
        self._cap = self._rounded_column("max_cost", _INT64.max)
        self._least_limit = int(self._limit.min())
        blocked = rates.has_text("status", RateStatus.BLOCKED)
        reasons = np.where(blocked, Reason.BLOCKED, Reason.RATED)
        self._reason = np.append(reasons, Reason.UNRATED).astype(np.uint8)
        bounds = rates.numbers.select(pl.col("min_cost", "max_cost").is_not_null().any())
        self._any_bound = any(bounds.row(0))
        self._any_grace = bool(self._grace.any())
        self._one_step = bool((self._increment == 1).all())

    def price(
        self,
        index: NDArray[np.int32],
        volume: Integers,
        included: Integers | None = None,
        *,
        at_start: NDArray[np.int32] | None = None,
    ) -> PricedRows:
        """Price each row's volume, less what an allowance covers, at the rate of its index.

        The index -1 is unrated. The grace is that of the rate `at_start`, where that is another.
        """
        grace = self.grace(index if at_start is None else at_start)
        charged = volume if included is None else np.maximum(volume - included, 0)
        billed, numerator = self._charge(index, charged)
        cost = self._round(numerator)
        if self._any_bound:
            cost = np.minimum(np.maximum(cost, self._floor[index]), self._cap[index])
        priced = PricedRows(billed, cost, self._reason[index])
        self._leave_free(index, volume, charged, grace, priced)
        # Unrated and blocked are neighbours: one comparison of unsigned numbers finds both.
        refused = np.flatnonzero(priced.reason - np.uint8(Reason.UNRATED) < _REFUSALS)
        billed[refused] = 0
        cost[refused] = 0
        if len(volume) and int(volume.max()) > self._least_limit:
            self._price_large(index, volume, charged, grace, priced)
        return priced

    def _leave_free(
        self,
        index: NDArray[np.int32],
        volume: Integers,
        charged: Integers,
        grace: Integers,
        priced: PricedRows,
    ) -> None:
        """Attempts, and what grace and allowance cover: none of them is billed."""
        is_free = charged == 0
        if self._any_grace:
            is_free |= volume <= grace
        rows = np.flatnonzero(is_free)
        used, rate, grace = volume[rows], index[rows], grace[rows]
        priced.billed[rows] = 0
        priced.cost[rows] = np.where(used == 0, self._attempt[rate], 0)
        if self.table.connection_fee_due is FeeDue.ALWAYS:
            fee = np.minimum(self._fee[rate], self._cap[rate])
            priced.cost[rows] += np.where(used > grace, fee, 0)
        free = np.where(used <= grace, Reason.FREE, Reason.INCLUDED)
        free[used == 0] = Reason.ZERO_VOLUME
        reason = priced.reason[rows]
        priced.reason[rows] = np.where(reason == Reason.RATED, free, reason)

    def grace(self, index: NDArray[np.int32]) -> Integers:
        """Up to which volume each rate charges nothing; 0 for no rate."""
        if not self._any_grace:
            return np.broadcast_to(np.int64(0), index.shape)
        return self._grace[index]

    def _charge(self, index: NDArray[np.int32], volume: Integers) -> tuple[Integers, Integers]:
        """The billed volume, and the cost before rounding times the units of the table."""
        minimum = self._minimum[index]
        billed, further = self._billed(index, volume, minimum)
        numerator = self._constant[index] + self._rate[index] * further
        if len(self._steps.rates):
            step_row = self._steps.row_of_rate[index]
            rows = np.flatnonzero(step_row >= 0)
            if len(rows):
                in_steps, sums = _charge_in_steps(self._steps, step_row[rows], volume[rows])
                billed[rows] = in_steps
                numerator[rows] = self._constant[index[rows]] + sums
        return billed, numerator

    def _billed(
        self, index: NDArray[np.int32], volume: Integers, minimum: Integers
    ) -> tuple[Integers, Integers]:
        further = np.maximum(volume - minimum, 0)
        if self._one_step:
            return minimum + further, further
        increment = self._increment[index]
        if self.table.increment_base is IncrementBase.AFTER_MINIMUM:
            further = (further + (increment - 1)) // increment * increment
            return minimum + further, further
        whole = (volume + (increment - 1)) // increment * increment
        billed = np.where(further > 0, whole, minimum)
        return billed, billed - minimum

    def _round(self, numerator: Integers) -> Integers:
        quantum: int = 10 ** (COST_SCALE_DIGITS - self.table.decimals)
        divisor = self.table.volume_units_per_rating_unit * quantum
        return _divide_signed(numerator, divisor, self.table.rounding) * quantum

    def _price_large(
        self,
        index: NDArray[np.int32],
        volume: Integers,
        charged: Integers,
        grace: Integers,
        priced: PricedRows,
    ) -> None:
        large = (volume > self._limit[index]) & (priced.reason != Reason.BLOCKED)
        for row in np.flatnonzero(large):
            rate = self._rates.rate(int(index[row]))
            included = int(volume[row]) - int(charged[row])
            leg = leg_cost(
                self.table, rate, int(volume[row]), included=included, grace=int(grace[row])
            )
            priced.billed[row], priced.cost[row], priced.reason[row] = fit(leg)

    def _rounded_column(self, column: str, absent: int) -> Integers:
        # Rounding is monotonic: bounding the rounded cost by rounded bounds is the same as
        # rounding the bounded cost.
        amounts = self._rates.numbers[column]
        quantum: int = 10 ** (COST_SCALE_DIGITS - self.table.decimals)
        rounded = _divide_signed(amounts.fill_null(0).to_numpy(), quantum, self.table.rounding)
        bounded = np.where(amounts.is_null().to_numpy(), absent, rounded * quantum)
        return np.append(bounded, absent)


class _Steps(NamedTuple):
    """The price steps of the rates that have any: one row per such rate, one column per step.

    `row_of_rate` is by rate, -1 for none; steps that a rate has not start beyond every volume.
    """

    rates: Integers
    row_of_rate: Integers
    starts: Integers
    stops: Integers
    prices: Integers
    increments: Integers
    constants: list[int]
    limits: list[int]


def _step_columns(table: RateTable, rates: RateColumns) -> _Steps:
    texts = rates.coded["steps"]
    parsed = [steps_of(text) for text in texts.texts]
    has_steps = np.array([bool(steps) for steps in parsed] or [False], dtype=bool)
    members = np.flatnonzero(has_steps[texts.codes])
    row_of_rate = np.full(len(rates) + 1, -1, dtype=np.int64)
    row_of_rate[members] = np.arange(len(members))
    shape = (len(parsed), STEPS_LIMIT)
    starts = np.full(shape, _SAFE, dtype=np.int64)
    prices, increments = np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=np.int64)
    for row, steps in enumerate(parsed):
        for place, step in enumerate(steps):
            starts[row, place] = step.start
            prices[row, place] = to_scaled(step.price)
            increments[row, place] = step.increment
    stops = np.append(starts[:, 1:], np.full((len(parsed), 1), _SAFE, dtype=np.int64), axis=1)
    constants, limits = [], []
    fees = rates.integers("connection_fee", 0)
    for member in members.tolist():
        steps = parsed[texts.codes[member]]
        constant = int(fees[member]) * table.volume_units_per_rating_unit
        dearest = max(abs(to_scaled(step.price)) for step in steps)
        room = (_SAFE - abs(constant)) // max(dearest, 1)
        limit = min(room, _SAFE) - sum(step.increment for step in steps)
        constants.append(constant if abs(constant) <= _SAFE else 0)
        limits.append(max(limit, -1) if abs(constant) <= _SAFE else -1)
    kind = texts.codes[members]
    return _Steps(
        members,
        row_of_rate,
        starts[kind],
        stops[kind],
        prices[kind],
        increments[kind],
        constants,
        limits,
    )


def _charge_in_steps(
    steps: _Steps, step_row: Integers, volume: Integers
) -> tuple[Integers, Integers]:
    """The billed volume of each row and the sum of its prices times volumes."""
    end = np.zeros(len(volume), dtype=np.int64)
    sums = np.zeros(len(volume), dtype=np.int64)
    for place in range(STEPS_LIMIT):
        start = np.maximum(steps.starts[step_row, place], end)
        share = np.minimum(volume, steps.stops[step_row, place]) - start
        if not (share > 0).any():
            continue
        increment = steps.increments[step_row, place]
        billed = (np.maximum(share, 0) + (increment - 1)) // increment * increment
        sums += steps.prices[step_row, place] * billed
        end = np.where(share > 0, start + billed, end)
    return end, sums


def _plain_limits(
    table: RateTable,
    fee: Integers,
    initial: Integers,
    rate: Integers,
    minimum: Integers,
    increment: Integers,
) -> tuple[Integers, Integers]:
    """The constant part of each rate's cost, and the greatest volume that surely fits; -1: none.

    A rate whose constant part might not fit has 0 and -1.
    """
    units, half = table.volume_units_per_rating_unit, _SAFE // 2
    fits = (np.abs(fee) <= half // units) & (np.abs(initial) <= half // minimum)
    constant = np.where(fits, fee, 0) * units
    constant += np.where(fits, initial, 0) * np.where(fits, minimum, 0)
    by_cost = (_SAFE - np.abs(constant)) // np.maximum(np.abs(rate), 1)
    limit = np.maximum(np.minimum(by_cost, _SAFE - minimum) - np.minimum(increment, _SAFE), -1)
    return constant, np.where(fits, limit, -1)


def _divide_signed(numerator: Integers, divisor: int, rounding: Rounding) -> Integers:
    negative = numerator < 0
    if not negative.any():
        return _divide(numerator, divisor, rounding)
    quotient = _divide(np.abs(numerator), divisor, rounding)
    np.negative(quotient, out=quotient, where=negative)
    return quotient


def _divide(magnitude: Integers, divisor: int, rounding: Rounding) -> Integers:
    match rounding:
        case Rounding.HALF_UP:
            quotient = (magnitude + divisor // 2) // divisor
        case Rounding.HALF_EVEN:
            raised = magnitude + divisor // 2
            quotient = raised // divisor
            if divisor % 2 == 0:
                quotient -= (raised == quotient * divisor) & (quotient % 2 == 1)
        case Rounding.UP:
            quotient = (magnitude + (divisor - 1)) // divisor
        case Rounding.DOWN:
            quotient = magnitude // divisor
    return quotient


def fit(leg: LegCost) -> tuple[int, int, Reason]:
    """Billed volume, cost at 10^-8 and reason; an overflow where they do not fit 64 bits."""
    cost = to_scaled(leg.cost)
    if leg.billed > _INT64.max or not _INT64.min <= cost <= _INT64.max:
        return 0, 0, Reason.OVERFLOW
    return leg.billed, cost, leg.reason
