"""What an amount is in another currency, at the exchange rate of a day: shown, never charged."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from catalogue.rules.exchange_rates import CountingRate
from catalogue.selectors.exchange_rates import exchange_rate_on
from common.scope import Scope
from tenancy.selectors import provider_zone

_DECIMALS = Decimal("0.00000001")


@dataclass(frozen=True)
class Equivalent:
    """An amount of `from_currency` in `currency`, to eight decimals, by the rate counting on `day`.

    `rate` and `amount` are None where no rate counts on the day.
    """

    from_currency: str
    currency: str
    day: date
    rate: CountingRate | None
    amount: Decimal | None

    @property
    def rate_line(self) -> str:
        """The rate, its day and which way round it was entered, in words."""
        if self.rate is None or self.amount is None:
            pair = f"from {self.from_currency} to {self.currency}"
            return f"no exchange rate {pair} counts on {self.day}"
        one, other = self.from_currency, self.currency
        if self.rate.is_inverse:
            one, other = other, one
        age = (self.day - self.rate.day).days
        of_day = "" if not age else f", the last before {self.day}"
        return f"1 {one} = {self.rate.rate.normalize():f} {other} on {self.rate.day}{of_day}"


def equivalents(
    scope: Scope, amount: Decimal, currency: str, *, at: datetime, wanted: Collection[str]
) -> tuple[Equivalent, ...]:
    """The amount in each wanted currency that is another, by the provider's day of `at`."""
    others = sorted({code for code in wanted if code and code != currency})
    if not others or not currency:
        return ()
    day = at.astimezone(provider_zone(scope)).date()
    found = []
    for other in others:
        rate = exchange_rate_on(scope, from_currency=currency, to_currency=other, day=day)
        converted = (
            None if rate is None else rate.convert(amount).quantize(_DECIMALS, ROUND_HALF_UP)
        )
        found.append(Equivalent(currency, other, day, rate, converted))
    return tuple(found)
