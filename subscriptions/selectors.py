"""Reading what customers can buy, have bought, and are charged for it."""

from datetime import datetime

from catalogue.models import CatalogueVersionItem
from catalogue.selectors import default_catalogue, version_at, version_items
from common.scope import Scope
from customers.models import Customer
from subscriptions.models import Charge, Subscription
from tenancy.owned import ProviderQuerySet


def items_on_offer(
    scope: Scope, customer: Customer, at: datetime
) -> ProviderQuerySet[CatalogueVersionItem]:
    """What a customer that the scope sees can buy at an instant: its catalogue, in its currency.

    The catalogue is the custom one where it has one, else the default; its version in effect.
    Resellers see customers but no prices.
    """
    if scope.reseller_id is not None:
        return CatalogueVersionItem.objects.none()
    seen = Customer.objects.visible_to(scope).filter(pk=customer.pk).first()
    # Catalogues are the provider's; a customer sees of them what is on offer to it.
    whole = Scope.system(scope.provider_id)
    catalogue = seen and (seen.custom_catalogue or default_catalogue(whole))
    version = version_at(whole, catalogue.pk, at) if catalogue else None
    if seen is None or version is None:
        return CatalogueVersionItem.objects.none()
    return version_items(whole, version).filter(is_available=True, currency=seen.currency)


def subscriptions(scope: Scope, customer: Customer) -> ProviderQuerySet[Subscription]:
    """A customer's subscriptions with their products, the latest first."""
    rows = Subscription.objects.visible_to(scope).filter(customer=customer)
    return rows.select_related("product", "item").order_by("-start_date", "-pk")


def requested_subscriptions(scope: Scope) -> ProviderQuerySet[Subscription]:
    """Subscriptions that wait for approval, the oldest first."""
    rows = Subscription.objects.visible_to(scope).filter(state=Subscription.State.REQUESTED)
    return rows.select_related("customer", "product").order_by("created_at", "pk")


def charges_of(scope: Scope, customer: Customer) -> ProviderQuerySet[Charge]:
    """All recurring and one-time charges of a customer, by period and id."""
    rows = Charge.objects.visible_to(scope).filter(customer=customer)
    return rows.select_related("product", "subscription").order_by("period_from", "pk")
