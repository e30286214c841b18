"""Reading products."""

from catalogue.models import Product
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def products(scope: Scope) -> ProviderQuerySet[Product]:
    """What can be sold, by name."""
    return Product.objects.visible_to(scope).order_by("name", "pk")
