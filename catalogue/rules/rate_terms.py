"""Every column of a rate, checked when built: what a rate table may hold."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from unicodedata import category

from catalogue.rules.price_steps import StepsNotUnderstood, parse_price_steps
from catalogue.rules.tags import TagsNotUnderstood, parse_tags
from common.errors import DomainError

PREFIX_DIGITS = 15
"""The longest E.164 number, hence the longest prefix."""
AMOUNT_DECIMALS = 8
AMOUNT_LIMIT = Decimal(10) ** 10
VOLUME_LIMIT = 2**31 - 1

_DIGITS = re.compile(rf"[0-9]{{0,{PREFIX_DIGITS}}}")
_ZERO = Decimal(0)


class RateRefused(DomainError):
    """A column of a rate holds what no rate may hold; `column` names it."""

    def __init__(self, column: str, value: object, why: str) -> None:
        super().__init__(f"{column} '{value}': {why}")
        self.column = column
        self.value = value


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTerms:
    """The price of the destinations that start with `prefix`, in force in `[effective_from, to)`.

    Amounts are Decimals with at most eight decimals; `rate` and `initial_rate` are per rating unit
    and may be negative. `minimum`, `increment` and `grace` are whole volume units. `steps` is
    written `0:0.60/60;60:0.30/1`: from which volume, price, increment. An empty `destination` is
    looked up in the table's code deck.

    :raises RateRefused: naming the column.
    """

    prefix: str
    rate: Decimal
    effective_from: datetime
    effective_to: datetime | None = None
    destination: str = ""
    initial_rate: Decimal | None = None
    connection_fee: Decimal = _ZERO
    minimum: int = 1
    increment: int = 1
    grace: int = 0
    steps: str = ""
    min_cost: Decimal | None = None
    max_cost: Decimal | None = None
    attempt_fee: Decimal = _ZERO
    time_profile_id: int | None = None
    policy: str = "regular"
    tag: str = ""
    origin_prefix: str = ""
    min_digits: int | None = None
    max_digits: int | None = None
    status: str = "active"

    def __post_init__(self) -> None:
        for column in ("prefix", "origin_prefix"):
            _check_prefix(column, getattr(self, column))
        for column in ("rate", "initial_rate", "connection_fee", "min_cost", "max_cost"):
            check_amount(column, getattr(self, column))
        check_amount("attempt_fee", self.attempt_fee)
        _check_volume("minimum", self.minimum, 1)
        _check_volume("increment", self.increment, 1)
        _check_volume("grace", self.grace, 0)
        _check_choice("policy", self.policy, ("regular", "additive"))
        _check_choice("status", self.status, ("active", "stashed", "blocked"))
        check_text("destination", self.destination, 120)
        _check_tag(self.tag)
        _check_effective(self.effective_from, self.effective_to)
        _check_bounds(self)
        check_steps(self.steps)


def check_amount(column: str, amount: Decimal | None) -> None:
    """:raises RateRefused: unless it is an exact decimal number of at most eight decimals."""
    if amount is None:
        return
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise RateRefused(column, amount, "an amount is a finite decimal number")
    if not -AMOUNT_LIMIT < amount < AMOUNT_LIMIT:
        raise RateRefused(column, amount, f"an amount stays below {AMOUNT_LIMIT:f}")
    if not fits_amount(amount):
        raise RateRefused(column, amount, f"an amount has at most {AMOUNT_DECIMALS} decimals")


def fits_amount(amount: Decimal) -> bool:
    """Whether a price is held without losing a digit: eight decimals, below ten thousand million.

    >>> fits_amount(Decimal("0.00000001")), fits_amount(Decimal("0.000000001"))
    (True, False)
    """
    try:
        return amount == amount.quantize(Decimal(1).scaleb(-AMOUNT_DECIMALS))
    except InvalidOperation:  # more digits than the decimal context holds
        return False


def check_steps(steps: str) -> None:
    """:raises RateRefused: unless `steps` is empty or up to eight ascending steps from 0."""
    try:
        parse_price_steps(steps)
    except StepsNotUnderstood as error:
        raise RateRefused("steps", steps, str(error)) from error


def _check_prefix(column: str, prefix: str) -> None:
    if not _DIGITS.fullmatch(prefix):
        raise RateRefused(column, prefix, f"a prefix is up to {PREFIX_DIGITS} digits")


def _check_volume(column: str, volume: int, least: int) -> None:
    if not least <= volume <= VOLUME_LIMIT:
        raise RateRefused(column, volume, f"a volume is from {least} to {VOLUME_LIMIT}")


def _check_choice(column: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RateRefused(column, value, f"it is one of {', '.join(choices)}")


def check_text(column: str, text: str, most: int) -> None:
    """:raises RateRefused: unless it is one line of at most so many characters."""
    if len(text) > most:
        raise RateRefused(column, text, f"it has at most {most} characters")
    # Files would not give it back: cells are read without blanks around, and on one line.
    if text != text.strip() or any(category(letter) == "Cc" for letter in text):
        raise RateRefused(column, text, "it is one line without blanks around it")


def _check_tag(tag: str) -> None:
    if not tag:
        return
    try:
        kept = parse_tags(tag)
    except TagsNotUnderstood as error:
        raise RateRefused("tag", tag, str(error)) from error
    if kept != tag:
        raise RateRefused("tag", tag, "a rate is for one tag")


def _check_effective(effective_from: datetime, effective_to: datetime | None) -> None:
    for column, instant in (("effective_from", effective_from), ("effective_to", effective_to)):
        if instant is not None and instant.utcoffset() is None:
            raise RateRefused(column, instant, "an instant says its offset from UTC")
    if effective_to is not None and effective_to <= effective_from:
        raise RateRefused("effective_to", effective_to, f"not after the start {effective_from}")


def _check_bounds(terms: RateTerms) -> None:
    floor, cap = terms.min_cost, terms.max_cost
    if floor is not None and cap is not None and floor > cap:
        raise RateRefused("min_cost", floor, f"the floor is above max_cost {cap}")
    least, most = terms.min_digits, terms.max_digits
    for column, digits in (("min_digits", least), ("max_digits", most)):
        if digits is not None and not 0 <= digits <= PREFIX_DIGITS * 2:
            raise RateRefused(column, digits, "a number has 0 to 30 digits")
    if least is not None and most is not None and least > most:
        raise RateRefused("max_digits", most, f"below min_digits {least}")
