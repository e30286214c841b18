"""Customers with allowances, and what is counted of them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from catalogue.models import CatalogueVersionItem, Product
from cdr.models import AllowanceCounter, Leg, LegKind
from customers.models import Customer
from subscriptions.models import Subscription
from tests.factories import make_catalogue, make_product
from tests.factories.catalogue import make_allowance
from tests.factories.cdr import CALL_AT, Call
from tests.factories.subscriptions import make_subscription

OCTOBER = date(2026, 10, 1)
SINCE = date(2026, 1, 1)
DEAR_IN_BETWEEN = "0:6000000000/60;60:6000000000/60;120:-9000000000/60"
"""Price steps of which two minutes cost more than can be stored, one or three do not."""


def make_plan(
    usage_product: Product, *allowances: dict[str, Any], **terms: Any
) -> CatalogueVersionItem:
    """A monthly item of 10.00 that includes the allowances of the product's usage."""
    flat = make_product(usage_product.provider, kind="RECURRING")
    monthly = {"product": flat, "price": Decimal(10), "price_period": "MONTH", **terms}
    item: CatalogueVersionItem = make_catalogue(usage_product.provider, [monthly]).items.get()
    for fields in allowances:
        make_allowance(item, usage_product, **{"name": "Minutes"} | fields)
    return item


def give_minutes(
    customer: Customer, usage_product: Product, volume: int, **fields: Any
) -> Subscription:
    """A subscription of the customer that includes so many seconds a month."""
    plan = make_plan(usage_product, {"volume": volume, **fields})
    return make_subscription(customer, plan, SINCE)


def counted(customer: Customer) -> dict[date, tuple[int, int, int]]:
    """Granted, rolled in and used by month; summed over all counters of the customer."""
    found: dict[date, tuple[int, int, int]] = {}
    for row in AllowanceCounter.objects.filter(customer=customer).order_by("month", "pk"):
        granted, rolled, used = found.get(row.month, (0, 0, 0))
        found[row.month] = (
            granted + row.granted_volume,
            rolled + row.rolled_volume,
            used + row.used_volume,
        )
    return found


def charged(customer: Customer) -> list[tuple[int, int, Decimal]]:
    """Included and billed volume and amount of each customer leg, in the order of their start."""
    legs = Leg.objects.filter(kind=LegKind.CUSTOMER, usage_charge__payer_id=customer.pk)
    rows = legs.order_by("started_at", "xdr_id")
    return list(rows.values_list("included_volume", "billed_volume", "amount"))


def call(minute: int, seconds: int = 60, **fields: Any) -> Call:
    """One of Carla's, so many minutes after the first, where nothing else is said."""
    started_at = CALL_AT + timedelta(minutes=minute)
    usual: dict[str, Any] = {"account": "carla", "started_at": started_at}
    return Call(seconds=seconds, **usual | fields)


def included(customer: Customer) -> list[int]:
    """What is included of each call, in the order of their start."""
    return [volume for volume, _, _ in charged(customer)]
