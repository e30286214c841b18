"""Ending a subscription, and giving back what was charged for days left unused."""

from datetime import date, datetime, timedelta

from django.db import transaction

from audit.services import record
from common.errors import DomainError
from common.periods import Period
from customers.models import Customer
from subscriptions.models import Charge, Subscription
from subscriptions.rules.price_periods import price_period_of
from subscriptions.rules.recurring import RecurringTerms, credit_due
from subscriptions.services.charging import local_date, lock_customer, recurring_terms


class SubscriptionNotActive(DomainError):
    """Only an active subscription is ended, and only once."""


class EndsBeforeStart(DomainError):
    """A subscription lasts at least one day."""


@transaction.atomic
def end_subscription(
    *, subscription: Subscription, end_date: date, at: datetime, actor_id: int | None
) -> Subscription:
    """End a subscription after `end_date`, its last day, and post what that gives back.

    Of a period charged in advance the unused days are given back if the item has exit proration;
    a charged period that begins after `end_date` is given back in full in any case. What is due
    in arrears follows with the bill run.

    :raises SubscriptionNotActive: if it is a request, or ends already.
    :raises EndsBeforeStart: if `end_date` is before the first day.
    """
    customer = lock_customer(subscription.customer_id)
    subscription = Subscription.objects.select_related("product", "item").get(pk=subscription.pk)
    if subscription.state != Subscription.State.ACTIVE:
        raise SubscriptionNotActive(f"The subscription is {subscription.state.lower()}.")
    if end_date < subscription.start_date:
        raise EndsBeforeStart(f"The first day is {subscription.start_date}; end it then or later.")
    over = end_date < local_date(customer, at)
    subscription.end_date = end_date
    subscription.state = Subscription.State.ENDED if over else Subscription.State.ENDING
    subscription.save(update_fields=["end_date", "state"])
    credits = _post_credits(customer, subscription, at)
    record(
        provider_id=customer.provider_id,
        action="subscription.ended",
        changed=subscription,
        at=at,
        actor_id=actor_id,
        before={"state": Subscription.State.ACTIVE},
        after={
            "state": subscription.state,
            "end_date": end_date,
            "given_back": sum(credit.net_amount for credit in credits),
        },
    )
    return subscription


@transaction.atomic
def end_due_subscriptions(*, at: datetime) -> int:
    """Mark as ended the subscriptions of all providers whose last day is over; how many.

    Only the state moves: charges follow the end date, whatever the state says.
    """
    ending = Subscription.objects.filter(state=Subscription.State.ENDING)
    rows = ending.select_related("customer__provider").order_by("pk")
    # Whom another transaction changes just now is found again by the next sweep.
    rows = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    over = [row for row in rows if row.end_date and row.end_date < local_date(row.customer, at)]
    for row in over:
        row.state = Subscription.State.ENDED
        record(
            provider_id=row.provider_id,
            action="subscription.over",
            changed=row,
            at=at,
            actor_id=None,
            before={"state": Subscription.State.ENDING},
            after={"state": row.state},
        )
    Subscription.objects.bulk_update(over, ["state"])
    return len(over)


def _post_credits(customer: Customer, subscription: Subscription, at: datetime) -> list[Charge]:
    if subscription.price is None:
        return []
    terms = recurring_terms(customer, subscription)
    charged = Charge.objects.filter(
        subscription=subscription, kind=Charge.Kind.RECURRING, credited_charge__isnull=True
    )
    credits = [_credit(charge, terms, at) for charge in charged.order_by("pk")]
    return Charge.objects.bulk_create(credit for credit in credits if credit is not None)


def _credit(charge: Charge, terms: RecurringTerms, at: datetime) -> Charge | None:
    period = price_period_of(terms.price_period, charge.period_from)
    amount = credit_due(terms, period, charge.net_amount)
    if not amount:
        return None
    assert terms.last_date is not None
    unused_from = max(period.from_date, terms.last_date + timedelta(days=1))
    unused = Period(unused_from, charge.period_to)
    return Charge(
        provider_id=charge.provider_id,
        customer_id=charge.customer_id,
        subscription_id=charge.subscription_id,
        product_id=charge.product_id,
        kind=charge.kind,
        description=f"{charge.product}, unused {unused}",
        period_from=unused.from_date,
        period_to=unused.to_date,
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        net_amount=amount,
        currency=charge.currency,
        posted_at=at,
        credited_charge=charge,
    )
