"""A rate table and its rates: every column that decides a price, checked when built.

All amounts are Decimals with at most eight decimals and below ten thousand million, all volumes
whole numbers of the product's volume unit (voice: seconds), all instants aware datetimes.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from catalogue.rules.price_steps import PriceStep, StepsNotUnderstood, parse_price_steps
from catalogue.rules.time_profiles import (
    TimeProfile,
    TimeProfileNotUnderstood,
    parse_time_profile,
)

PREFIX_DIGITS = 15
"""The longest E.164 number, hence the longest prefix."""

AMOUNT_DECIMALS = 8
AMOUNT_LIMIT = Decimal(10) ** 10
VOLUME_LIMIT = 2**63 - 1
UNITS_LIMIT = 10**10
DIGITS_LIMIT = 30
"""No destination is longer, and the bounds of its length are no greater."""

_AMOUNT_QUANTUM = Decimal(1).scaleb(-AMOUNT_DECIMALS)
_ZERO = Decimal(0)


class Rounding(StrEnum):
    """How the cost of a leg is brought to the table's decimals; all are symmetric around zero."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


class IncrementBase(StrEnum):
    """What the increment counts: the volume after the minimum, or the whole volume."""

    AFTER_MINIMUM = "after_minimum"
    TOTAL = "total"


class Boundary(StrEnum):
    """Where an xDR that crosses a price boundary takes its price: at its start, or on each side."""

    START = "start"
    SPLIT = "split"


class FeeDue(StrEnum):
    """When the connection fee is due of an xDR that an allowance covers."""

    BEYOND_ALLOWANCE = "beyond_allowance"
    ALWAYS = "always"


class Policy(StrEnum):
    """Whether a rate is the price itself or is added on top of it."""

    REGULAR = "regular"
    ADDITIVE = "additive"


class RateStatus(StrEnum):
    """In force; imported but unconfirmed (never used); or refusing the traffic it matches."""

    ACTIVE = "active"
    STASHED = "stashed"
    BLOCKED = "blocked"


class InvalidRate(ValueError):
    """A value that no rate or rate table may hold; `column` and `value` say which."""

    def __init__(self, column: str, value: object, why: str) -> None:
        super().__init__(f"{column} {str(value)!r}: {why}")
        self.column = column
        self.value = value
        self.why = why


class PrefixNotDigits(InvalidRate):
    """A prefix holds something else than up to fifteen digits."""


class AmountNotDecimal(InvalidRate):
    """An amount is not a finite Decimal: binary floats never touch money."""


class AmountTooPrecise(InvalidRate):
    """An amount has more than eight decimals."""


class AmountTooLarge(InvalidRate):
    """An amount reaches ten thousand million."""


class MinimumBelowOne(InvalidRate):
    """The least billed volume is at least one unit."""


class IncrementBelowOne(InvalidRate):
    """The billing step is at least one unit."""


class GraceBelowZero(InvalidRate):
    """The free volume is zero or more."""


class VolumeTooLarge(InvalidRate):
    """A volume does not fit 64 bits."""


class InstantWithoutZone(InvalidRate):
    """An effective instant does not say its offset from UTC."""


class EffectiveRangeEmpty(InvalidRate):
    """A rate ends at or before its start."""


class FloorAboveCap(InvalidRate):
    """The least cost of an xDR is above the most it may cost."""


class DigitBoundsCrossed(InvalidRate):
    """The bounds of the destination's length are negative or the wrong way round."""


class InvalidSteps(InvalidRate):
    """Price steps that are not written as from which volume, price and increment."""


class InvalidTimeProfile(InvalidRate):
    """A time profile that is not written as days and hours."""


class ParentRefused(InvalidRate):
    """A parent table of another currency, or one that is searched already."""


class BoundaryWithoutTime(InvalidRate):
    """Only what is used over time can be split where its price changes."""


class DecimalsOutOfRange(InvalidRate):
    """Costs are rounded to 0 to 8 decimals."""


class UnknownTimezone(InvalidRate):
    """A table's zone is not in the IANA time zone database."""


