"""Buying a product: at the price of the catalogue, frozen, at once or after approval."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from audit.services import record
from catalogue.models import CatalogueVersionItem, ProductKind
from common.errors import DomainError
from common.scope import Scope
from customers.models import Customer
from subscriptions.models import Subscription
from subscriptions.selectors import items_on_offer
from subscriptions.services.charging import local_date, lock_customer, post_due_charges
from subscriptions.services.one_time import post_one_time_purchase


class CustomerCannotBuy(DomainError):
    """Only an active customer buys."""


class ItemNotOffered(DomainError):
    """The customer's catalogue does not sell this item, in its currency, at present."""


class QuantityRefused(DomainError):
    """At least one of a product is bought, and of a metered one no more: usage is what counts."""


class AlreadyMetered(DomainError):
    """Usage of a metered product is priced by one subscription at a time."""


class NothingToApprove(DomainError):
    """The subscription is not a request."""


@transaction.atomic
def subscribe(
    *,
    customer: Customer,
    item: CatalogueVersionItem,
    quantity: int = 1,
    start_date: date,
    at: datetime,
    actor_id: int | None,
) -> Subscription:
    """Buy `quantity` of an item from `start_date` on, at the item's price, for good.

    A recurring price in advance is charged at once for the period of `start_date`, and for those
    since where that is in the past; a one-time price once. An item that needs approval makes a
    request, which charges nothing. Voice is priced by its rate table, a metered product by its
    tiers when it is used: they charge nothing here.

    :raises QuantityRefused: if `quantity` is below 1, or above for a metered product.
    :raises CustomerCannotBuy: if the customer is not active.
    :raises ItemNotOffered: if the version of its catalogue in effect at `at` does not sell the
        item, or not in the customer's currency.
    :raises AlreadyMetered: if a subscription to the metered product is in force then.
    """
    if quantity < 1:
        raise QuantityRefused(f"A quantity is 1 or more, not {quantity}.")
    customer = lock_customer(customer.pk)
    _check_active(customer)
    _check_offered(customer, item, at)
    if item.product.kind == ProductKind.METERED:
        _check_metered(customer, item, quantity, start_date)
    subscription = _request(customer, item, quantity, start_date, at=at, actor_id=actor_id)
    if not item.approval_required:
        _start(subscription, at)
    record(
        provider_id=customer.provider_id,
        action="subscription.created",
        changed=subscription,
        at=at,
        actor_id=actor_id,
        after={
            "customer": customer.number,
            "product": item.product.code,
            "quantity": quantity,
            "price": item.price,
            "start_date": start_date,
            "state": subscription.state,
        },
    )
    return subscription


@transaction.atomic
def approve_subscription(
    *, subscription: Subscription, at: datetime, actor_id: int | None
) -> Subscription:
    """Let a requested subscription begin, at the price of the request.

    It begins today where the day asked for is over: nobody pays for waiting.

    :raises NothingToApprove: if it is no request.
    :raises CustomerCannotBuy: if the customer is not active any more.
    """
    customer = lock_customer(subscription.customer_id)
    subscription = Subscription.objects.select_related("product", "item").get(pk=subscription.pk)
    if subscription.state != Subscription.State.REQUESTED:
        raise NothingToApprove(f"The subscription is {subscription.state.lower()} already.")
    _check_active(customer)
    subscription.customer = customer
    subscription.start_date = max(subscription.start_date, local_date(customer, at))
    if subscription.end_date is not None:
        subscription.end_date = subscription.start_date
    _start(subscription, at)
    record(
        provider_id=customer.provider_id,
        action="subscription.approved",
        changed=subscription,
        at=at,
        actor_id=actor_id,
        after={"start_date": subscription.start_date, "state": subscription.state},
    )
    return subscription


def _check_active(customer: Customer) -> None:
    if customer.state != Customer.State.ACTIVE:
        raise CustomerCannotBuy(f"{customer} is {customer.state.lower()} and cannot buy.")


def _check_offered(customer: Customer, item: CatalogueVersionItem, at: datetime) -> None:
    offered = items_on_offer(Scope.system(customer.provider_id), customer, at)
    if not offered.filter(pk=item.pk).exists():
        raise ItemNotOffered(f"{item.product} is not on offer to {customer}; see what is.")


def _check_metered(
    customer: Customer, item: CatalogueVersionItem, quantity: int, start_date: date
) -> None:
    if quantity > 1:
        raise QuantityRefused(
            f"{item.product} is charged by what is used: a subscription is one, not {quantity}."
        )
    before = Subscription.objects.filter(customer=customer, product_id=item.product_id)
    if before.filter(Q(end_date__isnull=True) | Q(end_date__gte=start_date)).exists():
        raise AlreadyMetered(
            f"{customer} has a subscription to {item.product} on {start_date} already: end it, and"
            " begin this one on the day after."
        )


def _request(
    customer: Customer,
    item: CatalogueVersionItem,
    quantity: int,
    start_date: date,
    *,
    at: datetime,
    actor_id: int | None,
) -> Subscription:
    """The subscription with the item's terms frozen, not begun."""
    one_time = item.product.kind == ProductKind.ONE_TIME
    return Subscription.objects.create(
        provider_id=customer.provider_id,
        customer=customer,
        product=item.product,
        item=item,
        quantity=quantity,
        currency=item.currency,
        price=item.price,
        price_period=item.price_period,
        in_advance=item.in_advance,
        state=Subscription.State.REQUESTED,
        start_date=start_date,
        end_date=start_date if one_time else None,
        created_at=at,
        created_by_id=actor_id,
    )


def _start(subscription: Subscription, at: datetime) -> None:
    """Charge what is due at once. A one-time purchase is over with its charge."""
    one_time = subscription.product.kind == ProductKind.ONE_TIME
    subscription.state = Subscription.State.ENDED if one_time else Subscription.State.ACTIVE
    subscription.save(update_fields=["state", "start_date", "end_date"])
    if one_time:
        post_one_time_purchase(subscription, at)
    else:
        until = max(subscription.start_date, local_date(subscription.customer, at))
        post_due_charges(subscription.customer, [subscription], until=until, at=at)
