"""Exchange rates by day: what one may be, and which of them counts on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from common.currencies import is_currency
from common.errors import DomainError

RATE_DECIMALS = 12
RATE_DIGITS = 22
LEAST_RATE, MOST_RATE = Decimal("1e-9"), Decimal("1e9")
MOST_DAYS_OLD = 10
"""So long a rate counts when none follows: over Christmas or Golden Week, and no longer."""
TYPICAL_CHANGE = 10
"""Within `MOST_DAYS_OLD` days no rate moves tenfold: a misplaced point or a pair turned round."""


class ExchangeRateRefused(DomainError):
    """The currencies or the rate are none, or the rate is far from those of the days around it."""


@dataclass(frozen=True, slots=True)
class ExchangeRateTerms:
    """On `day`, one `from_currency` is `rate` of `to_currency`.

    :raises ExchangeRateRefused: for a pair of one currency, and a rate that is zero, negative, not
        between 1e-9 and 1e9, or has more than twelve decimals.
    """

    from_currency: str
    to_currency: str
    day: date
    rate: Decimal

    def __post_init__(self) -> None:
        for currency in (self.from_currency, self.to_currency):
            if not is_currency(currency):
                raise ExchangeRateRefused(f"'{currency}' is not a currency; write it as EUR.")
        if self.from_currency == self.to_currency:
            raise ExchangeRateRefused("A currency is one of itself: name two of them.")
        if not (self.rate.is_finite() and LEAST_RATE <= self.rate <= MOST_RATE):
            raise ExchangeRateRefused(
                f"{self} is '{self.rate}': a rate is above zero, from 1e-9 to 1e9."
            )
        if self.rate != round(self.rate, RATE_DECIMALS):
            raise ExchangeRateRefused(f"{self} has more than {RATE_DECIMALS} decimals.")

    def __str__(self) -> str:
        return f"{self.from_currency} to {self.to_currency} on {self.day}"


@dataclass(frozen=True, slots=True)
class CountingRate:
    """The rate that counts for a conversion, and the day that it is of.

    `is_inverse`: it is stated the other way round, so that amounts are divided by it.
    """

    day: date
    rate: Decimal
    is_inverse: bool = False

    def convert(self, amount: Decimal) -> Decimal:
        """The amount in the other currency, not rounded (28 digits where it is divided).

        >>> CountingRate(date(2026, 10, 1), Decimal("1.25"), is_inverse=True).convert(Decimal(5))
        Decimal('4')
        """
        return amount / self.rate if self.is_inverse else amount * self.rate


def counting_rate(day: date, known: Iterable[CountingRate]) -> CountingRate | None:
    """The rate for `day`: the latest that is not after it and at most `MOST_DAYS_OLD` days old.

    Markets are closed on some days; those go by the day before. Of two of one day, the one stated
    for this direction counts before the other's inverse. None: there is no rate to convert at.
    """
    young = [rate for rate in known if 0 <= (day - rate.day).days <= MOST_DAYS_OLD]
    return max(young, key=lambda rate: (rate.day, not rate.is_inverse), default=None)


def refuse_misplaced(terms: ExchangeRateTerms, around: Iterable[CountingRate]) -> None:
    """:raises ExchangeRateRefused: a rate of the days around differs by `TYPICAL_CHANGE` times."""
    for other in around:
        beside = 1 / other.rate if other.is_inverse else other.rate
        if not beside / TYPICAL_CHANGE < terms.rate < beside * TYPICAL_CHANGE:
            raise ExchangeRateRefused(
                f"{terms}, {terms.rate:f}, is far from {beside.normalize():f} on {other.day}: is"
                " the point misplaced, or the pair turned round?"
            )
