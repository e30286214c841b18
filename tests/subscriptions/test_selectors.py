from datetime import UTC, date, datetime

import pytest

from catalogue.models import ProductKind
from common.scope import Scope, Surface
from customers.models import Customer
from subscriptions import selectors
from subscriptions.models import Subscription
from subscriptions.services.purchase import subscribe
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.subscriptions import make_offer, make_subscription

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def account_centre(customer: Customer) -> Scope:
    return Scope(
        provider_id=customer.provider_id,
        surface=Surface.ACCOUNT_CENTRE,
        customer_id=customer.pk,
    )


def console(provider_id: int) -> Scope:
    return Scope(provider_id=provider_id, surface=Surface.CONSOLE)


class TestWhatEachSees:
    def test_is_the_customers_own_and_never_a_resellers(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        reseller = make_reseller(aurora)
        customer, neighbour = make_customer(aurora, reseller), make_customer(aurora, reseller)
        item = make_offer(aurora)
        for each in (customer, neighbour):
            subscribe(customer=each, item=item, start_date=date(2026, 10, 1), at=AT, actor_id=None)
        own = customer.subscriptions.get()
        portal = Scope(
            provider_id=aurora.pk, surface=Surface.RESELLER_PORTAL, reseller_id=reseller.pk
        )

        for scope in (console(aurora.pk), account_centre(customer)):
            assert list(selectors.subscriptions(scope, customer)) == [own]
            assert list(selectors.charges_of(scope, customer)) == [own.charges.get()]
            assert list(selectors.items_on_offer(scope, customer, AT)) == [item]
        for scope in (console(borealis.pk), account_centre(neighbour), portal):
            assert not selectors.subscriptions(scope, customer).exists()
            assert not selectors.charges_of(scope, customer).exists()
        for scope in (console(borealis.pk), account_centre(neighbour)):
            assert not selectors.items_on_offer(scope, customer, AT).exists()


class TestRequestedSubscriptions:
    def test_wait_in_the_order_they_came(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        items = {aurora: make_offer(aurora), borealis: make_offer(borealis)}
        first, _, last = [
            make_subscription(
                make_customer(provider),
                items[provider],
                date(2026, 10, 1),
                state=Subscription.State.REQUESTED,
            )
            for provider in (aurora, borealis, aurora)
        ]
        make_subscription(first.customer, first.item, date(2026, 10, 1))

        rows = selectors.requested_subscriptions(console(aurora.pk))

        assert list(rows) == [first, last]


class TestItemsOnOffer:
    def test_are_not_shown_to_resellers(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        customer = make_customer(provider, reseller)
        make_offer(provider, ProductKind.VOICE)
        portal = Scope(
            provider_id=provider.pk, surface=Surface.RESELLER_PORTAL, reseller_id=reseller.pk
        )

        assert not selectors.items_on_offer(portal, customer, AT).exists()
