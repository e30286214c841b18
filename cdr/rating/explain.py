"""Why one leg costs what it costs: the same choice and the same sum, in words and Decimals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import numpy as np

from cdr.rating.compiled import require_same_currency
from cdr.rating.scale import COST_SCALE_DIGITS
from cdr.rating.splitting import LONGEST_SPLIT, MICROSECONDS, NOTHING_ON_TOP
from cdr.rating.timeline import FOREVER, Timeline
from cdr.rules.choosing import Candidate, TableRates, Usage, effective_ends, judge_rates
from cdr.rules.cost import LegCost, Reason, Stretch, leg_cost
from cdr.rules.instants import from_microseconds, to_microseconds
from cdr.rules.rates import Boundary, Policy, Rate, RateStatus, RateTable

FAILED = (Reason.UNRATED, Reason.BLOCKED, Reason.OVERFLOW)
"""What a leg waits in suspense for."""

_FAILURES = {
    Reason.UNRATED: "no rate applies",
    Reason.BLOCKED: "the rate blocks this traffic",
    Reason.OVERFLOW: "the result is too great to be true",
}
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Pricing:
    """One rate chosen and charged: the regular one of a leg, or the additive one on top.

    `candidates` are the rates whose prefix fits, the winner first, every other with why it lost.
    `winner` is None where no rate applies; `later` are the rates that follow where the xDR is
    split; `arithmetic` is None unless the winner is charged.
    """

    candidates: tuple[Candidate, ...]
    winner: Rate | None
    reason: Reason
    later: tuple[Stretch, ...] = ()
    arithmetic: LegCost | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one xDR in one table.

    `candidates` and `winner` are of the regular rate; `additive` is None where no additive rate
    applies. `lines` says the arithmetic in its own numbers.
    """

    table: RateTable
    usage: Usage
    volume: int
    reason: Reason
    regular: Pricing
    additive: Pricing | None
    lines: tuple[str, ...]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The regular rates whose prefix fits, the winner first."""
        return self.regular.candidates

    @property
    def winner(self) -> Rate | None:
        """The regular rate; None where no rate applies."""
        return self.regular.winner

    @property
    def arithmetic(self) -> LegCost | None:
        """The sum of the regular rate; None where nothing is charged."""
        return self.regular.arithmetic

    @property
    def cost(self) -> Decimal | None:
        """What the leg costs, the additive rate included; None where it cannot be charged."""
        parts = [self.regular, self.additive] if self.additive else [self.regular]
        sums = [part.arithmetic for part in parts if part.arithmetic is not None]
        if self.reason in FAILED or len(sums) < len(parts):
            return None
        return sum((leg.cost for leg in sums), Decimal(0))


def explain(
    table: RateTable,
    rates: Sequence[Rate],
    usage: Usage,
    volume: int,
    *,
    included: int = 0,
    parents: Sequence[tuple[RateTable, Sequence[Rate]]] = (),
) -> Explanation:
    """Rate one xDR the slow way and say why; equal to the compiled table's answer.

    `volume` is in volume units, of which an allowance covers the first `included`; `parents` are
    nearest first.

    :raises ParentRefused: as `compile_table`.
    :raises ValueError: the volume is negative.
    """
    for parent, _ in parents:
        require_same_currency(table, parent)
    chain = [TableRates(table, rates), *(TableRates(*each) for each in parents)]
    regular = _price(chain, usage, volume, included, Policy.REGULAR)
    additive = _price(chain, usage, volume, included, Policy.ADDITIVE)
    reason, lines = regular.reason, _lines(table, regular, volume, included)
    used = None
    if additive.winner is not None and reason not in FAILED:
        used = additive
        lines += tuple(f"on top: {line}" for line in _lines(table, additive, volume, included))
        reason = additive.reason if additive.reason in FAILED else reason
    return Explanation(table, usage, volume, reason, regular, used, lines)


def _price(
    chain: Sequence[TableRates], usage: Usage, volume: int, included: int, policy: Policy
) -> Pricing:
    if chain[0].table.boundary is Boundary.SPLIT:
        return _price_split(chain, usage, volume, included, policy)
    candidates = tuple(judge_rates(chain, usage, policy))
    winner = _winner(candidates)
    if winner is None:
        return Pricing(candidates, None, Reason.UNRATED)
    if winner.status is RateStatus.BLOCKED:
        return Pricing(candidates, winner, Reason.BLOCKED)
    leg = leg_cost(chain[0].table, winner, volume, included=included)
    return Pricing(candidates, winner, _fitting_reason(leg), arithmetic=leg)


def _price_split(
    chain: Sequence[TableRates], usage: Usage, volume: int, included: int, policy: Policy
) -> Pricing:
    """As `_price`, from the first chargeable unit on and each unit at the rate it begins in."""
    table = chain[0].table
    is_too_long = volume * table.seconds_per_volume_unit > LONGEST_SPLIT
    at_start = _winner(judge_rates(chain, usage, policy)) or NOTHING_ON_TOP
    is_beyond = at_start.grace < volume and included < volume and not is_too_long
    covered = included if is_beyond else 0
    start = usage.started_at + timedelta(seconds=covered * table.seconds_per_volume_unit)
    usage = replace(usage, started_at=start)
    candidates = tuple(judge_rates(chain, usage, policy))
    winner = _winner(candidates)
    if winner is None and policy is Policy.REGULAR:
        return Pricing(candidates, None, Reason.UNRATED)
    first = winner or NOTHING_ON_TOP
    if first.status is RateStatus.BLOCKED:
        return Pricing(candidates, first, Reason.BLOCKED)
    leg = leg_cost(table, first, volume, included=included, grace=at_start.grace)
    later: tuple[Stretch, ...] = ()
    if leg.reason is Reason.RATED:
        if is_too_long:
            return Pricing(candidates, winner, Reason.OVERFLOW)
        later = tuple(_stretches(chain, usage, volume - covered, policy, first))
        winner = winner or next((each.rate for each in later), None)
        if policy is Policy.REGULAR and any(each.rate is NOTHING_ON_TOP for each in later):
            return Pricing(candidates, winner, Reason.UNRATED, later)
        if any(each.rate.status is RateStatus.BLOCKED for each in later):
            return Pricing(candidates, winner, Reason.BLOCKED, later)
        leg = leg_cost(table, first, volume, included=included, later=later, grace=at_start.grace)
    return Pricing(candidates, winner, _fitting_reason(leg), later, leg)


def _stretches(
    chain: Sequence[TableRates], usage: Usage, volume: int, policy: Policy, first: Rate
) -> list[Stretch]:
    """The rates that follow `first` while the volume lasts; NOTHING_ON_TOP for none."""
    unit = chain[0].table.seconds_per_volume_unit * MICROSECONDS
    started_at = to_microseconds(usage.started_at)
    timeline = _timeline(chain)
    found: list[Stretch] = []
    at, current = started_at, first
    while (at := int(timeline.next_changes(np.array([at]))[0])) < started_at + volume * unit:
        then = replace(usage, started_at=from_microseconds(at))
        chosen = _winner(judge_rates(chain, then, policy)) or NOTHING_ON_TOP
        start = -((started_at - at) // unit)
        if chosen is not current and start < volume:
            found.append(Stretch(start, chosen))
        current = chosen
    return found


def _timeline(chain: Sequence[TableRates]) -> Timeline:
    cuts = {FOREVER}
    for _, rates in chain:
        cuts |= {to_microseconds(rate.effective_from) for rate in rates}
        cuts |= {to_microseconds(end) for end in effective_ends(rates) if end is not None}
    profiles = {rate.profile for _, rates in chain for rate in rates if rate.profile}
    instants = np.array(sorted(cuts - {FOREVER}), dtype=np.int64)
    return Timeline(instants, tuple(profiles), chain[0].table.timezone)


def _winner(candidates: Sequence[Candidate]) -> Rate | None:
    return candidates[0].rate if candidates and candidates[0].lost is None else None


def _fitting_reason(leg: LegCost) -> Reason:
    cost = leg.cost.scaleb(COST_SCALE_DIGITS)
    fits = leg.billed <= _MOST and -_MOST - 1 <= cost <= _MOST
    return leg.reason if fits else Reason.OVERFLOW


def _lines(table: RateTable, pricing: Pricing, volume: int, included: int) -> tuple[str, ...]:
    rate, leg = pricing.winner, pricing.arithmetic
    if pricing.reason in _FAILURES or rate is None or leg is None:
        return (_FAILURES[pricing.reason],)
    if leg.reason is Reason.RATED:
        return _charged_lines(table, rate, leg, volume, included)
    uncharged = {
        Reason.ZERO_VOLUME: f"nothing used: attempt fee {rate.attempt_fee:f}",
        Reason.FREE: f"{volume} is within the free {rate.grace}",
        Reason.INCLUDED: f"{volume} is within the {included} left of the allowance",
    }
    due = "connection fee due always: " if leg.reason is Reason.INCLUDED and leg.unrounded else ""
    return uncharged[leg.reason], f"{due}cost {leg.cost:f}"


def _charged_lines(
    table: RateTable, rate: Rate, leg: LegCost, volume: int, included: int
) -> tuple[str, ...]:
    units = table.volume_units_per_rating_unit
    used = f"{volume} used"
    if included:
        used += f", {included} of them from the allowance"
    if rate.steps:
        used += f", in steps {rate.steps}"
    else:
        used += (
            f", minimum {rate.minimum}, increment {rate.increment} ({_words(table.increment_base)})"
        )
    sums = [f"{part.price:f} * {part.volume} / {units}" for part in leg.parts]
    lines = [f"{used}: {leg.billed} billed", " + ".join([f"{rate.connection_fee:f}", *sums])]
    if leg.bounded_by:
        bound = rate.min_cost if leg.bounded_by == "min_cost" else rate.max_cost
        lines.append(f"bounded by {_words(leg.bounded_by)} {bound:f}")
    lines.append(
        f"rounded {_words(table.rounding)} to {table.decimals} decimals: cost {leg.cost:f}"
    )
    return tuple(lines)


def _words(name: str) -> str:
    """`half_up` as people write it."""
    return name.replace("_", " ")
