"""The published rules, read literally: slow, in plain Decimals, without a word of the engine's."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    localcontext,
)
from math import ceil
from zoneinfo import ZoneInfo

from cdr.rules.rates import (
    Boundary,
    FeeDue,
    IncrementBase,
    Policy,
    Rate,
    RateStatus,
    RateTable,
    Rounding,
)

INT64_MAX = 2**63 - 1
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
YEAR_OF_SECONDS = 366 * 86_400
ROUNDINGS = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.UP: ROUND_UP,
    Rounding.DOWN: ROUND_DOWN,
}

Deck = list[tuple[RateTable, list[Rate]]]
"""A table and its rates, then its parent and that one's rates, and so on."""


@dataclass(frozen=True)
class Call:
    number: str
    started_at: datetime
    volume: int
    caller: str = ""
    tags: frozenset[str] = frozenset()
    included: int = 0


@dataclass(frozen=True)
class Answer:
    """The state by its name; billed and costs are 0 where nothing can be charged."""

    state: str
    rate: Rate | None = None
    billed: int = 0
    cost: Decimal = Decimal(0)
    additive_cost: Decimal = Decimal(0)


def answer(deck: Deck, call: Call) -> Answer:
    """What the call costs, and by which rate at its start."""
    regular = priced(deck, call, Policy.REGULAR)
    if regular.state in ("UNRATED", "BLOCKED", "OVERFLOW"):
        return Answer(regular.state, regular.rate)
    additive = priced(deck, call, Policy.ADDITIVE)
    if additive.state in ("BLOCKED", "OVERFLOW"):
        return Answer(additive.state, regular.rate)
    return Answer(regular.state, regular.rate, regular.billed, regular.cost, additive.cost)


def priced(deck: Deck, call: Call, policy: Policy) -> Answer:
    table = deck[0][0]
    if table.boundary is Boundary.SPLIT and call.included < call.volume:
        return priced_by_unit(deck, call, policy)
    rate = chosen(deck, call, call.started_at, policy)
    if rate is None:
        return Answer("UNRATED")
    if rate.status is RateStatus.BLOCKED:
        return Answer("BLOCKED", rate)
    return charged(table, [(0, rate)], call, call.volume - min(call.included, call.volume))


def priced_by_unit(deck: Deck, call: Call, policy: Policy) -> Answer:
    """Every unit is priced by the rate in use when it begins, from the first chargeable on."""
    table = deck[0][0]
    unit = timedelta(seconds=table.seconds_per_volume_unit)
    is_too_long = call.volume * table.seconds_per_volume_unit > YEAR_OF_SECONDS
    at_start = chosen(deck, call, call.started_at, policy)
    grace = at_start.grace if at_start else 0
    decided = is_too_long or call.volume <= grace
    start = call.started_at if decided else call.started_at + call.included * unit
    volume = call.volume - call.included
    nothing = Rate(id=0, prefix="", rate=Decimal(0), effective_from=call.started_at)
    stretches = [(0, chosen(deck, call, start, policy))]
    first = stretches[0][1]
    is_charged = call.volume > grace and (first is None or first.status is RateStatus.ACTIVE)
    if is_charged and is_too_long and (first or policy is Policy.ADDITIVE):
        return Answer("OVERFLOW", first)
    for number in range(1, volume if (is_charged and first) or policy is Policy.ADDITIVE else 1):
        rate = chosen(deck, call, start + number * unit, policy)
        if rate is not stretches[-1][1]:
            stretches.append((number, rate))
    rates = [rate for _, rate in stretches]
    if None in rates and policy is Policy.REGULAR:
        return Answer("UNRATED", first)
    if any(rate and rate.status is RateStatus.BLOCKED for rate in rates):
        return Answer("BLOCKED", first)
    every = [(at, rate or nothing) for at, rate in stretches]
    return charged(table, every, call, volume, grace)


def charged(
    table: RateTable,
    stretches: list[tuple[int, Rate]],
    call: Call,
    volume: int,
    grace: int | None = None,
) -> Answer:
    """The formula. `volume` is what the allowance leaves of the call's.

    `grace` is that of the rate at the start, which need not be the first that is charged.
    """
    rate = stretches[0][1]
    with localcontext(prec=100):
        if call.volume == 0:
            return Answer("ZERO_VOLUME", rate, 0, rounded(table, rate.attempt_fee))
        if call.volume <= (rate.grace if grace is None else grace):
            return Answer("FREE", rate)
        if volume == 0:
            if table.connection_fee_due is FeeDue.BEYOND_ALLOWANCE:
                return Answer("INCLUDED", rate)
            fee = rate.connection_fee
            if rate.max_cost is not None:
                fee = min(fee, rate.max_cost)
            return Answer("INCLUDED", rate, 0, rounded(table, fee))
        billed, price_times_volume = billed_and_sum(table, stretches, volume)
        units = table.volume_units_per_rating_unit
        # One division, or its rounding could differ from that of the exact sum.
        cost = (rate.connection_fee * units + price_times_volume) / units
        if rate.min_cost is not None:
            cost = max(cost, rate.min_cost)
        if rate.max_cost is not None:
            cost = min(cost, rate.max_cost)
        cost = rounded(table, cost)
    if billed > INT64_MAX or not -INT64_MAX - 1 <= cost * 10**8 <= INT64_MAX:
        return Answer("OVERFLOW", rate)
    return Answer("RATED", rate, billed, cost)


