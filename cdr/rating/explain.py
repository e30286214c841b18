"""Why one leg costs what it costs: the same choice and the same sum, in words and Decimals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cdr.rating.supported import require_supported_rate, require_supported_table
from cdr.rules.choosing import Candidate, judge_rates
from cdr.rules.cost import LegCost, Reason, leg_cost
from cdr.rules.rates import Rate, RateStatus, RateTable


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one xDR in one table.

    `candidates` are the rates whose prefix fits, the winner first, every other with why it lost.
    `winner` is None where no rate applies; `arithmetic` is None unless the winner is charged;
    `lines` says the arithmetic in its own numbers.
    """

    number: str
    started_at: datetime
    volume: int
    candidates: tuple[Candidate, ...]
    winner: Rate | None
    reason: Reason
    arithmetic: LegCost | None
    lines: tuple[str, ...]


def explain(
    table: RateTable, rates: Sequence[Rate], number: str, started_at: datetime, volume: int
) -> Explanation:
    """Rate one xDR the slow way and say why; equal to the compiled table's answer.

    `number` is normalised, `started_at` aware, `volume` in volume units.

    :raises UnsupportedRate: as `compile_table`.
    :raises ValueError: the volume is negative.
    """
    require_supported_table(table)
    for rate in rates:
        if rate.status is not RateStatus.STASHED:
            require_supported_rate(rate)
    candidates = tuple(judge_rates(rates, number, started_at))
    winner = candidates[0].rate if candidates and candidates[0].lost is None else None
    arithmetic = None
    lines: tuple[str, ...]
    if winner is None:
        reason, lines = Reason.UNRATED, ("no rate applies",)
    elif winner.status is RateStatus.BLOCKED:
        reason, lines = Reason.BLOCKED, ("the rate blocks this traffic",)
    else:
        arithmetic = leg_cost(table, winner, volume)
        reason, lines = arithmetic.reason, _arithmetic_lines(table, winner, volume, arithmetic)
    return Explanation(number, started_at, volume, candidates, winner, reason, arithmetic, lines)


def _arithmetic_lines(table: RateTable, rate: Rate, volume: int, leg: LegCost) -> tuple[str, ...]:
    if leg.reason is Reason.ZERO_VOLUME:
        return (f"nothing used: attempt fee {rate.attempt_fee:f}", f"cost {leg.cost:f}")
    if leg.reason is Reason.FREE:
        return (f"{volume} is within the free {rate.grace}", f"cost {leg.cost:f}")
    units = table.volume_units_per_rating_unit
    volumes = f"{volume} used, minimum {rate.minimum}, increment {rate.increment}"
    first = f"{rate.first_rate:f} * {leg.minimum_volume} / {units}"
    further = f"{rate.rate:f} * {leg.further_volume} / {units}"
    lines = [
        f"{volumes} ({table.increment_base}): {leg.billed} billed",
        f"{rate.connection_fee:f} + {first} + {further}",
    ]
    if leg.bounded_by:
        bound = rate.min_cost if leg.bounded_by == "min_cost" else rate.max_cost
        lines.append(f"bounded by {leg.bounded_by} {bound:f}")
    lines.append(f"rounded {table.rounding} to {table.decimals} decimals: cost {leg.cost:f}")
    return tuple(lines)
