"""How many legs one core rates in a second; prints one JSON object, and its progress beside it.

`plain`: a table with fees, minimums, increments and grace. `all`: also time profiles, steps, a
parent table, allowances, tags, origin prefixes, digit bounds, additive rates, floors and caps, and
xDRs split where their rate changes. Measured in CPU seconds, so that a busy machine counts little.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cdr.rating import Boundary, CompiledTable, RateColumns, RateTable, TagColumn, compile_table
from cdr.rating.columns import RATE_SCHEMA
from cdr.rating.numbers import COUNT_PLACES
from cdr.rules.cost import leg_cost
from cdr.rules.instants import to_microseconds

PREFIXES = (5_000, 60_000, 400_000)
LEGS = 1_000_000
LOOP_LEGS = 20_000
ROUNDS = 5
SEED = 20261001
DAY = 86_400_000_000
LENGTH = 12
START = to_microseconds(datetime(2026, 1, 1, tzinfo=UTC))
INCREMENTS = np.array([(1, 1), (1, 1), (60, 60), (30, 6), (60, 1)])

Columns = dict[str, Any]


def main() -> None:
    cases = []
    for count in PREFIXES:
        for features, make in (("plain", make_plain), ("all", make_all)):
            random = np.random.default_rng(SEED)
            prefixes = make_prefixes(random, count)
            compiled = timed_compile(count, features, partial(make, random, prefixes))
            legs = make_legs(random, prefixes)
            if features == "all":
                legs |= make_circumstances(random)
            speed = legs_per_second(compiled, legs)
            cases.append({"prefixes": count, "features": features, "legs_per_second": speed})
    loop = loop_legs_per_second()
    print(json.dumps({"cases": cases, "python_loop_legs_per_second": loop}))


def make_prefixes(random: np.random.Generator, count: int) -> list[str]:
    """Distinct nested prefixes: the nine digits, and others of 3 to 9 digits."""
    found = {str(digit) for digit in range(1, 10)}
    while len(found) < count:
        lengths = random.integers(3, 10, count - len(found))
        found |= set(random.integers(10 ** (lengths - 1), 10**lengths).astype(str).tolist())
    return sorted(found)


def make_rates(random: np.random.Generator, prefixes: list[str], **columns: Any) -> RateColumns:
    """Rates with fees, minimums, increments and grace of the trade, and with `columns`."""
    count = len(prefixes)
    place = np.arange(count)
    minimum, increment = INCREMENTS[place % len(INCREMENTS)].T
    given: Columns = {
        "id": place + 1,
        "prefix": prefixes,
        "destination": [prefix[:4] for prefix in prefixes],
        "effective_from": np.full(count, START),
        "rate": random.integers(1, 10**8, count),
        "connection_fee": place % 3 * 10**6,
        "minimum": minimum,
        "increment": increment,
        "grace": np.where(place % 7 == 0, 2, 0),
        "attempt_fee": np.zeros(count, dtype=np.int64),
        "policy": ["regular"] * count,
        "status": ["active"] * count,
    } | columns
    for name, kind in RATE_SCHEMA.items():
        absent: Any = "" if kind == pl.String else None
        given.setdefault(name, [absent] * count)
    return RateColumns.read(pl.DataFrame(given, schema=RATE_SCHEMA))


def make_plain(random: np.random.Generator, prefixes: list[str]) -> CompiledTable:
    return compile_table(RateTable(name="benchmark"), make_rates(random, prefixes))


def make_all(random: np.random.Generator, prefixes: list[str]) -> CompiledTable:
    """A table with two thirds of the prefixes, its parent with two thirds as well."""
    table = RateTable(name="child", timezone="Europe/Berlin", boundary=Boundary.SPLIT)
    own, of_parent = prefixes[: len(prefixes) * 2 // 3], prefixes[len(prefixes) // 3 :]
    return compile_table(
        table,
        make_rates(random, own, **make_conditions(len(own))),
        [(RateTable(name="parent"), make_rates(random, of_parent))],
    )


def make_conditions(count: int) -> Columns:
    """Every condition and way of charging, on some of the rates."""

    def every(step: int, text: str, otherwise: str = "") -> list[str]:
        return [text if place % step == 0 else otherwise for place in range(count)]

    place = np.arange(count)
    return {
        "time_profile": [
            ("Mon-Fri 08:00-20:00;Sat 08:00-13:00 @5", "10-03 00:00-24:00 @20", "")[row % 3]
            for row in range(count)
        ],
        "steps": every(5, "0:0.60/60;60:0.30/1"),
        "tag": every(11, "vip"),
        "origin_prefix": every(13, "49"),
        "policy": every(17, "additive", "regular"),
        "min_digits": np.where(place % 19 == 0, 8, 0),
        "min_cost": np.where(place % 23 == 0, 10**6, -(10**16)),
        "max_cost": np.where(place % 23 == 0, 10**9, 10**16),
    }


def make_legs(random: np.random.Generator, prefixes: list[str]) -> dict[str, NDArray[np.int64]]:
    """One day of calls in start order to numbers of 12 digits under random prefixes."""
    chosen = random.integers(0, len(prefixes), LEGS)
    missing = LENGTH - np.array([len(prefix) for prefix in prefixes])[chosen]
    numbers = np.array([int(prefix) for prefix in prefixes])[chosen] * 10**missing
    numbers += random.integers(0, 10**missing)
    start = to_microseconds(datetime(2026, 10, 1, tzinfo=UTC))
    volume = random.exponential(180, LEGS).astype(np.int64) + 1
    return {
        "destination": aligned(numbers),
        "started_at": np.sort(start + random.integers(0, DAY, LEGS)),
        "volume": np.where(random.random(LEGS) < 0.3, 0, volume),
    }


def make_circumstances(random: np.random.Generator) -> Columns:
    """Callers of two countries, a tenth of the legs tagged, a tenth within an allowance."""
    callers = np.where(random.random(LEGS) < 0.5, 493_012_345_678, 331_012_345_678)
    sets = (frozenset[str](), frozenset({"vip"}))
    return {
        "caller": aligned(callers),
        "tags": TagColumn((random.random(LEGS) < 0.1).astype(np.int64), sets),
        "included": np.where(random.random(LEGS) < 0.1, 60, 0),
    }


def aligned(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The keys of numbers of 12 digits."""
    return numbers * 1000 * COUNT_PLACES + LENGTH


