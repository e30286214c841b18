"""Charges that are made once: a one-time product, or what an admin adds by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from audit.services import record
from common.errors import DomainError
from customers.models import Customer
from subscriptions.models import Charge, Subscription
from subscriptions.rules.proration import prorated
from subscriptions.services.charging import lock_customer

_ONE_DAY = timedelta(days=1)


class OneTimeChargeRefused(DomainError):
    """The amount is zero or has more than four decimals, or there is no description."""


class CustomerNotCharged(DomainError):
    """A terminated customer is charged nothing new."""


@transaction.atomic
def add_one_time_charge(
    *,
    customer: Customer,
    description: str,
    net_amount: Decimal,
    charge_date: date,
    at: datetime,
    actor_id: int | None,
) -> Charge:
    """Add an amount in the customer's currency to its next invoice; a negative one is a discount.

    :raises OneTimeChargeRefused: if the amount is zero or has more than 4 decimals.
    :raises CustomerNotCharged: if the customer is terminated.
    """
    _check(description, net_amount)
    customer = lock_customer(customer.pk)
    if customer.state == Customer.State.TERMINATED:
        raise CustomerNotCharged(f"{customer} is terminated; nothing new is charged.")
    charge = Charge.objects.create(
        provider_id=customer.provider_id,
        customer=customer,
        kind=Charge.Kind.ONE_TIME,
        description=description,
        period_from=charge_date,
        period_to=charge_date + _ONE_DAY,
        unit_price=net_amount,
        net_amount=net_amount,
        currency=customer.currency,
        posted_at=at,
    )
    record(
        provider_id=customer.provider_id,
        action="charge.added",
        changed=charge,
        at=at,
        actor_id=actor_id,
        after={"description": description, "net_amount": net_amount, "date": charge_date},
    )
    return charge


def post_one_time_purchase(subscription: Subscription, at: datetime) -> Charge:
    """Charge the whole price of a one-time product, in its buyer's transaction."""
    assert subscription.price is not None
    return Charge.objects.create(
        provider_id=subscription.provider_id,
        customer_id=subscription.customer_id,
        subscription=subscription,
        product=subscription.product,
        kind=Charge.Kind.ONE_TIME,
        description=subscription.product.name,
        period_from=subscription.start_date,
        period_to=subscription.start_date + _ONE_DAY,
        quantity=subscription.quantity,
        unit_price=subscription.price,
        net_amount=prorated(subscription.price, subscription.quantity, 1, 1),
        currency=subscription.currency,
        posted_at=at,
    )


def _check(description: str, net_amount: Decimal) -> None:
    if not description.strip() or len(description) > 300:
        raise OneTimeChargeRefused("A charge needs a description of up to 300 characters.")
    if not net_amount.is_finite() or net_amount == 0 or abs(net_amount) >= 10**16:
        raise OneTimeChargeRefused(f"{net_amount} is not an amount to charge or to give back.")
    if net_amount != round(net_amount, 4):
        raise OneTimeChargeRefused(f"{net_amount} has more than 4 decimals.")
