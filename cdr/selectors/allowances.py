"""What customers have used, month by month, of the usage that their subscriptions include."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import TypeAlias

from catalogue.models import Product
from cdr.models import AllowanceCounter
from cdr.rating.allowances import Counter, counters_of, month_before
from cdr.rules.allowances import Counted, Entitlement, Sharing
from cdr.selectors.entitlements import entitlements
from common.periods import Period
from common.scope import Scope
from customers.models import Customer
from subscriptions.models import Subscription
from subscriptions.selectors import subscriptions
from tenancy.selectors import provider_zone

_Stored: TypeAlias = dict[tuple[date, str], AllowanceCounter]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceOfMonth:
    """An allowance of a customer in a calendar month; volumes count the unit of `product`.

    `subscription` is None for a pool. `rolled_volume` is what the month before left of its own
    volume, and of that what is left now is lost when the month ends.
    """

    name: str
    product: Product
    sharing: str
    subscription: Subscription | None
    destinations: tuple[str, ...]
    rolls_over: bool
    granted_volume: int
    rolled_volume: int
    used_volume: int

    @property
    def whole_volume(self) -> int:
        """All that can be used in the month."""
        return self.granted_volume + self.rolled_volume

    @property
    def left_volume(self) -> int:
        """What of it was not used."""
        return self.whole_volume - self.used_volume


def allowances_of_month(scope: Scope, customer: Customer, period: Period) -> list[AllowanceOfMonth]:
    """What a customer that the scope sees has of each allowance in a calendar month.

    Those of the subscriptions of today in the order in which they are used, whether or not anything
    was, then those that only were used. Days are in the provider's zone.
    """
    held = list(subscriptions(scope, customer))
    products = {
        allowance.usage_product_id: allowance.usage_product
        for subscription in held
        for allowance in subscription.item.allowances.all()
    }
    stored = _stored(scope, customer, period)
    granted = _counters(scope, customer, period, products)
    by_id = {subscription.pk: subscription for subscription in held}
    of_month = [counter for counter in granted if counter.month == period.from_date]
    found = [
        _of_entitlements(counter, _counted(counter, stored, granted), products, by_id)
        for counter in of_month
    ]
    known = {counter.key for counter in of_month}
    return found + [
        _of_counter(row, by_id)
        for (first_day, key), row in stored.items()
        if first_day == period.from_date and key not in known
    ]


def _stored(scope: Scope, customer: Customer, period: Period) -> _Stored:
    """The counters of the month and the one before it, by first day and key."""
    rows = AllowanceCounter.objects.visible_to(scope).filter(
        customer=customer, month__in=(period.from_date, month_before(period.from_date))
    )
    rows = rows.select_related("product").order_by("month", "name", "pk")
    return {(row.month, row.key): row for row in rows}


def _counters(
    scope: Scope, customer: Customer, period: Period, product_ids: Iterable[int]
) -> list[Counter]:
    """The month's counters by the subscriptions of today, unused, and those that roll into them."""
    zone = provider_zone(Scope.system(scope.provider_id))
    first_day = month_before(period.from_date)
    found: list[Entitlement] = []
    for product_id in product_ids:
        found += entitlements(
            scope,
            product_id=product_id,
            customer_ids=[customer.pk],
            first_day=first_day,
            last_day=period.last_date,
            zone=zone,
        )
    counters = counters_of(found, [(customer.pk, period.from_date)])
    return sorted(counters, key=attrgetter("order"))


def _counted(counter: Counter, stored: _Stored, granted: Iterable[Counter]) -> Counted:
    """What was used of it; where nothing was yet, with what the month before leaves."""
    row = stored.get((counter.month, counter.key))
    if row is not None:
        was = Counted(row.granted_volume, row.rolled_volume, row.used_volume)
        return was.opened(counter.counted.granted, row.rolled_volume)
    before = month_before(counter.month)
    previous = [each for each in granted if (each.month, each.key) == (before, counter.key)]
    rolled_in = sum(_counted(each, stored, ()).rollable for each in previous)
    return Counted(counter.counted.granted, rolled_in)


def _of_entitlements(
    counter: Counter,
    counted: Counted,
    products: dict[int, Product],
    held: dict[int, Subscription],
) -> AllowanceOfMonth:
    first = counter.entitlements[0]
    is_pool = first.sharing is Sharing.POOLED
    return AllowanceOfMonth(
        name=first.name,
        product=products[first.product_id],
        sharing=str(first.sharing),
        subscription=None if is_pool else held[first.subscription_id],
        destinations=first.destinations,
        rolls_over=first.rolls_over,
        granted_volume=counted.granted,
        rolled_volume=counted.rolled_in,
        used_volume=counted.used,
    )


def _of_counter(row: AllowanceCounter, held: dict[int, Subscription]) -> AllowanceOfMonth:
    return AllowanceOfMonth(
        name=row.name,
        product=row.product,
        sharing=row.sharing,
        subscription=None if row.subscription_id is None else held.get(row.subscription_id),
        destinations=(),
        rolls_over=False,
        granted_volume=row.granted_volume,
        rolled_volume=row.rolled_volume,
        used_volume=row.used_volume,
    )
