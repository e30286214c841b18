from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from catalogue.models import Catalogue, CatalogueVersionItem, ProductKind
from customers.models import Customer
from subscriptions.models import Charge, Subscription
from subscriptions.services.purchase import (
    AlreadyMetered,
    CustomerCannotBuy,
    ItemNotOffered,
    NothingToApprove,
    QuantityRefused,
    approve_subscription,
    subscribe,
)
from tests.factories import (
    make_catalogue,
    make_customer,
    make_product,
    make_provider,
    make_reseller,
    make_staff,
)
from tests.factories.subscriptions import make_buyer, make_offer
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 8, 8, 9, tzinfo=UTC)
TODAY = date(2026, 8, 8)
State = Subscription.State

pytestmark = pytest.mark.django_db


def buy(
    customer: Customer, item: CatalogueVersionItem, start_date: date = TODAY, **fields: Any
) -> Subscription:
    return subscribe(
        customer=customer,
        item=item,
        start_date=start_date,
        **{"at": AT, "actor_id": None, **fields},
    )


def charged(subscription: Subscription) -> list[tuple[date, date, Decimal]]:
    rows = subscription.charges.order_by("period_from", "pk")
    return list(rows.values_list("period_from", "period_to", "net_amount"))


class TestSubscribe:
    def test_freezes_the_terms_of_the_item(self) -> None:
        customer, item = make_buyer()
        admin = make_staff(customer.provider)

        subscription = buy(customer, item, quantity=3, actor_id=admin.pk)

        subscription.refresh_from_db()
        assert (subscription.customer, subscription.item) == (customer, item)
        assert (subscription.product, subscription.quantity) == (item.product, 3)
        assert (subscription.price, subscription.price_period) == (Decimal("21.6"), "MONTH")
        assert (subscription.in_advance, subscription.currency) == (True, "EUR")
        assert (subscription.state, subscription.start_date) == (State.ACTIVE, TODAY)
        assert (subscription.end_date, subscription.created_by) == (None, admin)
        assert Entry.objects.get(action="subscription.created").after == {
            "customer": str(customer.number),
            "product": item.product.code,
            "quantity": "3",
            "price": "21.60000000",
            "start_date": "2026-08-08",
            "state": "ACTIVE",
        }

    def test_charges_the_first_month_in_advance(self) -> None:
        subscription = buy(*make_buyer(), quantity=2)

        charge = subscription.charges.get()
        assert (charge.kind, charge.net_amount) == (Charge.Kind.RECURRING, Decimal("43.2"))
        assert (charge.unit_price, charge.quantity) == (Decimal("21.6"), 2)
        assert (charge.period_from, charge.period_to) == (TODAY, date(2026, 9, 1))
        assert charge.description == f"{subscription.product}, 2026-08-08 to 2026-08-31"
        assert (charge.currency, charge.posted_at) == ("EUR", AT)
        assert (charge.customer, charge.product) == (subscription.customer, subscription.product)

    def test_charges_the_days_left_with_entry_proration(self) -> None:
        subscription = buy(*make_buyer(price=Decimal("10.368"), entry_proration=True))

        assert charged(subscription) == [(TODAY, date(2026, 9, 1), Decimal("8.0268"))]

    def test_charges_the_first_month_of_a_later_start(self) -> None:
        customer, item = make_buyer(entry_proration=True)

        subscription = buy(customer, item, date(2026, 11, 16))

        assert charged(subscription) == [(date(2026, 11, 16), date(2026, 12, 1), Decimal("10.8"))]

    def test_charges_every_month_since_an_earlier_start(self) -> None:
        subscription = buy(*make_buyer(), date(2026, 6, 1))

        assert charged(subscription) == [
            (date(2026, 6, 1), date(2026, 7, 1), Decimal("21.6")),
            (date(2026, 7, 1), date(2026, 8, 1), Decimal("21.6")),
            (date(2026, 8, 1), date(2026, 9, 1), Decimal("21.6")),
        ]

    def test_charges_arrears_only_of_months_that_are_over(self) -> None:
        customer, item = make_buyer(in_advance=False)

        assert charged(buy(customer, item)) == []
        assert charged(buy(customer, item, date(2026, 7, 1))) == [
            (date(2026, 7, 1), date(2026, 8, 1), Decimal("21.6"))
        ]

    def test_takes_today_from_the_providers_zone(self) -> None:
        # In Berlin it is the 1st of September already.
        late = datetime(2026, 8, 31, 22, 30, tzinfo=UTC)

        subscription = buy(*make_buyer(), date(2026, 8, 1), at=late)

        assert [period_from for period_from, _, _ in charged(subscription)] == [
            date(2026, 8, 1),
            date(2026, 9, 1),
        ]

    def test_charges_voice_nothing(self) -> None:
        subscription = buy(*make_buyer(ProductKind.VOICE))

        assert (subscription.state, subscription.price) == (State.ACTIVE, None)
        assert charged(subscription) == []

    def test_charges_a_metered_product_nothing_before_it_is_used(self) -> None:
        subscription = buy(*make_buyer(ProductKind.METERED))

        assert (subscription.state, subscription.price) == (State.ACTIVE, None)
        assert charged(subscription) == []

    def test_refuses_more_than_one_of_a_metered_product(self) -> None:
        customer, item = make_buyer(ProductKind.METERED)

        with refused(QuantityRefused, "charged by what is used"):
            buy(customer, item, quantity=2)

    def test_refuses_a_metered_product_on_a_day_that_it_has_it(self) -> None:
        customer, item = make_buyer(ProductKind.METERED)
        first = buy(customer, item)
        Subscription.objects.filter(pk=first.pk).update(end_date=date(2026, 8, 31))

        with refused(AlreadyMetered, "end it, and begin this one on the day after"):
            buy(customer, item, date(2026, 8, 31))

        assert buy(customer, item, date(2026, 9, 1)).state == State.ACTIVE

    def test_charges_a_one_time_product_once(self) -> None:
        subscription = buy(*make_buyer(ProductKind.ONE_TIME), quantity=2)

        charge = subscription.charges.get()
        assert (charge.kind, charge.net_amount) == (Charge.Kind.ONE_TIME, Decimal(100))
        assert (charge.period_from, charge.period_to) == (TODAY, date(2026, 8, 9))
        assert (subscription.state, subscription.end_date) == (State.ENDED, TODAY)

    @pytest.mark.parametrize("state", sorted(set(Customer.State) - {Customer.State.ACTIVE}))
    def test_refuses_customers_who_are_not_active(self, state: Customer.State) -> None:
        customer, item = make_buyer()
        Customer.objects.filter(pk=customer.pk).update(state=state)

        with refused(CustomerCannotBuy):
            buy(customer, item)

    def test_refuses_less_than_one(self) -> None:
        customer, item = make_buyer()

        with refused(QuantityRefused):
            buy(customer, item, quantity=0)


