"""Reading what customers can buy, have bought, and are charged for it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Max, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from catalogue.models import CatalogueVersionItem
from catalogue.selectors import default_catalogue, version_at, version_items
from catalogue.selectors.allowances import version_includes
from common.scope import Scope
from customers.models import Customer, TeamMember
from customers.selectors import customers
from subscriptions.models import Charge, Subscription
from subscriptions.rules.price_periods import price_period_of
from tenancy.owned import ProviderQuerySet

IN_FORCE = (Subscription.State.ACTIVE, Subscription.State.ENDING)


@dataclass(frozen=True)
class NextCharge:
    """What a subscription's next full price period costs, in `currency`, from which day on."""

    subscription: Subscription
    from_date: date
    net_amount: Decimal
    currency: str


def next_charges(scope: Scope, customer: Customer, today: date) -> list[NextCharge]:
    """For each recurring subscription that goes on: its next price period, the soonest first."""
    rows = subscriptions(scope, customer).exclude(price_period="").filter(price__isnull=False)
    going_on = rows.filter(state=Subscription.State.ACTIVE)
    charges = [
        NextCharge(
            row,
            price_period_of(row.price_period, max(today, row.start_date)).to_date,
            row.price * row.quantity,
            row.currency,
        )
        for row in going_on
        if row.price is not None
    ]
    return sorted(charges, key=lambda charge: (charge.from_date, charge.subscription.pk))


def customers_with_activity(scope: Scope) -> ProviderQuerySet[Customer]:
    """Customers by number with what tells whether they are active, and nothing about money.

    `contact_name` is the person's, `subscription_count` says how many subscriptions are in force,
    and `last_login` when somebody of the team signed in last.
    """
    bought = Subscription.objects.filter(customer=OuterRef("pk"), state__in=IN_FORCE)
    count = Subquery(bought.values("customer").annotate(count=Count("pk")).values("count"))
    members = TeamMember.objects.filter(customer=OuterRef("pk")).values("customer")
    return customers(scope).annotate(
        contact_name=Concat("first_name", Value(" "), "last_name"),
        subscription_count=Coalesce(count, 0),
        last_login=Subquery(members.annotate(last=Max("user__last_login")).values("last")),
    )


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
    """A customer's subscriptions with their products and what they include, the latest first."""
    rows = Subscription.objects.visible_to(scope).filter(customer=customer)
    # Catalogues are the provider's; a customer sees of them what it has bought.
    included = version_includes(Scope.system(scope.provider_id), "item__allowances")
    rows = rows.select_related("product", "item__product").prefetch_related(included)
    return rows.order_by("-start_date", "-pk")


def going_on(scope: Scope, customer: Customer) -> ProviderQuerySet[Subscription]:
    """A customer's subscriptions that are not over, requested ones included, the latest first."""
    return subscriptions(scope, customer).exclude(state=Subscription.State.ENDED)


def requested_subscriptions(scope: Scope) -> ProviderQuerySet[Subscription]:
    """Subscriptions that wait for approval, the oldest first."""
    rows = Subscription.objects.visible_to(scope).filter(state=Subscription.State.REQUESTED)
    return rows.select_related("customer", "product").order_by("created_at", "pk")


def charges_of(scope: Scope, customer: Customer) -> ProviderQuerySet[Charge]:
    """All recurring and one-time charges of a customer, by period and id."""
    rows = Charge.objects.visible_to(scope).filter(customer=customer)
    return rows.select_related("product", "subscription").order_by("period_from", "pk")
