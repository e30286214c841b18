"""Which rates a table uses at an instant, and how two tables compare, in the plainest words."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from catalogue.models import Rate, RateTable
from catalogue.rules.rate_comparison import CallsKey, ComparisonClass

NO_LIMIT = 1000


def key(rate: Rate) -> CallsKey:
    return CallsKey(
        prefix=rate.prefix,
        tag=rate.tag,
        profile=rate.time_profile_id or 0,
        origin_prefix=rate.origin_prefix,
        policy=rate.policy,
        least=rate.min_digits or 0,
        most=NO_LIMIT if rate.max_digits is None else rate.max_digits,
    )


def is_in_force(rate: Rate, rates: Sequence[Rate], at: datetime) -> bool:
    """Begun and not over: by its own end, else by the next usable rate of its table and calls."""
    if rate.status == "stashed" or rate.effective_from > at:
        return False
    if rate.effective_to is not None:
        return rate.effective_to > at
    return not any(
        other.status != "stashed"
        and other.rate_table_id == rate.rate_table_id
        and key(other) == key(rate)
        and rate.effective_from < other.effective_from <= at
        for other in rates
    )


def used(chain: Sequence[RateTable], rates: Sequence[Rate], at: datetime) -> dict[CallsKey, Rate]:
    """The rate for each kind of calls: of the nearest table, begun last, with the highest id."""
    depth = {table.pk: place for place, table in enumerate(chain)}
    in_force = [
        rate for rate in rates if rate.rate_table_id in depth and is_in_force(rate, rates, at)
    ]
    found: dict[CallsKey, Rate] = {}
    for rate in sorted(
        in_force, key=lambda each: (-depth[each.rate_table_id], each.effective_from, each.pk)
    ):
        found[key(rate)] = rate
    return {
        calls: rate
        for calls, rate in found.items()
        if not any(is_always_before(other, rate, depth) for other in in_force)
    }


def is_always_before(other: Rate, rate: Rate, depth: dict[int, int]) -> bool:
    """Whether another is chosen whenever the rate could be: its table is nearer."""
    same = ("prefix", "tag", "origin_prefix", "policy")
    return (
        depth[other.rate_table_id] < depth[rate.rate_table_id]
        and all(getattr(other, name) == getattr(rate, name) for name in same)
        and key(other).profile == 0
        and (key(other).least, key(other).most) == (0, NO_LIMIT)
    )


def compared(left: Rate | None, right: Rate | None) -> ComparisonClass:
    if left is None:
        return ComparisonClass.ONLY_RIGHT
    if right is None:
        return ComparisonClass.ONLY_LEFT
    if all(each.status == "active" and not each.steps for each in (left, right)):
        if right.rate > left.rate:
            return ComparisonClass.INCREASED
        if right.rate < left.rate:
            return ComparisonClass.DECREASED
    for name in ("destination", "minimum", "connection_fee", "steps", "status"):
        if getattr(left, name) != getattr(right, name):
            return ComparisonClass.TERMS
    return ComparisonClass.EQUAL if initial(left) == initial(right) else ComparisonClass.TERMS


def initial(rate: Rate) -> Decimal | None:
    return None if rate.initial_rate == rate.rate else rate.initial_rate