class TestTheItemsOnOffer:
    def test_are_available(self) -> None:
        customer, item = make_buyer(is_available=False)

        with refused(ItemNotOffered):
            buy(customer, item)

    def test_are_in_the_customers_currency(self) -> None:
        customer, item = make_buyer(currency="USD")

        with refused(ItemNotOffered):
            buy(customer, item)

    def test_are_those_of_the_version_in_effect(self) -> None:
        customer, old = make_buyer()
        catalogue = old.version.catalogue
        new_version = catalogue.versions.create(
            provider=customer.provider, number=2, published_at=AT, effective_at=AT
        )
        new = new_version.items.create(
            provider=customer.provider, product=old.product, **terms_of(old, price=Decimal(30))
        )

        with refused(ItemNotOffered):
            buy(customer, old)
        assert buy(customer, new).price == 30
        before = datetime(2026, 8, 8, 8, 59, tzinfo=UTC)
        with refused(ItemNotOffered):
            buy(customer, new, at=before)
        assert buy(customer, old, at=before).price == Decimal("21.6")

    def test_are_those_of_the_custom_catalogue_where_there_is_one(self) -> None:
        customer, standard = make_buyer()
        product = make_product(customer.provider, kind="RECURRING")
        custom = make_catalogue(
            customer.provider, [{"product": product, "price": 9, "price_period": "MONTH"}]
        )
        gold = custom.items.get()

        with refused(ItemNotOffered):
            buy(customer, gold)

        customer.custom_catalogue = custom.catalogue
        customer.save()
        with refused(ItemNotOffered):
            buy(customer, standard)
        assert buy(customer, gold).price == 9

    def test_are_none_before_anything_was_published(self) -> None:
        customer, item = make_buyer()
        Catalogue.objects.update(is_default=False)

        with refused(ItemNotOffered):
            buy(customer, item)

    def test_are_never_another_providers(self) -> None:
        customer, _ = make_buyer()
        _, foreign = make_buyer()

        with refused(ItemNotOffered):
            buy(customer, foreign)


