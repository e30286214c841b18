"""What was used of metered products in a month, and which tiers that has reached."""

from dataclasses import dataclass
from decimal import Decimal

from catalogue.rules.tier_prices import price_of_total
from catalogue.rules.tier_statements import TierRow, tier_rows
from catalogue.rules.tier_texts import tier_text
from catalogue.rules.units import volume_units_per_rating_unit
from cdr.models import TierTotal
from common.periods import Period
from common.scope import Scope
from customers.models import Customer


@dataclass(frozen=True)
class MonthAtTiers:
    """The total of a subscription's month, in volume units, and what it comes to before tax.

    `tier` is the one reached, in words, and `rows` are what it is made up of.
    """

    product_name: str
    volume: int
    volume_unit: str
    tier: str
    rows: tuple[TierRow, ...]
    amount: Decimal
    currency: str


def months_at_tiers(scope: Scope, customer: Customer, period: Period) -> list[MonthAtTiers]:
    """The totals of a customer in the calendar month that begins a period, by product."""
    rows = TierTotal.objects.visible_to(scope).filter(
        customer=customer, month=period.from_date, volume__gt=0
    )
    found = rows.select_related("subscription__product", "subscription__item")
    return [
        month
        for row in found.order_by("subscription__product__name", "subscription_id")
        if (month := _month(row)) is not None
    ]


def _month(row: TierTotal) -> MonthAtTiers | None:
    subscription, product = row.subscription, row.subscription.product
    tiers = subscription.item.metered_tiers
    if tiers is None:
        return None
    unit, volume_unit = product.rating_unit, product.volume_unit
    per_unit = volume_units_per_rating_unit(unit, volume_unit)
    return MonthAtTiers(
        product.name,
        row.volume,
        volume_unit,
        tier_text(tiers, row.volume, unit, volume_unit),
        tier_rows(tiers, row.volume, unit, volume_unit),
        price_of_total(tiers, row.volume, per_unit),
        subscription.currency,
    )
