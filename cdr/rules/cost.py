"""What one leg costs: the plain Decimal rule that every faster path must equal."""

from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    localcontext,
)
from enum import IntEnum

from cdr.rules.rates import IncrementBase, Rate, RateTable, Rounding

# Amounts below 10^10 at 8 decimals times volumes below 2^63 are exact within 40 digits, and a
# quotient by at most 10^10 that is not a tie differs from one long before the hundredth digit.
EXACT = Context(prec=100)

_DECIMAL_ROUNDING = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.UP: ROUND_UP,
    Rounding.DOWN: ROUND_DOWN,
}


class Reason(IntEnum):
    """What became of one leg; unrated, zero volume, free and priced at zero are never mixed up."""

    RATED = 0
    """A rate was charged; the cost may still be zero, the price being zero."""
    UNRATED = 1
    """No rate applies, or the destination is not a number."""
    BLOCKED = 2
    """The rate that applies refuses this traffic."""
    ZERO_VOLUME = 3
    """An attempt: nothing was used, only the attempt fee is due."""
    FREE = 4
    """The volume is within the rate's grace."""
    OVERFLOW = 5
    """The billed volume or the cost does not fit 64 bits."""


@dataclass(frozen=True, slots=True)
class LegCost:
    """The cost of one leg and how it came about.

    `cost` is rounded to the table's decimals; `unrounded` is the amount before rounding and
    bounds; `bounded_by` is `min_cost`, `max_cost` or empty. Volumes are in volume units.
    """

    reason: Reason
    billed: int
    minimum_volume: int
    further_volume: int
    unrounded: Decimal
    bounded_by: str
    cost: Decimal


def billed_volume(table: RateTable, rate: Rate, volume: int) -> int:
    """The volume charged for: at least the minimum, then whole increments.

    Counted from the minimum or, where the table says `total`, from the start of the xDR, as some
    systems read "30/20". Zero inside the grace and for an attempt.
    """
    if volume == 0 or volume <= rate.grace:
        return 0
    if volume <= rate.minimum:
        return rate.minimum
    start = rate.minimum if table.increment_base is IncrementBase.AFTER_MINIMUM else 0
    increments = -(-(volume - start) // rate.increment)
    return start + increments * rate.increment


def round_cost(table: RateTable, amount: Decimal) -> Decimal:
    """`amount` at the table's decimals by the table's rule: the one rounding of a leg."""
    quantum = Decimal(1).scaleb(-table.decimals)
    rounded = amount.quantize(quantum, _DECIMAL_ROUNDING[table.rounding], context=EXACT)
    return EXACT.add(rounded, Decimal(0))  # a cost is never minus zero


def leg_cost(table: RateTable, rate: Rate, volume: int) -> LegCost:
    """What `volume` units cost at `rate`.

    An attempt (volume 0) costs the attempt fee and nothing else, a volume inside the grace is
    free without even the connection fee; the floor and the cap bound what is charged otherwise.
    """
    if volume < 0:
        raise ValueError(f"volume {volume}: a volume is 0 or more")
    if volume == 0:
        return _flat(table, Reason.ZERO_VOLUME, rate.attempt_fee)
    if volume <= rate.grace:
        return _flat(table, Reason.FREE, Decimal(0))
    billed = billed_volume(table, rate, volume)
    further = billed - rate.minimum
    with localcontext(EXACT):
        initial = rate.first_rate * rate.minimum
        units = table.volume_units_per_rating_unit
        unrounded = (rate.connection_fee * units + initial + rate.rate * further) / units
    bounded, bounded_by = _bound(rate, unrounded)
    cost = round_cost(table, bounded)
    return LegCost(Reason.RATED, billed, rate.minimum, further, unrounded, bounded_by, cost)


def _flat(table: RateTable, reason: Reason, amount: Decimal) -> LegCost:
    return LegCost(reason, 0, 0, 0, amount, "", round_cost(table, amount))


def _bound(rate: Rate, amount: Decimal) -> tuple[Decimal, str]:
    if rate.max_cost is not None and amount > rate.max_cost:
        return rate.max_cost, "max_cost"
    if rate.min_cost is not None and amount < rate.min_cost:
        return rate.min_cost, "min_cost"
    return amount, ""
