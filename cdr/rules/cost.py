"""What one leg costs: the plain Decimal rule that every faster path must equal."""

from collections.abc import Sequence
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
from typing import NamedTuple

from cdr.rules.rates import FeeDue, IncrementBase, Rate, RateTable, Rounding

# Amounts below 10^10 at 8 decimals times volumes below 2^63 are exact within 40 digits, and a
# quotient by at most 10^10 that is not a tie differs from one long before the hundredth digit.
EXACT = Context(prec=100)

_ENDLESS = 10**40
"""Beyond every volume."""

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
    INCLUDED = 6
    """An allowance covers the whole volume."""


class Stretch(NamedTuple):
    """From `start` volume units on an xDR is priced at `rate`."""

    start: int
    rate: Rate


class Part(NamedTuple):
    """Billed volume at one price per rating unit."""

    price: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class LegCost:
    """The cost of one leg and how it came about.

    `cost` is rounded to the table's decimals; `parts` is what was billed at which price,
    `unrounded` the amount before rounding and bounds; `bounded_by` is `min_cost`, `max_cost` or
    empty. Volumes are in volume units.
    """

    reason: Reason
    billed: int
    parts: tuple[Part, ...]
    unrounded: Decimal
    bounded_by: str
    cost: Decimal


def round_cost(table: RateTable, amount: Decimal) -> Decimal:
    """`amount` at the table's decimals by the table's rule: the one rounding of a leg."""
    quantum = Decimal(1).scaleb(-table.decimals)
    rounded = amount.quantize(quantum, _DECIMAL_ROUNDING[table.rounding], context=EXACT)
    return EXACT.add(rounded, Decimal(0))  # a cost is never minus zero


def leg_cost(
    table: RateTable,
    rate: Rate,
    volume: int,
    *,
    included: int = 0,
    later: Sequence[Stretch] = (),
    grace: int | None = None,
) -> LegCost:
    """What `volume` units cost at `rate`, of which an allowance covers the first `included`.

    An attempt (volume 0) costs the attempt fee and nothing else, a volume inside the grace is free
    without even the connection fee, and so is one that the allowance covers, but for the fee (up to
    the cap) where the table has it due always; the floor and the cap bound what is charged
    otherwise. Where the xDR is split, `later` gives the rates that follow, each from which
    chargeable unit; fee, minimum, floor and cap are those of `rate`, the rate of the first of them.
    `grace` is that of the rate at the xDR's start, where that is another.
    """
    if volume < 0 or included < 0:
        raise ValueError(f"volume {min(volume, included)}: a volume is 0 or more")
    if volume == 0:
        return _flat(table, Reason.ZERO_VOLUME, rate.attempt_fee)
    if volume <= (rate.grace if grace is None else grace):
        return _flat(table, Reason.FREE, Decimal(0))
    if volume <= included:
        return _flat(table, Reason.INCLUDED, _fee_of_included(table, rate))
    parts = billed_parts(table, [Stretch(0, rate), *later], volume - included)
    with localcontext(EXACT):
        units = table.volume_units_per_rating_unit
        charged = sum((part.price * part.volume for part in parts), Decimal(0))
        unrounded = (rate.connection_fee * units + charged) / units
    bounded, bounded_by = _bound(rate, unrounded)
    cost = round_cost(table, bounded)
    billed = sum(part.volume for part in parts)
    return LegCost(Reason.RATED, billed, tuple(parts), unrounded, bounded_by, cost)


def billed_parts(table: RateTable, stretches: Sequence[Stretch], volume: int) -> list[Part]:
    """What is billed of `volume`, one or more: whole increments, each at its own price.

    The minimum is the first increment of a rate without steps. Counted from its end or, where the
    table says `total`, from the start of the xDR, as some systems read "30/20". Shares are cut
    where a step or a stretch starts, moved up to where the increments before them end.
    """
    parts: list[Part] = []
    end = 0
    stops = [stretch.start for stretch in stretches[1:]] + [volume]
    for number, (stretch, stop) in enumerate(zip(stretches, stops, strict=True)):
        for tariff in _tariffs(table, stretch.rate, is_first=number == 0):
            start = max(tariff.start, stretch.start, end)
            share = min(volume, stop, tariff.stop) - start
            if share <= 0:
                continue
            base = 0 if tariff.counts_from_start else start
            increments = -(-(start + share - base) // tariff.increment)
            end = base + increments * tariff.increment
            parts.append(Part(tariff.price, end - start))
    return parts


class _Tariff(NamedTuple):
    """A price with its increment, for the units `[start, stop)` of an xDR."""

    start: int
    stop: int
    price: Decimal
    increment: int
    counts_from_start: bool = False


def _tariffs(table: RateTable, rate: Rate, *, is_first: bool) -> list[_Tariff]:
    if steps := rate.price_steps:
        stops = [step.start for step in steps[1:]] + [_ENDLESS]
        return [
            _Tariff(step.start, stop, step.price, step.increment)
            for step, stop in zip(steps, stops, strict=True)
        ]
    minimum = rate.minimum if is_first else 0
    in_total = table.increment_base is IncrementBase.TOTAL
    further = _Tariff(minimum, _ENDLESS, rate.rate, rate.increment, in_total)
    if not minimum:
        return [further]
    return [_Tariff(0, minimum, rate.first_rate, minimum), further]


def _flat(table: RateTable, reason: Reason, amount: Decimal) -> LegCost:
    return LegCost(reason, 0, (), amount, "", round_cost(table, amount))


def _fee_of_included(table: RateTable, rate: Rate) -> Decimal:
    """What is due though an allowance covers the volume, and with it the floor, but not the cap."""
    if table.connection_fee_due is FeeDue.BEYOND_ALLOWANCE:
        return Decimal(0)
    fee = rate.connection_fee
    return fee if rate.max_cost is None else min(fee, rate.max_cost)


def _bound(rate: Rate, amount: Decimal) -> tuple[Decimal, str]:
    if rate.max_cost is not None and amount > rate.max_cost:
        return rate.max_cost, "max_cost"
    if rate.min_cost is not None and amount < rate.min_cost:
        return rate.min_cost, "min_cost"
    return amount, ""
