"""What a reseller pays its parent for usage and is paid from below, as it sees it itself."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import TruncMonth

from cdr.models import LegKind, PartyKind, UsageCharge
from common.periods import Period
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


@dataclass(frozen=True)
class OwnUsage:
    """The reseller's own legs of a day for a product and destination, before tax.

    `billed_volume` counts the product's `volume_unit`.
    """

    day: date
    product_name: str
    destination: str
    call_count: int
    billed_volume: int
    volume_unit: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class OwedUsage:
    """The legs of a calendar month that sub-resellers pay the reseller, before tax."""

    month: date
    call_count: int
    amount: Decimal
    currency: str


def own_usage(scope: Scope, period: Period) -> list[OwnUsage]:
    """The sums of a reseller's own legs in a period, by day, product and destination.

    Only what the reseller pays is its own: nobody else's legs are summed, and anybody who is not a
    reseller has none. Days are in the provider's zone.
    """
    if scope.reseller_id is None:
        return []
    paid = _between_resellers(scope).filter(
        payer_kind=PartyKind.RESELLER,
        payer_id=scope.reseller_id,
        day__gte=period.from_date,
        day__lt=period.to_date,
    )
    sums = (
        paid.values_list(
            "day", "product__name", "destination", "product__volume_unit", "currency", "product"
        )
        .annotate(calls=Sum("call_count"), volume=Sum("billed_volume"), sum=Sum("amount"))
        .order_by("day", "product__name", "product", "destination", "currency")
    )
    return [
        OwnUsage(day, product, destination, calls, volume, unit, amount, currency)
        for day, product, destination, unit, currency, _, calls, volume, amount in sums
    ]


def owed_usage(scope: Scope, since: date) -> list[OwedUsage]:
    """What a reseller's sub-resellers owe it for usage since a day, by month, the latest first."""
    if scope.reseller_id is None:
        return []
    sums = (
        _between_resellers(scope)
        .filter(payee_kind=PartyKind.RESELLER, payee_id=scope.reseller_id, day__gte=since)
        .annotate(month=TruncMonth("day"))
        .values_list("month", "currency")
        .annotate(calls=Sum("call_count"), sum=Sum("amount"))
        .order_by("-month", "currency")
    )
    return [OwedUsage(month, calls, amount, currency) for month, currency, calls, amount in sums]


def _between_resellers(scope: Scope) -> ProviderQuerySet[UsageCharge]:
    # A party is a kind and an id, which no one tie of the model says; callers name it.
    whole = UsageCharge.objects.visible_to(Scope.system(scope.provider_id))
    return whole.filter(kind=LegKind.RESELLER)
