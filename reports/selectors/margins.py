"""What usage leaves once vendors are paid: by who brought the customer, by destination; their cost.

Usage charges know the payer of each leg, not the call behind it, so that a vendor's cost cannot be
laid against one customer's charge here; it can against a reseller's customers and destinations.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import TruncMonth

from cdr.models import LegKind, PartyKind, UsageCharge
from common.money import ZERO
from common.periods import Period
from common.scope import Scope
from resellers.models import Reseller, Vendor
from tenancy.owned import ProviderQuerySet

MARGIN_BY_RESELLER = (
    "margin = charges of the customers who carry the reseller's tag - cost of the vendors that took"
    " their calls, whoever of the provider and the resellers above them earns it; provider's share"
    " = what the provider takes of it by its own customers and reseller legs, less its own vendors."
    " Before tax, at the day of the call. In each currency it adds up to the margins by party."
)
MARGIN_BY_DESTINATION = (
    "margin = charges of customers - cost of vendors, before tax, at the day of the call; each leg"
    " counts under the destination that its own rate table names, so that tables which name one"
    " prefix differently show it twice. In each currency it adds up to the margins by party."
)
VENDOR_COST = (
    "cost = vendor legs before tax, at the day of the call, by the destination that the vendor's"
    " rate table names; volume is the billed one, in volume unit; owner = who pays the vendor."
)


@dataclass(frozen=True)
class ResellerMargin:
    """What a month's usage of one reseller's customers (or direct ones) leaves, in one currency."""

    month: str
    reseller_number: int | None
    reseller: str
    from_customers_amount: Decimal
    to_vendors_amount: Decimal
    margin_amount: Decimal
    provider_share_amount: Decimal
    currency: str


@dataclass(frozen=True)
class DestinationMargin:
    """What a month's usage to one destination leaves, in one currency."""

    month: str
    product: str
    destination: str
    call_count: int
    from_customers_amount: Decimal
    to_vendors_amount: Decimal
    margin_amount: Decimal
    currency: str


@dataclass(frozen=True)
class VendorCost:
    """What one vendor costs in a month for one destination, in one currency."""

    month: str
    vendor: str
    reseller_number: int | None
    owner: str
    product: str
    destination: str
    call_count: int
    billed_volume: int
    cost_amount: Decimal
    volume_unit: str
    currency: str


# Month, reseller (0: none), currency.
_Tagged = tuple[date, int, str]


def reseller_margins(scope: Scope, period: Period) -> list[ResellerMargin]:
    """Margins by month, tag and currency; direct customers first."""
    sums: dict[tuple[date, int, str], dict[str, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    for key, part, amount in _parts_by_tag(scope, period):
        sums[key][part] += amount
    resellers = {reseller.pk: reseller for reseller in Reseller.objects.visible_to(scope)}
    rows = []
    for (month, tag, currency), parts in sums.items():
        reseller = resellers.get(tag)
        rows.append(
            ResellerMargin(
                month=f"{month:%Y-%m}",
                reseller_number=reseller.number if reseller else None,
                reseller=str(reseller or "Without a reseller"),
                from_customers_amount=parts["customers"],
                to_vendors_amount=parts["vendors"],
                margin_amount=parts["customers"] - parts["vendors"],
                provider_share_amount=parts["share"],
                currency=currency,
            )
        )
    return sorted(rows, key=lambda row: (row.month, row.reseller_number or 0, row.currency))


def destination_margins(scope: Scope, period: Period) -> list[DestinationMargin]:
    """Margins by month, product, destination and currency."""
    rows = _charges(scope, period).filter(kind__in=(LegKind.CUSTOMER, LegKind.VENDOR))
    sums: dict[tuple[date, str, str, str], dict[int, tuple[int, Decimal]]] = defaultdict(dict)
    for month, product, destination, currency, kind, calls, amount in (
        rows.annotate(month=TruncMonth("day"))
        .values_list("month", "product__name", "destination", "currency", "kind")
        .annotate(calls=Sum("call_count"), sum=Sum("amount"))
        .order_by()
    ):
        sums[month, product, destination, currency][kind] = (calls, amount)
    nothing = (0, ZERO)
    margins = []
    for (month, product, destination, currency), kinds in sorted(sums.items()):
        calls, charged = kinds.get(LegKind.CUSTOMER, nothing)
        _, cost = kinds.get(LegKind.VENDOR, nothing)
        margins.append(
            DestinationMargin(
                month=f"{month:%Y-%m}",
                product=product,
                destination=destination,
                call_count=calls,
                from_customers_amount=charged,
                to_vendors_amount=cost,
                margin_amount=charged - cost,
                currency=currency,
            )
        )
    return margins


def vendor_costs(scope: Scope, period: Period) -> list[VendorCost]:
    """Vendor legs by month, vendor, product, destination and currency."""
    vendors = {
        vendor.pk: vendor for vendor in Vendor.objects.visible_to(scope).select_related("owner")
    }
    rows = (
        _charges(scope, period)
        .filter(kind=LegKind.VENDOR)
        .annotate(month=TruncMonth("day"))
        .values_list(
            "month", "payee_id", "product__name", "destination", "product__volume_unit", "currency"
        )
        .annotate(calls=Sum("call_count"), volume_sum=Sum("billed_volume"), sum=Sum("amount"))
        .order_by()
    )
    costs = []
    for month, vendor_id, product, destination, unit, currency, calls, volume, amount in rows:
        vendor = vendors[vendor_id]
        costs.append(
            VendorCost(
                month=f"{month:%Y-%m}",
                vendor=vendor.name,
                reseller_number=vendor.owner.number if vendor.owner else None,
                owner=str(vendor.owner or "Provider"),
                product=product,
                destination=destination,
                call_count=calls,
                billed_volume=volume,
                cost_amount=amount,
                volume_unit=unit,
                currency=currency,
            )
        )
    return sorted(
        costs, key=lambda row: (row.month, row.vendor, row.product, row.destination, row.currency)
    )


def _charges(scope: Scope, period: Period) -> ProviderQuerySet[UsageCharge]:
    rows = UsageCharge.objects.visible_to(scope)
    return rows.filter(day__gte=period.from_date, day__lt=period.to_date)


def _parts_by_tag(scope: Scope, period: Period) -> Iterator[tuple[_Tagged, str, Decimal]]:
    """What customers pay, what vendors cost, and the provider's share (signed), by tag."""
    rows = (
        _charges(scope, period)
        .annotate(month=TruncMonth("day"))
        .values_list(
            "month", "customer_reseller_id", "currency", "kind", "payer_kind", "payee_kind"
        )
        .annotate(sum=Sum("amount"))
        .order_by()
    )
    for month, tag, currency, kind, payer, payee, amount in rows:
        key = (month, tag or 0, currency)
        if kind == LegKind.CUSTOMER:
            yield key, "customers", amount
        if kind == LegKind.VENDOR:
            yield key, "vendors", amount
        if payee == PartyKind.PROVIDER:
            yield key, "share", amount
        if payer == PartyKind.PROVIDER:
            yield key, "share", -amount
