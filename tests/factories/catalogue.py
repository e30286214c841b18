"""What items of catalogues include, for tests, made the short way."""

from itertools import count
from typing import Any

from catalogue.models import (
    CatalogueItem,
    CatalogueItemAllowance,
    CatalogueVersionItem,
    CatalogueVersionItemAllowance,
    Product,
)

_serial = count(1)


def make_item_allowance(
    item: CatalogueItem, usage_product: Product, **fields: Any
) -> CatalogueItemAllowance:
    """What an item of a draft includes: 6,000 seconds a month for all usage of the customer."""
    return CatalogueItemAllowance.objects.create(
        provider=item.provider, item=item, usage_product=usage_product, **_terms() | fields
    )


def make_allowance(
    item: CatalogueVersionItem, usage_product: Product, **fields: Any
) -> CatalogueVersionItemAllowance:
    """What a published item includes: 6,000 seconds a month for all usage of the customer."""
    return CatalogueVersionItemAllowance.objects.create(
        provider=item.provider, item=item, usage_product=usage_product, **_terms() | fields
    )


def _terms() -> dict[str, Any]:
    return {"name": f"Included {next(_serial)}", "volume": 6_000, "sharing": "SHARED"}
