"""Cost in 64-bit fixed point: amounts at 10^-8, one rounding per leg, no binary float.

With the units K of the table, the cost of x further units after the minimum is
(F·K + R0·M + R·x) / K. The part in parentheses is an int64 at 10^-8: its constant half is worked
out once per rate, and so is the volume above which it might not fit. Larger volumes take the
Decimal rule row by row and get the same answer it would give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cdr.rules.cost import EXACT, LegCost, Reason, leg_cost, round_cost
from cdr.rules.rates import (
    AMOUNT_DECIMALS,
    IncrementBase,
    Rate,
    RateStatus,
    RateTable,
    Rounding,
)

COST_SCALE_DIGITS = AMOUNT_DECIMALS
COST_SCALE = 10**COST_SCALE_DIGITS
"""Costs are whole numbers of 10^-8 whatever the decimals of the table, so that sums are plain."""

_INT64 = np.iinfo(np.int64)
_SAFE = 2**62

Integers: TypeAlias = NDArray[np.int64]


def to_scaled(amount: Decimal) -> int:
    """An amount of at most eight decimals as a whole number of 10^-8."""
    return int(amount.scaleb(COST_SCALE_DIGITS, context=EXACT))


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

    def __init__(self, table: RateTable, rates: Sequence[Rate]) -> None:
        self.table = table
        self.rates = rates
        constants = [_constant_part(table, rate) for rate in rates]
        self._constant = _column([_fitting(constant) for constant in constants], 0)
        self._rate = _column([to_scaled(rate.rate) for rate in rates], 0)
        self._minimum = _column([rate.minimum for rate in rates], 1)
        self._increment = _column([rate.increment for rate in rates], 1)
        self._grace = _column([rate.grace for rate in rates], 0)
        self._attempt = self._bounds([rate.attempt_fee for rate in rates], 0)
        self._floor = self._bounds([rate.min_cost for rate in rates], _INT64.min)
        self._cap = self._bounds([rate.max_cost for rate in rates], _INT64.max)
        limits = [_volume_limit(*pair) for pair in zip(rates, constants, strict=True)]
        self._limit = _column(limits, _INT64.max)
        self._least_limit = int(self._limit.min())
        reasons = [Reason.BLOCKED if _is_blocked(rate) else Reason.RATED for rate in rates]
        self._reason = np.array([*reasons, Reason.UNRATED], dtype=np.uint8)
        self._any_bound = any(r.min_cost is not None or r.max_cost is not None for r in rates)
        self._one_step = bool((self._increment == 1).all())

    def price(self, index: NDArray[np.int32], volume: Integers) -> PricedRows:
        """Price each row's volume at the rate of its index; -1 is unrated."""
        minimum = self._minimum[index]
        billed, further = self._billed(index, volume, minimum)
        cost = self._round(self._constant[index] + self._rate[index] * further)
        if self._any_bound:
            cost = np.minimum(np.maximum(cost, self._floor[index]), self._cap[index])
        reason = self._reason[index]
        unbilled = volume <= self._grace[index]
        if unbilled.any():
            attempt = volume == 0
            billed[unbilled] = 0
            cost[unbilled] = 0
            cost[attempt] = self._attempt[index[attempt]]
            rated = reason == Reason.RATED
            reason[unbilled & rated] = Reason.FREE
            reason[attempt & rated] = Reason.ZERO_VOLUME
        refused = (reason == Reason.UNRATED) | (reason == Reason.BLOCKED)
        if refused.any():
            billed[refused] = 0
            cost[refused] = 0
        priced = PricedRows(billed, cost, reason)
        if len(volume) and int(volume.max()) > self._least_limit:
            self._price_large(index, volume, priced)
        return priced

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
        negative = numerator < 0
        if not negative.any():
            return _divide(numerator, divisor, self.table.rounding) * quantum
        cost = _divide(np.abs(numerator), divisor, self.table.rounding) * quantum
        np.negative(cost, out=cost, where=negative)
        return cost

    def _price_large(self, index: NDArray[np.int32], volume: Integers, priced: PricedRows) -> None:
        large = (volume > self._limit[index]) & (priced.reason != Reason.BLOCKED)
        for row in np.flatnonzero(large):
            leg = leg_cost(self.table, self.rates[index[row]], int(volume[row]))
            priced.billed[row], priced.cost[row], priced.reason[row] = _fit(leg)

    def _bounds(self, amounts: Sequence[Decimal | None], absent: int) -> Integers:
        # Rounding is monotonic: bounding the rounded cost by rounded bounds is the same as
        # rounding the bounded cost.
        return _column(
            [
                absent if amount is None else to_scaled(round_cost(self.table, amount))
                for amount in amounts
            ],
            absent,
        )


def _column(values: Sequence[int], without_rate: int) -> Integers:
    return np.array([*values, without_rate], dtype=np.int64)


def _is_blocked(rate: Rate) -> bool:
    return rate.status is RateStatus.BLOCKED


def _constant_part(table: RateTable, rate: Rate) -> int:
    fee = to_scaled(rate.connection_fee) * table.volume_units_per_rating_unit
    return fee + to_scaled(rate.first_rate) * rate.minimum


def _fitting(constant: int) -> int:
    return constant if abs(constant) <= _SAFE else 0


def _volume_limit(rate: Rate, constant: int) -> int:
    """The greatest volume whose billed volume and numerator surely fit; -1 for none."""
    room = _SAFE - abs(constant)
    if room < 0:
        return -1
    by_cost = room // max(abs(to_scaled(rate.rate)), 1)
    return max(min(by_cost, _SAFE - rate.minimum) - rate.increment, -1)


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


def _fit(leg: LegCost) -> tuple[int, int, Reason]:
    cost = to_scaled(leg.cost)
    if leg.billed > _INT64.max or not _INT64.min <= cost <= _INT64.max:
        return 0, 0, Reason.OVERFLOW
    return leg.billed, cost, leg.reason
