"""What a customer has used, from the sums that are made while rating: never from its xDRs."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Sum

from cdr.models import LegKind, PartyKind, UsageCharge
from common.money import ZERO
from common.periods import Period
from common.scope import Scope
from customers.models import Customer
from tenancy.owned import ProviderQuerySet


@dataclass(frozen=True)
class DayOfUsage:
    """Calls of one day in the provider's zone, and what they cost."""

    day: date
    call_count: int
    amount: Decimal


@dataclass(frozen=True)
class DestinationOfUsage:
    """Calls to one destination, and what they cost.

    `included` is what allowances covered of their volume: pairs of a volume and its unit.
    """

    destination: str
    call_count: int
    amount: Decimal
    included: tuple[tuple[int, str], ...] = ()


def usage_by_day(
    scope: Scope, customer: Customer, currency: str, period: Period
) -> list[DayOfUsage]:
    """Every day of the period, also those without calls."""
    rows = _usage(scope, customer, currency, period).values_list("day")
    sums = {day: (calls, amount) for day, calls, amount in rows.annotate(*_SUMS).order_by("day")}
    days = [period.from_date + timedelta(days=number) for number in range(period.days)]
    return [DayOfUsage(day, *sums.get(day, (0, ZERO))) for day in days]


def usage_by_destination(
    scope: Scope, customer: Customer, currency: str, period: Period
) -> list[DestinationOfUsage]:
    """The destinations of the period, the most expensive first."""
    usage = _usage(scope, customer, currency, period)
    sums = usage.values_list("destination").annotate(*_SUMS)
    included = defaultdict(list)
    covered = usage.exclude(included_volume=0).values_list("destination", "product__volume_unit")
    for name, unit, volume in covered.annotate(Sum("included_volume")).order_by("destination"):
        included[name].append((volume, unit))
    return [
        DestinationOfUsage(name, calls, amount, tuple(included[name]))
        for name, calls, amount in sums.order_by("-amount__sum", "destination")
    ]


def _usage(
    scope: Scope, customer: Customer, currency: str, period: Period
) -> ProviderQuerySet[UsageCharge]:
    return UsageCharge.objects.filter(
        provider_id=scope.provider_id,
        kind=LegKind.CUSTOMER,
        payer_kind=PartyKind.CUSTOMER,
        payer_id__in=_seen(scope, customer),
        currency=currency,
        day__gte=period.from_date,
        day__lt=period.to_date,
    )


def _seen(scope: Scope, customer: Customer) -> Collection[int]:
    """The customer's id, if the scope sees it."""
    return list(
        Customer.objects.visible_to(scope).filter(pk=customer.pk).values_list("pk", flat=True)
    )


_SUMS = (Sum("call_count"), Sum("amount"))
