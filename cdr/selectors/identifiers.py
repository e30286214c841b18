"""Reading by what the switches know customers."""

from cdr.models import CustomerIdentifier
from common.scope import Scope
from customers.models import Customer
from tenancy.owned import ProviderQuerySet


def identifiers(scope: Scope, customer: Customer) -> ProviderQuerySet[CustomerIdentifier]:
    """The customer's account codes and numbers."""
    rows = CustomerIdentifier.objects.visible_to(scope).filter(customer=customer)
    return rows.order_by("kind", "value", "pk")
