"""What a reseller in billing mode pays its parent for usage, as the reseller itself sees it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from cdr.models import LegKind, PartyKind, UsageCharge
from common.periods import Period
from common.scope import Scope


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


def own_usage(scope: Scope, period: Period) -> list[OwnUsage]:
    """The sums of a reseller's own legs in a period, by day, product and destination.

    Only what the reseller pays is its own: nobody else's legs are summed, and anybody who is not a
    reseller has none. Days are in the provider's zone.
    """
    if scope.reseller_id is None:
        return []
    # A payer is a kind and an id, which no one tie of the model says.
    paid = UsageCharge.objects.visible_to(Scope.system(scope.provider_id)).filter(
        kind=LegKind.RESELLER,
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
