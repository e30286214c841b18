from datetime import UTC, date, datetime

import pytest

from catalogue.models import CatalogueVersionItem, ProductKind
from cdr.models import AllowanceCounter, CustomerIdentifier
from cdr.selectors.allowances import AllowanceOfMonth, allowances_of_month
from common.periods import Period, month
from common.scope import Scope
from customers.models import Customer
from tests.cdr.worlds import World, make_world
from tests.factories import (
    make_catalogue,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
)
from tests.factories.catalogue import make_allowance
from tests.factories.cdr import Call, import_lines
from tests.factories.subscriptions import make_subscription

pytestmark = pytest.mark.django_db
SINCE = date(2026, 10, 1)
OCTOBER, NOVEMBER, DECEMBER = month(2026, 10), month(2026, 11), month(2026, 12)
Volumes = tuple[str, int, int, int, int]


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def seat(world: World) -> CatalogueVersionItem:
    product = make_product(world.provider, ProductKind.RECURRING)
    terms = {"product": product, "price": "10", "price_period": "MONTH"}
    return make_catalogue(world.provider, [terms]).items.get()


def volumes(customer: Customer, period: Period) -> list[Volumes]:
    """Name, granted, rolled over, used and left."""
    return [written(row) for row in seen(Scope.system(customer.provider_id), customer, period)]


def seen(scope: Scope, customer: Customer, period: Period) -> list[AllowanceOfMonth]:
    return allowances_of_month(scope, customer, period)


def written(row: AllowanceOfMonth) -> Volumes:
    return row.name, row.granted_volume, row.rolled_volume, row.used_volume, row.left_volume


class TestAllowancesOfMonth:
    def test_are_there_before_anything_was_used(
        self, world: World, seat: CatalogueVersionItem
    ) -> None:
        make_allowance(seat, world.product, name="Europe", volume=600, destinations=["49"])
        subscription = make_subscription(world.carla, seat, SINCE, quantity=2)

        [row] = seen(Scope.system(world.provider.pk), world.carla, OCTOBER)

        assert written(row) == ("Europe", 1_200, 0, 0, 1_200)
        assert (row.product, row.subscription) == (world.product, subscription)
        assert (row.sharing, row.destinations) == ("SHARED", ("49",))

    def test_tell_what_calls_used(self, world: World, seat: CatalogueVersionItem) -> None:
        make_allowance(seat, world.product, name="Europe", volume=600)
        make_subscription(world.carla, seat, SINCE)

        import_lines(world.source, [Call(account="carla", seconds=250)])

        assert volumes(world.carla, OCTOBER) == [("Europe", 600, 0, 250, 350)]
        assert volumes(world.carla, NOVEMBER) == [("Europe", 600, 0, 0, 600)]

    def test_are_in_the_order_in_which_they_are_used(
        self, world: World, seat: CatalogueVersionItem
    ) -> None:
        make_allowance(seat, world.product, name="Second", volume=600, priority=2)
        make_allowance(seat, world.product, name="First", volume=60, priority=1)
        make_subscription(world.carla, seat, SINCE)

        import_lines(world.source, [Call(account="carla", seconds=100)])

        assert volumes(world.carla, OCTOBER) == [
            ("First", 60, 0, 60, 0),
            ("Second", 600, 0, 40, 560),
        ]

    def test_roll_over_once(self, world: World, seat: CatalogueVersionItem) -> None:
        make_allowance(seat, world.product, name="Europe", volume=600, rolls_over=True)
        make_subscription(world.carla, seat, SINCE)

        import_lines(world.source, [Call(account="carla", seconds=250)])

        assert volumes(world.carla, OCTOBER) == [("Europe", 600, 0, 250, 350)]
        assert volumes(world.carla, NOVEMBER) == [("Europe", 600, 350, 0, 950)]
        assert volumes(world.carla, DECEMBER) == [("Europe", 600, 600, 0, 1_200)]

    def test_of_a_pool_are_one(self, world: World, seat: CatalogueVersionItem) -> None:
        make_allowance(seat, world.product, name="Europe", volume=600, sharing="POOLED")
        for _ in range(2):
            make_subscription(world.carla, seat, SINCE)

        [row] = seen(Scope.system(world.provider.pk), world.carla, OCTOBER)

        assert written(row) == ("Europe", 1_200, 0, 0, 1_200)
        assert row.subscription is None

    def test_of_one_subscription_are_used_by_its_own_numbers_only(
        self, world: World, seat: CatalogueVersionItem
    ) -> None:
        make_allowance(seat, world.product, name="Europe", volume=600, sharing="OWN")
        subscription = make_subscription(world.carla, seat, SINCE)
        tied = make_identifier(world.carla, "carla-2")
        CustomerIdentifier.objects.filter(pk=tied.pk).update(subscription=subscription)

        lines = [Call(account="carla", seconds=100), Call(account="carla-2", seconds=30)]
        import_lines(world.source, lines)

        assert volumes(world.carla, OCTOBER) == [("Europe", 600, 0, 30, 570)]

    def test_stay_where_the_subscription_is_gone_that_granted_them(
        self, world: World, seat: CatalogueVersionItem
    ) -> None:
        make_allowance(seat, world.product, name="Europe", volume=600)
        subscription = make_subscription(world.carla, seat, SINCE)
        import_lines(world.source, [Call(account="carla", seconds=250)])
        subscription.start_date = subscription.end_date = date(2026, 12, 5)
        subscription.save()

        assert volumes(world.carla, OCTOBER) == [("Europe", 600, 0, 250, 350)]
        assert volumes(world.carla, NOVEMBER) == []

    def test_stay_where_it_turned_out_to_have_ended_in_the_month_before(
        self, world: World, seat: CatalogueVersionItem
    ) -> None:
        make_allowance(seat, world.product, name="Europe", volume=600, rolls_over=True)
        subscription = make_subscription(world.carla, seat, SINCE)
        in_november = datetime(2026, 11, 3, 9, tzinfo=UTC)
        lines = [Call(account="carla", seconds=250, started_at=in_november)]
        import_lines(world.source, lines, at=in_november)
        subscription.end_date = date(2026, 10, 31)
        subscription.save()

        assert volumes(world.carla, NOVEMBER) == [("Europe", 600, 600, 250, 950)]

    def test_of_neighbours_are_not_seen(self, world: World, seat: CatalogueVersionItem) -> None:
        make_allowance(seat, world.product, name="Europe", volume=600)
        make_subscription(world.carla, seat, SINCE)
        import_lines(world.source, [Call(account="carla", seconds=250)])
        neighbour = make_customer(world.provider)
        assert AllowanceCounter.objects.exists()

        assert volumes(neighbour, OCTOBER) == []
        foreign = Scope.system(make_provider().pk)
        assert seen(foreign, world.carla, OCTOBER) == []
