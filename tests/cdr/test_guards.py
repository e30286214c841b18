"""What the database itself refuses about usage."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet

from cdr.models import AllowanceCounter, CustomerIdentifier, UsageCharge, XdrChunk
from subscriptions.models import Subscription
from tests.cdr.worlds import World, make_world
from tests.factories import LONG_AGO, make_catalogue, make_customer, make_product
from tests.factories.allowances import give_minutes
from tests.factories.cdr import Call, import_lines
from tests.factories.subscriptions import make_subscription


@pytest.fixture
def world(db: None) -> World:
    world = make_world()
    import_lines(world.source, [Call(account="carla")])
    return world


def refuses(match: str, **changes: Any) -> None:
    """A copy of an existing usage charge with the changes is refused."""
    charge = UsageCharge.objects.order_by("pk").first()
    assert charge is not None
    values = {
        field.attname: getattr(charge, field.attname)
        for field in UsageCharge._meta.local_concrete_fields
        if field.attname != "id"
    }
    before = UsageCharge.objects.count()
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        UsageCharge.objects.create(**values | changes)
    assert UsageCharge.objects.count() == before


class TestUsageCharge:
    def test_refers_to_a_chunk_that_is_there(self, world: World) -> None:
        refuses("refers to no batch or product of its provider", chunk_id=10**9)

    def test_refers_to_a_product_that_is_there(self, world: World) -> None:
        refuses("refers to no batch or product of its provider", product_id=10**9)

    def test_refers_to_rows_of_its_own_provider(self, world: World) -> None:
        other = make_world()

        refuses("refers to no batch or product", product_id=other.product.pk)
        refuses("refers to no batch or product", provider_id=other.provider.pk)

    def test_is_never_edited(self, world: World) -> None:
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            UsageCharge.objects.update(amount=Decimal(0))


class TestChunk:
    def test_is_never_deleted(self, world: World) -> None:
        with pytest.raises(IntegrityError, match="DELETE refused"), transaction.atomic():
            XdrChunk.objects.all()._raw_delete("default")
        assert XdrChunk.objects.exists()

    def test_that_is_done_counts_each_of_its_lines_once(self, world: World) -> None:
        for count in ("rated_count", "blank_count", "line_count"):
            with (
                pytest.raises(IntegrityError, match="chunk_lines_all_counted"),
                transaction.atomic(),
            ):
                XdrChunk.objects.update(**{count: F(count) + 1})


class TestIdentifier:
    def test_is_tied_to_a_subscription_of_its_own_customer_only(self, world: World) -> None:
        flat = make_product(world.provider, kind="RECURRING")
        monthly = {"product": flat, "price": Decimal(10), "price_period": "MONTH"}
        item = make_catalogue(world.provider, [monthly]).items.get()
        own = make_subscription(world.carla, item, LONG_AGO.date())
        others = make_subscription(make_customer(world.provider), item, LONG_AGO.date())
        identifiers = CustomerIdentifier.objects.filter(customer=world.carla)

        with (
            transaction.atomic(),
            pytest.raises(IntegrityError, match="identifier_subscription_of_customer"),
            transaction.atomic(),
        ):
            tie(identifiers, others)
        tie(identifiers, own)

        assert identifiers.get().subscription == own


def tie(identifiers: QuerySet[CustomerIdentifier], subscription: Subscription) -> None:
    identifiers.update(subscription=subscription)
    connection.check_constraints()


class TestAllowanceCounter:
    def test_is_never_used_beyond_what_there_is(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100, rolls_over=True)
        import_lines(world.source, [Call(account="carla", seconds=150)])
        rows = AllowanceCounter.objects.filter(used_volume=150)

        with (
            pytest.raises(IntegrityError, match="allowance_used_at_most_once"),
            transaction.atomic(),
        ):
            rows.update(used_volume=201)

        assert rows.get().rolled_volume == 100
