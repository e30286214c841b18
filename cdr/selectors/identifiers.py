"""Reading by what the switches know customers."""

from cdr.models import CustomerIdentifier
from common.scope import Scope
from customers.models import Customer
from tenancy.owned import ProviderQuerySet


def identifiers(scope: Scope, customer: Customer) -> ProviderQuerySet[CustomerIdentifier]:
    """The customer's account codes and numbers, with the subscriptions they are tied to."""
    rows = CustomerIdentifier.objects.visible_to(scope).filter(customer=customer)
    rows = rows.select_related("subscription__product")
    return rows.order_by("kind", "value", "pk")