class UnknownCurrency(InvalidRate):
    """A currency is three capital letters."""


class UnitsOutOfRange(InvalidRate):
    """A rating unit holds a whole number of volume units, between one and 10^10."""


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _check_amount(column: str, amount: Decimal) -> None:
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise AmountNotDecimal(column, amount, "an amount is a finite decimal number")
    if not -AMOUNT_LIMIT < amount < AMOUNT_LIMIT:
        raise AmountTooLarge(column, amount, f"an amount stays below {AMOUNT_LIMIT:f}")
    if amount != amount.quantize(_AMOUNT_QUANTUM):
        raise AmountTooPrecise(column, amount, f"an amount has at most {AMOUNT_DECIMALS} decimals")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTable:
    """What all rates of a table share.

    `currency` is an ISO 4217 code or empty where amounts are in a currency known elsewhere;
    `parent` names the table searched after this one, empty for none;
    `volume_units_per_rating_unit` is 60 where volumes are seconds and prices are per minute;
    `seconds_per_volume_unit` is 0 for what is not used over time (messages, bytes).

    :raises InvalidRate: one of its subclasses, naming the column.
    """

    name: str = ""
    currency: str = ""
    timezone: str = "UTC"
    parent: str = ""
    rounding: Rounding = Rounding.HALF_UP
    decimals: int = 6
    increment_base: IncrementBase = IncrementBase.AFTER_MINIMUM
    boundary: Boundary = Boundary.START
    connection_fee_due: FeeDue = FeeDue.BEYOND_ALLOWANCE
    volume_units_per_rating_unit: int = 60
    seconds_per_volume_unit: int = 1

    def __post_init__(self) -> None:
        currency = self.currency
        if currency and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            raise UnknownCurrency("currency", currency, "a currency is three capital letters")
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise UnknownTimezone("timezone", self.timezone, "no such time zone") from error
        if not 0 <= self.decimals <= AMOUNT_DECIMALS:
            raise DecimalsOutOfRange("decimals", self.decimals, "costs have 0 to 8 decimals")
        if not 1 <= self.volume_units_per_rating_unit <= UNITS_LIMIT:
            raise UnitsOutOfRange(
                "volume_units_per_rating_unit",
                self.volume_units_per_rating_unit,
                f"a rating unit holds 1 to {UNITS_LIMIT} volume units",
            )
        if self.boundary is Boundary.SPLIT and not self.seconds_per_volume_unit:
            raise BoundaryWithoutTime(
                "boundary", self.boundary, "the product is not used over time"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The price of the numbers that start with `prefix`, in force in `[effective_from, to)`.

    Without `effective_to` it is in force until the next rate for the same calls starts: of the
    same prefix, tag and time profile, and of the same policy, origin prefix and digit bounds.
    `rate` and `initial_rate` are prices per rating unit and may be negative; `initial_rate` None
    means equal to `rate`. `steps` and `time_profile` hold the published notation
    (`0:0.60/60;60:0.30/1`, `Mon-Fri 08:00-20:00 @5`), empty for none; steps stand instead of
    `minimum`, `initial_rate`, `increment` and `rate`.

    :raises InvalidRate: one of its subclasses, naming the column.
    """

    id: int
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
    time_profile: str = ""
    policy: Policy = Policy.REGULAR
    tag: str = ""
    origin_prefix: str = ""
    min_digits: int | None = None
    max_digits: int | None = None
    status: RateStatus = RateStatus.ACTIVE

    def __post_init__(self) -> None:
        self._check_prefixes()
        self._check_volumes()
        self._check_amounts()
        self._check_effective_range()
        self._check_digit_bounds()
        self._check_notations()

    @property
    def price_steps(self) -> tuple[PriceStep, ...]:
        """The in-call price steps, none where the rate has one price."""
        return steps_of(self.steps)

    @property
    def profile(self) -> TimeProfile | None:
        """When the rate applies; None for all time."""
        return profile_of(self.time_profile)

    @property
    def weight(self) -> int:
        """That of the time profile; 0 without one."""
        return self.profile.weight if self.profile else 0

    @property
    def conditions(self) -> tuple[str, ...]:
        """Which calls the rate is for besides its prefix, in words; none for every call."""
        bounds = (("at least", self.min_digits), ("at most", self.max_digits))
        named = (("tag", self.tag), ("caller", self.origin_prefix), ("", self.time_profile))
        return (
            *(f"{name} {value}".strip() for name, value in named if value),
            *(f"{name} {digits} digits" for name, digits in bounds if digits is not None),
        )

    @property
    def first_rate(self) -> Decimal:
        """The price per rating unit inside the minimum."""
        return self.rate if self.initial_rate is None else self.initial_rate

    def _check_prefixes(self) -> None:
        for column, prefix in (("prefix", self.prefix), ("origin_prefix", self.origin_prefix)):
            if prefix and not (len(prefix) <= PREFIX_DIGITS and _is_digits(prefix)):
                raise PrefixNotDigits(column, prefix, f"a prefix is up to {PREFIX_DIGITS} digits")

    def _check_volumes(self) -> None:
        if self.minimum < 1:
            raise MinimumBelowOne("minimum", self.minimum, "the least billed volume is 1 or more")
        if self.increment < 1:
            raise IncrementBelowOne("increment", self.increment, "the billing step is 1 or more")
        if self.grace < 0:
            raise GraceBelowZero("grace", self.grace, "the free volume is 0 or more")
        if max(self.minimum, self.increment, self.grace) > VOLUME_LIMIT:
            for column in ("minimum", "increment", "grace"):
                volume = getattr(self, column)
                if volume > VOLUME_LIMIT:
                    raise VolumeTooLarge(column, volume, f"a volume is at most {VOLUME_LIMIT}")

    def _check_amounts(self) -> None:
        _check_amount("rate", self.rate)
        _check_amount("connection_fee", self.connection_fee)
        _check_amount("attempt_fee", self.attempt_fee)
        if self.initial_rate is not None:
            _check_amount("initial_rate", self.initial_rate)
        if self.min_cost is not None:
            _check_amount("min_cost", self.min_cost)
        if self.max_cost is not None:
            _check_amount("max_cost", self.max_cost)
            if self.min_cost is not None and self.min_cost > self.max_cost:
                raise FloorAboveCap(
                    "min_cost", self.min_cost, f"the floor is above max_cost {self.max_cost}"
                )

    def _check_effective_range(self) -> None:
        for column, instant in (
            ("effective_from", self.effective_from),
            ("effective_to", self.effective_to),
        ):
            if instant is not None and instant.utcoffset() is None:
                raise InstantWithoutZone(column, instant, "an instant says its offset from UTC")
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise EffectiveRangeEmpty(
                "effective_to", self.effective_to, f"not after the start {self.effective_from}"
            )

    def _check_digit_bounds(self) -> None:
        least, most = self.min_digits, self.max_digits
        for column, digits in (("min_digits", least), ("max_digits", most)):
            if digits is not None and digits > DIGITS_LIMIT:
                raise DigitBoundsCrossed(column, digits, f"a number has 0 to {DIGITS_LIMIT} digits")
        if least is not None and least < 0:
            raise DigitBoundsCrossed("min_digits", least, "a number of digits is 0 or more")
        if most is not None and most < (least or 0):
            raise DigitBoundsCrossed("max_digits", most, f"below min_digits {least or 0}")

    def _check_notations(self) -> None:
        steps_of(self.steps)
        profile_of(self.time_profile)


def steps_of(text: str) -> tuple[PriceStep, ...]:
    """The price steps of a rate, none for an empty text.

    :raises InvalidSteps: not the published notation.
    """
    try:
        return parse_price_steps(text)
    except StepsNotUnderstood as error:
        raise InvalidSteps("steps", text, str(error)) from error


def profile_of(text: str) -> TimeProfile | None:
    """The time profile of a rate; None for an empty text, which is all time.

    :raises InvalidTimeProfile: not the published notation.
    """
    try:
        return parse_time_profile(text) if text else None
    except TimeProfileNotUnderstood as error:
        raise InvalidTimeProfile("time_profile", text, str(error)) from error
