from datetime import UTC, date, datetime

import pytest

from audit.models import Entry
from catalogue.models import CatalogueVersionItem
from cdr.models import CustomerIdentifier, IdentifiedBy
from cdr.services.identifiers import SubscriptionNotTheirs, give_identifier, tie_identifier
from customers.models import Customer
from subscriptions.models import Subscription
from tests.factories import make_customer, make_identifier, make_provider
from tests.factories.subscriptions import make_buyer, make_offer, make_subscription
from tests.refusals import refused

AT = datetime(2026, 10, 5, 9, tzinfo=UTC)
SINCE = date(2026, 10, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought() -> tuple[Customer, CatalogueVersionItem]:
    return make_buyer()


def tie(identifier: CustomerIdentifier, subscription: Subscription | None) -> None:
    tie_identifier(identifier=identifier, subscription=subscription, at=AT, actor_id=None)


class TestTyingAnIdentifier:
    def test_to_a_subscription_is_recorded_and_undone(
        self, bought: tuple[Customer, CatalogueVersionItem]
    ) -> None:
        customer, item = bought
        row = make_identifier(customer, "nordwind")
        subscription = make_subscription(customer, item, SINCE)

        tie(row, subscription)
        assert CustomerIdentifier.objects.get().subscription == subscription

        tie(row, None)
        assert CustomerIdentifier.objects.get().subscription is None
        entries = Entry.objects.filter(action="identifier.tied").order_by("pk")
        recorded = [entry.after and entry.after["subscription"] for entry in entries]
        assert recorded == [str(subscription.pk), None]

    def test_is_refused_to_what_is_anothers_or_over(
        self, bought: tuple[Customer, CatalogueVersionItem]
    ) -> None:
        customer, item = bought
        row = make_identifier(customer, "nordwind")
        neighbours = make_subscription(make_customer(customer.provider), item, SINCE)
        other = make_provider()
        foreign = make_subscription(make_customer(other), make_offer(other), SINCE)
        over = make_subscription(customer, item, SINCE, state="ENDED", end_date=SINCE)

        for subscription in (neighbours, foreign, over):
            with refused(SubscriptionNotTheirs):
                tie(row, subscription)
            with refused(SubscriptionNotTheirs):
                give_identifier(
                    customer=customer,
                    kind=IdentifiedBy.ACCOUNT_CODE,
                    value="nordwind-2",
                    subscription=subscription,
                    at=AT,
                    actor_id=None,
                )

        assert CustomerIdentifier.objects.get().subscription is None
