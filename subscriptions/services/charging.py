"""Posting recurring charges, each price period of a subscription once."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from common.periods import Period
from customers.models import Customer
from subscriptions.models import Charge, Subscription
from subscriptions.rules.recurring import RecurringCharge, RecurringTerms, charges_due


@transaction.atomic
def post_recurring_charges(*, customer_id: int, period: Period, at: datetime) -> list[int]:
    """Post what a bill run for `period` charges a customer, and return the ids of new charges.

    That is arrears for price periods that end with it and advances for those that begin right
    after it, and what earlier runs missed. Repeating it posts nothing.
    """
    customer = lock_customer(customer_id)
    started = Subscription.objects.filter(customer=customer, price__isnull=False)
    started = started.exclude(price_period="").exclude(state=Subscription.State.REQUESTED)
    rows = list(started.select_related("product", "item").order_by("pk"))
    return post_due_charges(customer, rows, until=period.to_date, at=at)


def post_due_charges(
    customer: Customer, rows: Sequence[Subscription], *, until: date, at: datetime
) -> list[int]:
    """Post the charges of a locked customer's subscriptions that are due by `until`."""
    known = set(
        Charge.objects.filter(
            subscription__in=rows, kind=Charge.Kind.RECURRING, credited_charge__isnull=True
        ).values_list("subscription_id", "period_from")
    )
    charges = [
        _charge(subscription, charge, at)
        for subscription in rows
        for charge in _due(customer, subscription, until)
        if (subscription.pk, charge.used.from_date) not in known
    ]
    return [charge.pk for charge in Charge.objects.bulk_create(charges)]


def lock_customer(customer_id: int) -> Customer:
    """Hold the customer to the end of the transaction: who changes its subscriptions waits."""
    rows = Customer.objects.select_related("provider").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=customer_id)


def local_date(customer: Customer, at: datetime) -> date:
    """The day of an instant where the customer's provider is."""
    return at.astimezone(ZoneInfo(customer.provider.time_zone)).date()


def recurring_terms(customer: Customer, subscription: Subscription) -> RecurringTerms:
    """The frozen price of a recurring subscription, and its days.

    The days end with the subscription or with the customer's account, whichever is first.
    """
    assert subscription.price is not None
    terminated_at = customer.terminated_at
    ends = [subscription.end_date, terminated_at and local_date(customer, terminated_at)]
    return RecurringTerms(
        price=subscription.price,
        price_period=subscription.price_period,
        quantity=subscription.quantity,
        in_advance=subscription.in_advance,
        entry_proration=subscription.item.entry_proration,
        exit_proration=subscription.item.exit_proration,
        start_date=subscription.start_date,
        last_date=min(filter(None, ends), default=None),
    )


def _due(customer: Customer, subscription: Subscription, until: date) -> Iterable[RecurringCharge]:
    if subscription.price is None:
        return ()
    return charges_due(recurring_terms(customer, subscription), until)


def _charge(subscription: Subscription, charge: RecurringCharge, at: datetime) -> Charge:
    assert subscription.price is not None
    return Charge(
        provider_id=subscription.provider_id,
        customer_id=subscription.customer_id,
        subscription=subscription,
        product=subscription.product,
        kind=Charge.Kind.RECURRING,
        description=f"{subscription.product}, {charge.used}",
        period_from=charge.used.from_date,
        period_to=charge.used.to_date,
        quantity=subscription.quantity,
        unit_price=subscription.price,
        net_amount=charge.net_amount,
        currency=subscription.currency,
        posted_at=at,
    )
