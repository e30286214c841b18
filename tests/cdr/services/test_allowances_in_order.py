"""Re-rating customers with allowances: the strict order of their months, whatever came when."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from cdr.models import (
    AllowanceCounter,
    AllowanceUse,
    CustomerIdentifier,
    LegKind,
    ReplacedLeg,
    Suspense,
)
from cdr.selectors.reratings import rerating_progress
from cdr.services import rerating_slices
from common.scope import Scope
from subscriptions.models import Subscription
from tests.cdr.worlds import World, make_world
from tests.factories import make_customer, make_identifier, make_source
from tests.factories.allowances import (
    DEAR_IN_BETWEEN,
    OCTOBER,
    call,
    charged,
    counted,
    give_minutes,
    included,
)
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.rerating import apply, leg_sum, measure, owed, price, rerate, snapshot

pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)
NOVEMBER_AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return make_world()


class TestRerate:
    def test_restores_the_order_of_the_start(self, world: World) -> None:
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [call(10)])
        import_lines(world.source, [call(5)])
        import_lines(world.source, [call(0)])
        assert included(world.carla) == [0, 30, 60]

        rerate(world.provider)

        assert included(world.carla) == [60, 30, 0]
        assert counted(world.carla) == {OCTOBER: (90, 0, 90)}
        assert leg_sum(LegKind.CUSTOMER) == owed(LegKind.CUSTOMER) == Decimal("0.075")
        assert sorted(ReplacedLeg.objects.values_list("included_volume", flat=True)) == [0, 60]

    def test_changes_nothing_a_second_time(self, world: World) -> None:
        give_minutes(world.carla, world.product, 90, rolls_over=True)
        import_lines(world.source, [call(10), call(20)])
        import_lines(world.source, [call(5)])
        rerate(world.provider)
        before = snapshot(), list(AllowanceUse.objects.values_list().order_by("xdr_id"))

        again = measure(world.provider)

        assert not again.slices.filter(has_changes=True).exists()
        assert before == (snapshot(), list(AllowanceUse.objects.values_list().order_by("xdr_id")))

    def test_measures_without_a_change(self, world: World) -> None:
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [call(10), call(20)])
        import_lines(world.source, [call(5)])
        before = snapshot(), counted(world.carla)

        measured = measure(world.provider)

        assert measured.slices.get().changed_leg_count == 3
        assert (snapshot(), counted(world.carla)) == before

    def test_takes_all_of_the_months_of_who_has_allowances(self, world: World) -> None:
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [call(10), Call(account="carla", to="442079460000")])
        import_lines(world.source, [call(-5)])

        rerating = rerate(world.provider, started_from=CALL_AT + timedelta(minutes=10))

        assert rerating.ordered_customer_ids == [world.carla.pk]
        progress = rerating_progress(Scope.system(world.provider.pk), rerating)
        assert progress.xdr_count == 3
        assert sum(included(world.carla)) == 90
        assert included(world.carla)[0] == 60

    def test_leaves_the_time_of_others_as_it_is_chosen(self, world: World) -> None:
        give_minutes(world.carla, world.product, 90)
        other = make_customer(world.provider, world.sub)
        make_identifier(other, "other")
        import_lines(world.source, [call(10), call(0, account="other"), call(20, account="other")])

        rerating = measure(world.provider, started_from=CALL_AT + timedelta(minutes=10))

        slices = rerating.slices.order_by("number").values_list("xdr_count", "customer_ids")
        assert list(slices) == [(1, [world.carla.pk]), (1, [])]

    def test_goes_on_to_the_months_that_volume_rolls_into(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100, rolls_over=True)
        Subscription.objects.update(start_date=OCTOBER)
        import_lines(world.source, [call(0, 200, started_at=NOVEMBER_AT)], at=NOVEMBER_AT)
        import_lines(world.source, [call(0, 70)], at=NOVEMBER_AT)
        assert included(world.carla) == [0, 200]

        rerate(world.provider)

        assert included(world.carla) == [70, 130]
        assert counted(world.carla) == {OCTOBER: (100, 0, 70), NOVEMBER: (100, 30, 130)}

    def test_counts_over_all_sources(self, world: World) -> None:
        other = make_source(world.product, default_vendor=world.vendor)
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [call(0), call(10)])
        import_lines(other, [call(5)])
        assert included(world.carla) == [60, 0, 30]

        rerate(world.provider)

        assert included(world.carla) == [60, 30, 0]

    def test_takes_back_what_a_subscription_that_had_ended_gave(self, world: World) -> None:
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [call(0)])
        Subscription.objects.update(end_date=date(2026, 9, 30), state="ENDED")

        rerate(world.provider)

        assert included(world.carla) == [0]
        assert not AllowanceUse.objects.exists()
        assert not AllowanceCounter.objects.filter(used_volume__gt=0).exists()

    def test_gives_back_what_another_customer_is_to_pay(self, world: World) -> None:
        give_minutes(world.carla, world.product, 90)
        other = make_customer(world.provider, world.sub)
        import_lines(world.source, [call(0), call(5)])
        CustomerIdentifier.objects.filter(value="carla").update(customer=other)

        rerate(world.provider)

        assert counted(world.carla) == {OCTOBER: (90, 0, 0)}
        assert included(other) == [0, 0]

    def test_charges_the_rest_by_the_rates_of_today(self, world: World) -> None:
        give_minutes(world.carla, world.product, 30)
        import_lines(world.source, [call(0), call(5)])
        price(world.default_table(), "0.60")

        rerate(world.provider)

        assert charged(world.carla) == [(30, 30, Decimal("0.3")), (0, 60, Decimal("0.6"))]

    def test_gives_what_cannot_be_charged_for_the_rest_to_the_next(self, world: World) -> None:
        give_minutes(world.carla, world.product, 60)
        import_lines(world.source, [call(0, 180), call(5, 30)])
        assert included(world.carla) == [60, 0]
        rate = world.default_table().rates.get()
        rate.steps = DEAR_IN_BETWEEN
        rate.save()

        rerate(world.provider)

        assert included(world.carla) == [30]
        assert counted(world.carla) == {OCTOBER: (60, 0, 30)}
        assert Suspense.objects.get().reason == "overflow"

    def test_is_not_applied_where_usage_came_in_between(self, world: World) -> None:
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [call(10), call(20)])
        import_lines(world.source, [call(5)])
        measured = measure(world.provider)
        import_lines(world.source, [call(1)])
        before = charged(world.carla)

        applied = apply(measured)

        assert applied.state == "PARTLY_APPLIED"
        assert charged(world.carla) == before


class TestParts:
    def test_share_allowances_as_one(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        give_minutes(world.carla, world.product, 150, rolls_over=True)
        give_minutes(world.carla, world.product, 60, destinations=["44"], priority=0)
        Subscription.objects.update(start_date=OCTOBER)
        late = [call(0, 200, started_at=NOVEMBER_AT), call(9, to="442079460000")]
        import_lines(world.source, [*late, call(8), call(7)], at=NOVEMBER_AT)
        import_lines(world.source, [call(1), call(0, to="442079460000")], at=NOVEMBER_AT)
        monkeypatch.setattr(rerating_slices, "SLICE_XDRS", 2)

        measured = measure(world.provider)
        apply(measured)

        assert measured.slices.get().xdr_count == 6
        assert included(world.carla) == [60, 60, 60, 30, 0, 150]
        assert counted(world.carla) == {OCTOBER: (210, 0, 210), NOVEMBER: (210, 0, 150)}
        assert leg_sum(LegKind.CUSTOMER) == owed(LegKind.CUSTOMER)
        assert not measure(world.provider).slices.filter(has_changes=True).exists()

    def test_are_all_left_alone_where_one_has_changed(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [call(10), call(20)])
        import_lines(world.source, [call(5)])
        monkeypatch.setattr(rerating_slices, "SLICE_XDRS", 1)
        measured = measure(world.provider)
        import_lines(world.source, [call(30)])
        before = snapshot(), counted(world.carla)

        applied = apply(measured)

        assert applied.state == "PARTLY_APPLIED"
        assert (snapshot(), counted(world.carla)) == before
