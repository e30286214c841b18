"""How much the customers of a reseller use, without what it costs; only where that is opened."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, JSONObject, TruncMonth

from cdr.models import LegKind, PartyKind, UsageCharge
from common.periods import Period
from common.scope import Scope
from customers.models import Customer
from customers.selectors import customers
from resellers.rules.openings import USAGE_TOTALS
from tenancy.owned import ProviderQuerySet


@dataclass(frozen=True)
class MonthOfUsage:
    """The calls of a calendar month, and their volume, which counts `volume_unit`."""

    month: date
    call_count: int
    volume: int
    volume_unit: str


def customers_with_usage(scope: Scope, period: Period) -> ProviderQuerySet[Customer]:
    """The customers a reseller sees, with the sums of a period, by number.

    `call_count` are their calls, `volumes` a list of `{"unit": "second", "volume": 180}`, one for
    each unit. Days are in the provider's zone.
    """
    rows = customers(scope)
    if USAGE_TOTALS not in scope.permissions:
        return rows.none()
    used = (
        _charges(scope)
        .filter(payer_id=OuterRef("pk"), day__gte=period.from_date, day__lt=period.to_date)
        .order_by()
    )
    calls = used.values("payer_id").annotate(calls=Sum("call_count")).values("calls")
    by_unit = used.values("product__volume_unit").annotate(sum=Sum("volume"))
    volumes = by_unit.order_by("product__volume_unit").values(
        row=JSONObject(unit="product__volume_unit", volume="sum")
    )
    return rows.annotate(call_count=Coalesce(Subquery(calls), 0), volumes=ArraySubquery(volumes))


def usage_by_month(scope: Scope, customer: Customer, since: date) -> list[MonthOfUsage]:
    """The months in which a customer that the reseller sees used anything, latest first."""
    if USAGE_TOTALS not in scope.permissions:
        return []
    seen = Customer.objects.visible_to(scope).filter(pk=customer.pk).values("pk")
    sums = (
        _charges(scope)
        .filter(payer_id__in=seen, day__gte=since)
        .annotate(month=TruncMonth("day"))
        .values_list("month", "product__volume_unit")
        .annotate(calls=Sum("call_count"), sum=Sum("volume"))
        .order_by("-month", "product__volume_unit")
    )
    return [MonthOfUsage(month, calls, volume, unit) for month, unit, calls, volume in sums]


def _charges(scope: Scope) -> QuerySet[UsageCharge, Any]:
    # A payer is a kind and an id, which no one tie of the model says; callers name it.
    return UsageCharge.objects.filter(
        provider_id=scope.provider_id, kind=LegKind.CUSTOMER, payer_kind=PartyKind.CUSTOMER
    )