class TestApproveSubscription:
    def test_charges_what_the_request_did_not(self) -> None:
        customer, item = make_buyer(approval_required=True)
        requested = buy(customer, item, date(2026, 8, 20))
        assert (requested.state, charged(requested)) == (State.REQUESTED, [])

        approved = approve_subscription(subscription=requested, at=AT, actor_id=None)

        assert (approved.state, approved.start_date) == (State.ACTIVE, date(2026, 8, 20))
        assert charged(approved) == [(date(2026, 8, 20), date(2026, 9, 1), Decimal("21.6"))]
        assert Entry.objects.filter(action="subscription.approved").count() == 1

    def test_begins_today_where_the_day_asked_for_is_over(self) -> None:
        customer, item = make_buyer(approval_required=True, entry_proration=True)
        requested = buy(customer, item, date(2026, 8, 1))

        approved = approve_subscription(subscription=requested, at=AT, actor_id=None)

        approved.refresh_from_db()
        assert approved.start_date == TODAY
        assert charged(approved) == [(TODAY, date(2026, 9, 1), Decimal("16.7226"))]

    def test_keeps_the_price_of_the_request(self) -> None:
        customer, item = make_buyer(approval_required=True)
        requested = buy(customer, item)
        item.version.catalogue.versions.create(
            provider=customer.provider, number=2, published_at=AT, effective_at=AT
        )

        approved = approve_subscription(subscription=requested, at=AT, actor_id=None)

        assert approved.price == Decimal("21.6")

    def test_charges_a_one_time_product_on_the_day_of_approval(self) -> None:
        customer, item = make_buyer(ProductKind.ONE_TIME, approval_required=True)
        requested = buy(customer, item, date(2026, 8, 1))

        approved = approve_subscription(subscription=requested, at=AT, actor_id=None)

        assert (approved.state, approved.end_date) == (State.ENDED, TODAY)
        assert charged(approved) == [(TODAY, date(2026, 8, 9), Decimal(50))]

    def test_refuses_what_is_no_request(self) -> None:
        subscription = buy(*make_buyer())

        with refused(NothingToApprove):
            approve_subscription(subscription=subscription, at=AT, actor_id=None)

    def test_refuses_a_customer_who_cannot_buy_any_more(self) -> None:
        customer, item = make_buyer(approval_required=True)
        requested = buy(customer, item)
        Customer.objects.filter(pk=customer.pk).update(state=Customer.State.RESTRICTED)

        with refused(CustomerCannotBuy):
            approve_subscription(subscription=requested, at=AT, actor_id=None)


@pytest.mark.django_db(transaction=True)
class TestTwoApprovalsAtOnce:
    def test_charge_once(self) -> None:
        customer, item = make_buyer(approval_required=True)
        requested = buy(customer, item)

        outcomes = race(
            *[lambda: approve_subscription(subscription=requested, at=AT, actor_id=None)] * 2
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "NothingToApprove",
            "Subscription",
        ]
        assert Charge.objects.count() == 1


class TestEqualCustomers:
    def test_pay_the_same_whoever_brought_them(self) -> None:
        provider = make_provider()
        item = make_offer(provider)
        tagged, direct = make_customer(provider, make_reseller(provider)), make_customer(provider)

        assert charged(buy(tagged, item)) == charged(buy(direct, item))


def terms_of(item: CatalogueVersionItem, **changes: Any) -> dict[str, Any]:
    """The terms of an item with some of them changed."""
    terms = item.terms
    return {name: getattr(terms, name) for name in terms.__slots__} | changes
