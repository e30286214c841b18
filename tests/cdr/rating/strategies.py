"""Random rates, tables and calls, dense enough that prefixes nest and dates collide."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

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
from tests.cdr.rating.reference import Call, Deck

START = datetime(2026, 3, 26, tzinfo=UTC)
"""Three days before clocks go forward in Berlin; 210 days later they go back."""

INT64_MAX = 2**63 - 1

days = st.integers(0, 8) | st.integers(0, 8).map(lambda count: 208 + count)
instants = days.map(lambda count: START + timedelta(days=count))
moments = st.builds(
    lambda day, hours, minutes, seconds: (
        START + timedelta(days=day, hours=hours, minutes=minutes, seconds=seconds)
    ),
    st.integers(-1, 8) | st.integers(207, 216),
    st.integers(0, 23),
    st.sampled_from([0, 15, 28, 29, 30, 59]),
    st.sampled_from([0, 1, 30, 59, 59.5]),
)
digits = st.text("0123", max_size=4) | st.text("0123456789", max_size=15)
call_numbers = st.text("0123", min_size=1, max_size=6) | st.text("01x+", max_size=18)
callers = st.text("12", max_size=3) | st.just("")

small_amounts = st.integers(-(10**9), 10**9).map(lambda scaled: Decimal(scaled).scaleb(-8))
large_amounts = st.integers(-(10**18) + 1, 10**18 - 1).map(lambda s: Decimal(s).scaleb(-8))
amounts = small_amounts | large_amounts | st.just(Decimal(0))
volumes = st.integers(0, 200) | st.integers(0, INT64_MAX)
split_volumes = st.integers(0, 200) | st.integers(10**8, INT64_MAX)
steps = st.integers(1, 90) | st.integers(1, INT64_MAX)
profiles = st.sampled_from(
    [
        "",
        "",
        "Mon-Fri 08:00-20:00",
        "Mon-Fri 00:00-24:00 @3",
        "Sat-Sun 02:30-03:00 @7",
        "Sun 00:00-24:00;Mon 00:00-00:30 @7",
        "03-29 00:00-24:00;10-25 01:00-03:00 @20",
    ]
)
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
tags = st.sampled_from(["", "", "", "vip", "on-net"])


@st.composite
def tables(draw: st.DrawFn, boundary: Boundary = Boundary.START) -> RateTable:
    return RateTable(
        name="drawn",
        timezone=draw(zones),
        rounding=draw(st.sampled_from(Rounding)),
        decimals=draw(st.integers(0, 8)),
        increment_base=draw(st.sampled_from(IncrementBase)),
        boundary=boundary,
        connection_fee_due=draw(st.sampled_from(FeeDue)),
        volume_units_per_rating_unit=draw(st.sampled_from([1, 7, 60, 1024, 1_048_576, 10**10])),
    )


@st.composite
def price_steps(draw: st.DrawFn) -> str:
    starts = sorted({0, *draw(st.lists(st.integers(1, 120), max_size=4))})
    prices = [draw(small_amounts) for _ in starts]
    increments = [draw(st.integers(1, 90)) for _ in starts]
    terms = zip(starts, prices, increments, strict=True)
    return ";".join(f"{start}:{price:f}/{increment}" for start, price, increment in terms)


@st.composite
def rates(draw: st.DrawFn, number: int = 1, *, is_plain: bool = True) -> Rate:
    bounds = draw(st.tuples(st.none() | amounts, st.none() | amounts))
    if bounds[0] is not None and bounds[1] is not None:
        bounds = (min(bounds[0], bounds[1]), max(bounds[0], bounds[1]))
    effective_from = draw(instants)
    duration = draw(st.none() | st.integers(1, 5))
    conditions: dict[str, Any] = {} if is_plain else draw(conditional_columns())
    return Rate(
        id=number,
        prefix=draw(digits),
        destination=f"destination {number}",
        rate=draw(amounts),
        initial_rate=draw(st.none() | amounts),
        connection_fee=draw(amounts),
        minimum=draw(steps),
        increment=draw(steps),
        grace=draw(st.integers(0, 30)),
        min_cost=bounds[0],
        max_cost=bounds[1],
        attempt_fee=draw(amounts),
        effective_from=effective_from,
        effective_to=None if duration is None else effective_from + timedelta(days=duration),
        status=draw(st.sampled_from([*RateStatus, RateStatus.ACTIVE, RateStatus.ACTIVE])),
        **conditions,
    )


@st.composite
def conditional_columns(draw: st.DrawFn) -> dict[str, Any]:
    """What makes a rate one for some calls only, or one on top, or one in steps."""
    bounds = sorted(draw(st.tuples(st.integers(0, 6), st.integers(0, 20))))
    return {
        "steps": draw(st.just("") | price_steps()),
        "time_profile": draw(profiles),
        "policy": draw(st.sampled_from([Policy.REGULAR, Policy.REGULAR, Policy.ADDITIVE])),
        "tag": draw(tags),
        "origin_prefix": draw(st.just("") | st.text("12", max_size=2)),
        "min_digits": draw(st.none() | st.just(bounds[0])),
        "max_digits": draw(st.none() | st.just(bounds[1])),
    }


@st.composite
def rate_lists(draw: st.DrawFn, *, most: int = 14, is_plain: bool = True) -> list[Rate]:
    count = draw(st.integers(0, most))
    numbered = draw(st.permutations(range(1, count + 1)))
    return [draw(rates(number=number, is_plain=is_plain)) for number in numbered]


@st.composite
def decks(draw: st.DrawFn, boundary: Boundary = Boundary.START) -> Deck:
    """A table with up to two parents, and rates with every column."""
    return [
        (draw(tables(boundary)), draw(rate_lists(most=7, is_plain=False)))
        for _ in range(draw(st.integers(1, 3)))
    ]


def calls(volume: st.SearchStrategy[int] = volumes) -> st.SearchStrategy[Call]:
    return st.builds(
        Call,
        number=call_numbers,
        started_at=moments,
        volume=volume,
        caller=callers,
        tags=st.frozensets(st.sampled_from(["vip", "on-net", "other"]), max_size=2),
        included=st.just(0) | volume,
    )


def call_lists(
    volume: st.SearchStrategy[int] = volumes,
) -> st.SearchStrategy[list[Call]]:
    return st.lists(calls(volume), min_size=1, max_size=12)
