"""Random rates, tables and calls, dense enough that prefixes nest and dates collide."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from cdr.rules.rates import IncrementBase, Rate, RateStatus, RateTable, Rounding

START = datetime(2026, 1, 1, tzinfo=UTC)
INT64_MAX = 2**63 - 1

instants = st.integers(0, 8).map(lambda days: START + timedelta(days=days))
digits = st.text("0123", max_size=4) | st.text("0123456789", max_size=15)
call_numbers = st.text("0123", min_size=1, max_size=6) | st.text("01x+", max_size=18)

small_amounts = st.integers(-(10**9), 10**9).map(lambda scaled: Decimal(scaled).scaleb(-8))
large_amounts = st.integers(-(10**18) + 1, 10**18 - 1).map(lambda s: Decimal(s).scaleb(-8))
amounts = small_amounts | large_amounts | st.just(Decimal(0))
volumes = st.integers(0, 200) | st.integers(0, INT64_MAX)
steps = st.integers(1, 90) | st.integers(1, INT64_MAX)


@st.composite
def tables(draw: st.DrawFn) -> RateTable:
    return RateTable(
        name="drawn",
        rounding=draw(st.sampled_from(Rounding)),
        decimals=draw(st.integers(0, 8)),
        increment_base=draw(st.sampled_from(IncrementBase)),
        volume_units_per_rating_unit=draw(st.sampled_from([1, 7, 60, 1024, 1_048_576, 10**10])),
    )


@st.composite
def rates(draw: st.DrawFn, number: int = 1) -> Rate:
    bounds = draw(st.tuples(st.none() | amounts, st.none() | amounts))
    if bounds[0] is not None and bounds[1] is not None:
        bounds = (min(bounds[0], bounds[1]), max(bounds[0], bounds[1]))
    effective_from = draw(instants)
    duration = draw(st.none() | st.integers(1, 5))
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
        status=draw(st.sampled_from(RateStatus)),
    )


@st.composite
def decks(draw: st.DrawFn) -> list[Rate]:
    count = draw(st.integers(0, 14))
    numbered = draw(st.permutations(range(1, count + 1)))
    return [draw(rates(number=number)) for number in numbered]


calls = st.tuples(
    call_numbers,
    st.integers(-1, 9 * 24).map(lambda hours: START + timedelta(hours=hours)),
    volumes,
)
