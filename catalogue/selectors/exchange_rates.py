"""Reading exchange rates: the list, a month of a pair, and the rate that counts on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q

from catalogue.models import ExchangeRate
from catalogue.rules.exchange_rates import MOST_DAYS_OLD, CountingRate, counting_rate
from common.periods import Period
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


@dataclass(frozen=True)
class PairDay:
    """A day of a currency pair: the rate entered for it, and the one that counts on it."""

    day: date
    entered: ExchangeRate | None
    counting: CountingRate | None


def exchange_rates(scope: Scope) -> ProviderQuerySet[ExchangeRate]:
    """All of them, the latest day first."""
    rows = ExchangeRate.objects.visible_to(scope)
    return rows.order_by("-day", "from_currency", "to_currency", "pk")


def exchange_rate(scope: Scope, rate_id: int) -> ExchangeRate:
    """One exchange rate.

    :raises ExchangeRate.DoesNotExist: it is not in the scope.
    """
    return ExchangeRate.objects.visible_to(scope).get(pk=rate_id)


def exchange_rate_on(
    scope: Scope, *, from_currency: str, to_currency: str, day: date
) -> CountingRate | None:
    """The rate at which amounts of `day` are converted; None where there is none.

    That of the day, or of the last day before it with one, at most ten days before; either way
    round that the pair is entered.
    """
    if from_currency == to_currency:
        return CountingRate(day, Decimal(1))
    return counting_rate(day, known_rates(scope, from_currency, to_currency, day, day))


def known_rates(
    scope: Scope, from_currency: str, to_currency: str, first: date, last: date
) -> list[CountingRate]:
    """What is entered of a pair, either way round, that can count from `first` to `last`."""
    rows = ExchangeRate.objects.visible_to(scope).filter(
        Q(from_currency=from_currency, to_currency=to_currency)
        | Q(from_currency=to_currency, to_currency=from_currency),
        day__range=(first - timedelta(days=MOST_DAYS_OLD), last),
    )
    return [
        CountingRate(row.day, row.rate, is_inverse=row.from_currency != from_currency)
        for row in rows.order_by("day", "pk")
    ]


def pair_days(scope: Scope, from_currency: str, to_currency: str, period: Period) -> list[PairDay]:
    """Every day of the period, also those without a rate of their own."""
    known = known_rates(scope, from_currency, to_currency, period.from_date, period.last_date)
    rows = ExchangeRate.objects.visible_to(scope).filter(
        from_currency=from_currency,
        to_currency=to_currency,
        day__range=(period.from_date, period.last_date),
    )
    entered: Mapping[date, ExchangeRate] = {row.day: row for row in rows}
    days = [period.from_date + timedelta(days=number) for number in range(period.days)]
    return [PairDay(day, entered.get(day), counting_rate(day, known)) for day in days]