def billed_and_sum(
    table: RateTable, stretches: list[tuple[int, Rate]], volume: int
) -> tuple[int, Decimal]:
    rate = stretches[0][1]
    if len(stretches) == 1 and not rate.steps:
        return plain(table, rate, volume)
    end, total = 0, Decimal(0)
    for number, (start, rate) in enumerate(stretches):
        stop = stretches[number + 1][0] if number + 1 < len(stretches) else volume
        if rate.steps:
            end, total = in_steps(rate, start, stop, end, total)
        elif number == 0:
            end, total = plain(table, rate, stop)
        elif stop > max(start, end):
            before = max(start, end)
            if table.increment_base is IncrementBase.TOTAL:
                end = increments(stop, rate.increment)
            else:
                end = before + increments(stop - before, rate.increment)
            total += rate.rate * (end - before)
    return end, total


def plain(table: RateTable, rate: Rate, volume: int) -> tuple[int, Decimal]:
    first = rate.rate if rate.initial_rate is None else rate.initial_rate
    billed = rate.minimum
    if volume > rate.minimum:
        if table.increment_base is IncrementBase.TOTAL:
            billed = increments(volume, rate.increment)
        else:
            billed += increments(volume - rate.minimum, rate.increment)
    return billed, first * rate.minimum + rate.rate * (billed - rate.minimum)


def in_steps(rate: Rate, start: int, stop: int, end: int, total: Decimal) -> tuple[int, Decimal]:
    """Each step bills the increments of its share, cut at the step starts or where others end."""
    steps: list[tuple[int, Decimal, int]] = []
    for text in rate.steps.split(";"):
        first, terms = text.split(":")
        amount, size = terms.split("/")
        steps.append((int(first), Decimal(amount), int(size)))
    for number, (begin, price, increment) in enumerate(steps):
        before = max(begin, start, end)
        until = min(steps[number + 1][0], stop) if number + 1 < len(steps) else stop
        if until > before:
            end = before + increments(until - before, increment)
            total += price * (end - before)
    return end, total


def increments(volume: int, increment: int) -> int:
    return ceil(Decimal(volume) / increment) * increment


def rounded(table: RateTable, amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-table.decimals), ROUNDINGS[table.rounding])


def chosen(deck: Deck, call: Call, at: datetime, policy: Policy) -> Rate | None:
    """The usable rate that comes first in the published order."""
    zone = ZoneInfo(deck[0][0].timezone)
    usable = [
        (depth, rate)
        for depth, (_, rates) in enumerate(deck)
        for rate in rates
        if rate.policy is policy and is_usable(rate, rates, call, at, zone)
    ]
    best = max(
        usable,
        default=None,
        key=lambda found: (
            found[1].tag != "",
            len(found[1].origin_prefix),
            len(found[1].prefix),
            -found[0],
            weight(found[1]),
            found[1].effective_from,
            found[1].id,
        ),
    )
    return None if best is None else best[1]


def is_usable(rate: Rate, rates: list[Rate], call: Call, at: datetime, zone: ZoneInfo) -> bool:
    number = call.number
    return (
        rate.status is not RateStatus.STASHED
        and number.isascii()
        and number.isdigit()
        and number.startswith(rate.prefix)
        and (rate.min_digits is None or len(number) >= rate.min_digits)
        and (rate.max_digits is None or len(number) <= rate.max_digits)
        and call.caller.startswith(rate.origin_prefix)
        and (not rate.tag or rate.tag in call.tags)
        and rate.effective_from <= at
        and is_before_end(rate, rates, at)
        and (not rate.time_profile or is_in_profile(rate.time_profile, at.astimezone(zone)))
    )


def is_before_end(rate: Rate, rates: list[Rate], at: datetime) -> bool:
    if rate.effective_to is not None:
        return at < rate.effective_to
    for other in rates:
        if (
            other.status is not RateStatus.STASHED
            and same_calls(other) == same_calls(rate)
            and rate.effective_from < other.effective_from <= at
        ):
            return False
    return True


def same_calls(rate: Rate) -> tuple[object, ...]:
    profile, bounds = rate.time_profile, (rate.min_digits or 0, rate.max_digits)
    return rate.prefix, rate.tag, profile, rate.policy, rate.origin_prefix, bounds


def weight(rate: Rate) -> int:
    return int(rate.time_profile.partition("@")[2] or 0)


def is_in_profile(profile: str, local: datetime) -> bool:
    """For profiles written `Mon-Fri 08:00-20:00;Sat 08:00-13:00 @2` or `12-25 00:00-24:00`."""
    clock = f"{local:%H:%M}"
    for part in profile.partition(" @")[0].split(";"):
        days, hours = part.split(" ")
        start, end = hours.split("-")
        if days == f"{local:%m-%d}":
            is_day = True
        elif days[0].isdigit():
            is_day = False
        else:
            first, last = days.split("-") if "-" in days else (days, days)
            named = WEEKDAYS[WEEKDAYS.index(first) : WEEKDAYS.index(last) + 1]
            is_day = WEEKDAYS[local.weekday()] in named
        if is_day and start <= clock < end:
            return True
    return False
