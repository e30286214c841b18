"""How many legs one core rates in a second, over a deck of 60 000 prefixes; prints JSON."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cdr.rating import CompiledTable, Rate, RateTable, Reason, compile_table
from cdr.rating.numbers import COUNT_PLACES
from cdr.rules.instants import to_microseconds

PREFIXES = 60_000
LEGS = 1_000_000
ROUNDS = 7
SEED = 20261001
DAY = 86_400_000_000


@dataclass(frozen=True)
class Figures:
    """`legs_per_second` is that of the median round."""

    prefixes: int
    legs: int
    rated_share: float
    compile_seconds: float
    first_batch_seconds: float
    legs_per_second: int
    best_legs_per_second: int


def main() -> None:
    random = np.random.default_rng(SEED)
    rates = make_rates(random)
    destination, started_at, volume = make_legs(random, rates)
    clock = time.perf_counter()
    compiled = compile_table(RateTable(name="benchmark"), rates)
    compile_seconds = time.perf_counter() - clock
    rounds = [time_batch(compiled, destination, started_at, volume) for _ in range(ROUNDS + 1)]
    seconds = sorted(rounds[1:])
    reason = compiled.rate(destination, started_at, volume).reason
    figures = Figures(
        prefixes=len(rates),
        legs=LEGS,
        rated_share=round(float((reason == Reason.RATED).mean()), 3),
        compile_seconds=round(compile_seconds, 3),
        first_batch_seconds=round(rounds[0], 3),
        legs_per_second=round(LEGS / seconds[len(seconds) // 2]),
        best_legs_per_second=round(LEGS / seconds[0]),
    )
    print(json.dumps(asdict(figures), indent=2))


def make_rates(random: np.random.Generator) -> list[Rate]:
    """Nested prefixes of 1 to 8 digits with fees, minimums, increments and grace of the trade."""
    prefixes: set[str] = {str(digit) for digit in range(1, 10)}
    while len(prefixes) < PREFIXES:
        length = int(random.integers(3, 9))
        prefixes.add(str(random.integers(10 ** (length - 1), 10**length)))
    steps = ((1, 1), (1, 1), (60, 60), (30, 6), (60, 1))
    rates = []
    for number, prefix in enumerate(sorted(prefixes), start=1):
        minimum, increment = steps[number % len(steps)]
        rates.append(
            Rate(
                id=number,
                prefix=prefix,
                rate=Decimal(int(random.integers(1, 10**8))).scaleb(-8),
                connection_fee=Decimal(number % 3).scaleb(-2),
                minimum=minimum,
                increment=increment,
                grace=2 if number % 7 == 0 else 0,
                effective_from=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
    return rates


def make_legs(
    random: np.random.Generator, rates: list[Rate]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """One day of calls in start order to numbers of 12 digits under random prefixes."""
    prefixes = np.array([int(rate.prefix) for rate in rates])
    lengths = np.array([len(rate.prefix) for rate in rates])
    chosen = random.integers(0, len(rates), LEGS)
    missing = 12 - lengths[chosen]
    numbers = prefixes[chosen] * 10**missing + random.integers(0, 10**missing)
    destination = numbers * 1000 * COUNT_PLACES + 12
    day = to_microseconds(datetime(2026, 10, 1, tzinfo=UTC))
    started_at = np.sort(day + random.integers(0, DAY, LEGS))
    volume = np.where(
        random.random(LEGS) < 0.3, 0, random.exponential(180, LEGS).astype(np.int64) + 1
    )
    return destination, started_at, volume


def time_batch(
    compiled: CompiledTable,
    destination: NDArray[np.int64],
    started_at: NDArray[np.int64],
    volume: NDArray[np.int64],
) -> float:
    clock = time.perf_counter()
    compiled.rate(destination, started_at, volume)
    return time.perf_counter() - clock


if __name__ == "__main__":
    main()
