"""What customers can buy, for tests, made the short way."""

from datetime import date
from decimal import Decimal
from typing import Any

from catalogue.models import CatalogueVersionItem, ProductKind
from customers.models import Customer
from subscriptions.models import Subscription
from tenancy.models import Provider
from tests.factories import (
    LONG_AGO,
    make_catalogue,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
)


def make_offer(
    provider: Provider, kind: str = ProductKind.RECURRING, **terms: Any
) -> CatalogueVersionItem:
    """An item of a default catalogue: 21.6 a month in advance, 50 once, voice, or tiers of a GB."""
    product = make_product(provider, kind=kind)
    match kind:
        case ProductKind.VOICE:
            values: dict[str, Any] = {"rate_table": make_rate_table(product)}
        case ProductKind.ONE_TIME:
            values = {"price": Decimal(50)}
        case ProductKind.METERED:
            values = {"tier_model": "GRADUATED", "tiers": "0:0.10;100:0.05"}
        case _:
            values = {"price": Decimal("21.6"), "price_period": "MONTH"}
    version = make_catalogue(provider, [{"product": product, **values, **terms}], is_default=True)
    return version.items.get()


def make_buyer(
    kind: str = ProductKind.RECURRING, **terms: Any
) -> tuple[Customer, CatalogueVersionItem]:
    """An active customer of a new provider and the one item it can buy."""
    provider = make_provider()
    return make_customer(provider), make_offer(provider, kind, **terms)


def make_subscription(
    customer: Customer, item: CatalogueVersionItem, start_date: date, **fields: Any
) -> Subscription:
    """An active subscription that was never charged."""
    values = {
        "product": item.product,
        "currency": item.currency,
        "price": item.price,
        "price_period": item.price_period,
        "in_advance": item.in_advance,
        "state": Subscription.State.ACTIVE,
        "created_at": LONG_AGO,
    }
    return Subscription.objects.create(
        provider=customer.provider,
        customer=customer,
        item=item,
        start_date=start_date,
        **values | fields,
    )
