"""A customer whose storage is sold at tiers, and usage of it."""

import itertools
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from catalogue.models import CatalogueVersionItem, Product, ProductKind
from cdr.models import Leg, Source, TierTotal, UsageCharge
from customers.models import Customer
from subscriptions.models import Subscription
from tenancy.models import Provider
from tests.factories import (
    make_catalogue,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_source,
)
from tests.factories.cdr import CALL_AT
from tests.factories.subscriptions import make_subscription

GRADUATED = "0:0.10;100:0.05"
_serial = itertools.count(1)


@dataclass(frozen=True)
class Metered:
    """Storage in GB, counted in MB; Carla, account `carla`, has it since 1 October 2026."""

    provider: Provider
    product: Product
    item: CatalogueVersionItem
    carla: Customer
    subscription: Subscription
    source: Source


def make_metered(
    model: str = "GRADUATED", tiers: str = GRADUATED, *, provider: Provider | None = None
) -> Metered:
    """Tiers of a GB, of which the default catalogue sells storage; a package is one of 100 GB."""
    provider = provider or make_provider()
    product = make_product(provider, ProductKind.METERED, name="Storage")
    item = {"product": product, "tier_model": model, "tiers": tiers}
    if model == "PACKAGE":
        item["package_units"] = 100
    version = make_catalogue(provider, [item], is_default=True)
    carla = make_customer(provider)
    make_identifier(carla, "carla")
    return Metered(
        provider,
        product,
        version.items.get(),
        carla,
        make_subscription(carla, version.items.get(), date(2026, 10, 1)),
        make_source(product, format=Source.Format.TOLLGATE_JSON),
    )


def make_ben(metered: Metered, *, tiers: str = "0:0.20") -> tuple[Customer, Subscription]:
    """A customer, account `ben`, who has storage at tiers of his own."""
    item = {"product": metered.product, "tier_model": "GRADUATED", "tiers": tiers}
    version = make_catalogue(metered.provider, [item])
    ben = make_customer(metered.provider)
    make_identifier(ben, "ben")
    return ben, make_subscription(ben, version.items.get(), date(2026, 10, 1))


def usage(megabytes: int, *, at: datetime = CALL_AT, account: str = "carla", **fields: Any) -> str:
    """A line of usage of the metered code `standard`."""
    line = {
        "started_at": at.isoformat(),
        "destination_number": "standard",
        "volume": megabytes,
        "account_code": account,
        "call_id": f"usage-{next(_serial)}",
    }
    return json.dumps(line | fields)


def amounts() -> list[tuple[int | None, int, Decimal]]:
    """What every leg was charged: the total before, the volume, the amount; by id."""
    rows = Leg.objects.order_by("xdr_id", "number")
    return list(rows.values_list("total_before", "billed_volume", "amount"))


def totals() -> list[tuple[date, int]]:
    """The totals by month."""
    return list(TierTotal.objects.order_by("month", "pk").values_list("month", "volume"))


def charged() -> tuple[Decimal, Decimal]:
    """The sums of all legs and of all usage charges."""
    legs = Leg.objects.aggregate(sum=Sum("amount"))["sum"]
    charges = UsageCharge.objects.aggregate(sum=Sum("amount"))["sum"]
    return legs or Decimal(0), charges or Decimal(0)
