"""In-call price steps as rate decks write them: `0:0.60/60;60:0.30/1`."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

STEPS_LIMIT = 8

_STEP = re.compile(r"([0-9]{1,10}):(-?[0-9]{1,10}(?:\.[0-9]{1,8})?)/([0-9]{1,10})")


class StepsNotUnderstood(ValueError):
    """Price steps are not written as from which volume, price and increment."""


@dataclass(frozen=True, slots=True)
class PriceStep:
    """From `start` volume units on: `price` per rating unit, billed in whole increments."""

    start: int
    price: Decimal
    increment: int


@lru_cache(maxsize=4096)
def parse_price_steps(text: str) -> tuple[PriceStep, ...]:
    """The steps a text stands for, in order; none for an empty one.

    >>> parse_price_steps("0:0.60/60;60:0.30/1")[1]
    PriceStep(start=60, price=Decimal('0.30'), increment=1)

    :raises StepsNotUnderstood: unless there are up to eight, ascending from 0.
    """
    if not text:
        return ()
    steps = tuple(_step(part.strip()) for part in text.split(";"))
    starts = [step.start for step in steps]
    if len(steps) > STEPS_LIMIT:
        raise StepsNotUnderstood(f"there may be up to {STEPS_LIMIT}")
    if starts[0] != 0 or starts != sorted(set(starts)):
        raise StepsNotUnderstood("they start at 0 and ascend")
    return steps


def _step(part: str) -> PriceStep:
    found = _STEP.fullmatch(part)
    if found is None:
        raise StepsNotUnderstood("write them as 0:0.60/60;60:0.30/1")
    if int(found[3]) < 1:
        raise StepsNotUnderstood("an increment is at least 1")
    return PriceStep(int(found[1]), Decimal(found[2]), int(found[3]))