def timed_compile(count: int, features: str, make: Callable[[], CompiledTable]) -> CompiledTable:
    clock = time.process_time()
    compiled = make()
    seconds = time.process_time() - clock
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    message = f"{count} prefixes, {features}: made and compiled in {seconds:.1f} CPU s"
    print(f"{message}; the process has used {mebibytes:.0f} MiB at most", file=sys.stderr)
    return compiled


def legs_per_second(compiled: CompiledTable, legs: Columns) -> int:
    """That of the median round; the first, which works out choices, is not counted."""
    seconds = []
    for _ in range(ROUNDS + 1):
        clock = time.process_time()
        compiled.rate(**legs)
        seconds.append(time.process_time() - clock)
    return round(LEGS / sorted(seconds[1:])[ROUNDS // 2])


def loop_legs_per_second() -> int:
    """The yardstick: a loop over the legs, a dictionary of prefixes, the rule in Decimals."""
    random = np.random.default_rng(SEED)
    prefixes = make_prefixes(random, PREFIXES[1])
    columns = make_rates(random, prefixes)
    rates = {prefix: columns.rate(place) for place, prefix in enumerate(prefixes)}
    legs = make_legs(random, prefixes)
    keys, volumes = legs["destination"][:LOOP_LEGS], legs["volume"][:LOOP_LEGS].tolist()
    numbers = (keys // (1000 * COUNT_PLACES)).astype(str).tolist()
    table, total = RateTable(), Decimal(0)
    clock = time.process_time()
    for number, volume in zip(numbers, volumes, strict=True):
        fitting = (rates.get(number[:length]) for length in range(LENGTH, 0, -1))
        rate = next(found for found in fitting if found is not None)
        total += leg_cost(table, rate, volume).cost
    return round(LOOP_LEGS / (time.process_time() - clock))


if __name__ == "__main__":
    main()
