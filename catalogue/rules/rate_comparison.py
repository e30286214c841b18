"""What becomes of the price of a prefix between two rate tables, or two instants of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum

PERCENT_DECIMALS = 2
_PRECISION = 60


class ComparisonClass(StrEnum):
    """What two tables have in common for the same calls."""

    INCREASED = "increased"
    DECREASED = "decreased"
    ONLY_LEFT = "only_left"
    ONLY_RIGHT = "only_right"
    TERMS = "terms"
    """The same rate, under other terms: minimum, fee, name of the destination and so on."""
    EQUAL = "equal"
    BOTH = "both"
    """In both, in two currencies: their rates cannot be compared."""


@dataclass(frozen=True, slots=True, order=True)
class CallsKey:
    """For which calls a rate is meant, in the order in which they are listed.

    `profile` is the id of a time profile, 0 for none; numbers have from `least` to `most` digits.
    """

    prefix: str
    tag: str
    profile: int
    origin_prefix: str
    policy: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class ComparedRate:
    """A rate as one side of the comparison has it; `table_id` is a parent's where it is inherited.

    Amounts are in the currency of its table, volumes in the volume unit of its product.
    """

    id: int
    table_id: int
    destination: str
    effective_from: datetime
    rate: Decimal
    initial_rate: Decimal | None
    connection_fee: Decimal
    minimum: int
    increment: int
    grace: int
    steps: str
    min_cost: Decimal | None
    max_cost: Decimal | None
    attempt_fee: Decimal
    status: str

    @property
    def terms(self) -> tuple[object, ...]:
        """All that it says but its rate and since when; an initial rate only where it differs."""
        initial = None if self.initial_rate == self.rate else self.initial_rate
        rest = (getattr(self, name) for name in TERMS if name != "initial_rate")
        return (initial, *rest)


TERMS = (
    "initial_rate",
    "destination",
    "connection_fee",
    "minimum",
    "increment",
    "grace",
    "steps",
    "min_cost",
    "max_cost",
    "attempt_fee",
    "status",
)
"""The columns of a rate that are compared beside its rate."""


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """The rates for the same calls on both sides, one of which may have none."""

    key: CallsKey
    left: ComparedRate | None
    right: ComparedRate | None
    comparison_class: ComparisonClass

    @property
    def difference(self) -> Decimal | None:
        """What the right one asks more per rating unit; None unless both ask a price there."""
        if self.comparison_class is ComparisonClass.BOTH or not _are_priced(self.left, self.right):
            return None
        assert self.left is not None
        assert self.right is not None
        return self.right.rate - self.left.rate

    @property
    def percent(self) -> Decimal | None:
        """The difference as `percent_change` says it."""
        if self.difference is None or self.left is None or self.right is None:
            return None
        return percent_change(self.left.rate, self.right.rate)

    @property
    def other_terms(self) -> tuple[str, ...]:
        """The columns beside the rate in which they differ."""
        if self.left is None or self.right is None:
            return ()
        return tuple(
            name
            for name, before, after in zip(TERMS, self.left.terms, self.right.terms, strict=True)
            if before != after
        )


@dataclass(frozen=True, slots=True)
class ComparisonTotal:
    """How many prefixes are of a class, and how far their rates move on average, in percent.

    The average counts each prefix once, whatever its traffic; None where nothing can be compared.
    """

    count: int
    mean_percent: Decimal | None


def percent_change(before: Decimal, after: Decimal) -> Decimal | None:
    """By how many percent of `before` a price moves, half up to two decimals; None from nothing.

    >>> percent_change(Decimal("0.05"), Decimal("0.06")), percent_change(Decimal(0), Decimal(1))
    (Decimal('20.00'), None)
    """
    if not before:
        return None
    with localcontext(prec=_PRECISION):
        return rounded_percent((after - before) * 100 / abs(before))


def rounded_percent(percent: Decimal | None) -> Decimal | None:
    """Half up, away from zero, to two decimals."""
    if percent is None:
        return None
    with localcontext(prec=_PRECISION):
        return percent.quantize(Decimal(1).scaleb(-PERCENT_DECIMALS), ROUND_HALF_UP)


def compare(
    left: ComparedRate | None, right: ComparedRate | None, *, same_currency: bool
) -> ComparisonClass:
    """The class of a pair, of which at most one is missing.

    Of a rate with price steps, and of one that is blocked, the price per rating unit says nothing:
    it is not compared.
    """
    if left is None:
        return ComparisonClass.ONLY_RIGHT
    if right is None:
        return ComparisonClass.ONLY_LEFT
    if not same_currency:
        return ComparisonClass.BOTH
    if _are_priced(left, right) and left.rate != right.rate:
        is_dearer = right.rate > left.rate
        return ComparisonClass.INCREASED if is_dearer else ComparisonClass.DECREASED
    return ComparisonClass.EQUAL if left.terms == right.terms else ComparisonClass.TERMS


def _are_priced(*rates: ComparedRate | None) -> bool:
    return all(rate and rate.status == "active" and not rate.steps for rate in rates)


Totals = Mapping[ComparisonClass, ComparisonTotal]
