"""What of it is chosen, cut into slices, and done once by whoever gets it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalogue.models import Rate
from cdr.models import (
    LegKind,
    Rerating,
    ReratingSlice,
    Suspense,
)
from cdr.selectors.reratings import delta_totals, rerating_progress
from cdr.services import rerating as services
from cdr.services.rerating import (
    AnotherIsApplied,
    NotDiscardable,
    NothingToApply,
    apply_rerating,
    discard_rerating,
    requeue_lost_reratings,
)
from cdr.services.rerating_slices import work_on_slice
from cdr.services.splitting import PATIENCE
from common.scope import Scope
from tests.cdr.worlds import World, make_world
from tests.factories import (
    make_customer,
    make_identifier,
    make_rate_table,
    make_reseller,
    make_source,
    make_vendor,
)
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.rerating import (
    RERATED_AT,
    apply,
    leg_sum,
    measure,
    owed,
    price,
    rerate,
    snapshot,
    work_off,
)

State = Rerating.State


@pytest.fixture
def world(db: None) -> World:
    return make_world()


class TestSelection:
    def chosen(self, world: World, **options: Any) -> int:
        rerating = measure(world.provider, **options)
        return rerating_progress(Scope.system(world.provider.pk), rerating).xdr_count

    def test_is_by_time_half_open(self, world: World) -> None:
        later = CALL_AT + timedelta(minutes=1)
        import_lines(world.source, [Call(account="carla"), Call(account="carla", started_at=later)])

        assert self.chosen(world, started_to=later) == 1
        assert self.chosen(world, started_from=later) == 1
        assert self.chosen(world, started_to=later + timedelta(microseconds=1)) == 2

    def test_is_by_prefix_of_the_number_called(self, world: World) -> None:
        import_lines(
            world.source,
            [Call(account="carla", to=to) for to in ("4930123456", "0049301234", "4420794600")],
        )

        assert self.chosen(world, prefixes=["49"]) == 2
        assert self.chosen(world, prefixes=["44", "4930"]) == 3

    def test_is_by_vendor_and_source(self, world: World) -> None:
        other = make_source(world.product, make_vendor(world.vendor.rate_table, owner=world.root))
        import_lines(world.source, [Call(account="carla")])
        import_lines(other, [Call(account="carla"), Call(account="carla")])

        assert self.chosen(world, vendor=world.vendor) == 1
        assert self.chosen(world, vendor=other.default_vendor) == 2
        assert self.chosen(world, source=other) == 2

    def test_is_by_reseller_with_all_below_it(self, world: World) -> None:
        other = make_reseller(world.provider)
        make_identifier(make_customer(world.provider, other), "other")
        import_lines(world.source, [Call(account="carla"), Call(account="other")])

        assert self.chosen(world, reseller=world.root) == 1
        assert self.chosen(world, reseller=world.sub) == 1
        assert self.chosen(world, reseller=other) == 1

    def test_is_by_reseller_also_of_legs_that_it_pays(self, world: World) -> None:
        foreign = make_reseller(world.provider)
        vendor = make_vendor(world.vendor.rate_table, owner=foreign)
        source = make_source(world.product, vendor, allows_foreign_vendors=True)
        import_lines(source, [Call(account="carla")])

        assert self.chosen(world, reseller=foreign) == 1

    def test_is_by_rate_table_and_what_waits_for_a_rate(self, world: World) -> None:
        Rate.objects.filter(rate_table=world.default_table()).update(prefix="49")
        import_lines(
            world.source,
            [Call(account="carla"), Call(account="carla", to="4420794600"), Call(account="nobody")],
        )

        assert self.chosen(world, rate_table=world.default_table()) == 2

    def test_is_by_rate_table_also_through_its_children(self, world: World) -> None:
        parent = make_rate_table(world.product)
        table = world.default_table()
        table.parent = parent
        table.save()
        import_lines(world.source, [Call(account="carla")])

        assert self.chosen(world, rate_table=parent) == 1
        assert self.chosen(world, rate_table=make_rate_table(world.product)) == 0

    def test_is_by_what_it_waits_for(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla"), Call(account="nobody")])

        assert self.chosen(world, suspense_reason="unknown_customer") == 1
        assert self.chosen(world, suspense_reason="unknown_vendor") == 0

    def test_keeps_to_its_provider(self, world: World) -> None:
        other = make_world()
        import_lines(world.source, [Call(account="carla")])

        assert self.chosen(other) == 0


class TestManySlices:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "SLICE_XDRS", 2)

    def test_are_applied_one_by_one(self, world: World) -> None:
        calls = [Call(account="carla", started_at=CALL_AT + timedelta(minutes=n)) for n in range(5)]
        import_lines(world.source, calls)
        price(world.default_table(), "0.07")

        rerating = rerate(world.provider)

        assert list(rerating.slices.order_by("number").values_list("xdr_count", "state")) == [
            (2, "APPLIED"),
            (2, "APPLIED"),
            (1, "APPLIED"),
        ]
        assert leg_sum(LegKind.CUSTOMER) == owed(LegKind.CUSTOMER) == Decimal("0.70")
        (total,) = delta_totals(Scope.system(world.provider.pk), rerating)
        assert (total.leg_count, total.delta_amount, total.applied_amount) == (
            5,
            Decimal("0.20"),
            Decimal("0.20"),
        )

    def test_of_one_instant_change_each_call_once(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla") for _ in range(5)])
        price(world.default_table(), "0.07")

        rerating = rerate(world.provider)

        assert list(rerating.slices.order_by("number").values_list("xdr_count", flat=True)) == [
            2,
            2,
            1,
        ]
        assert leg_sum(LegKind.CUSTOMER) == owed(LegKind.CUSTOMER) == Decimal("0.70")
        assert not measure(world.provider).slices.filter(has_changes=True).exists()

    def test_of_several_sources_at_one_time_keep_the_legs_of_each(self, world: World) -> None:
        other = make_source(world.product, world.vendor)
        import_lines(world.source, [Call(account="carla"), Call(account="carla", seconds=60)])
        import_lines(other, [Call(account="carla"), Call(account="carla", seconds=60)])
        price(world.default_table(), "0.07")

        rerate(world.provider)

        assert leg_sum(LegKind.CUSTOMER) == owed(LegKind.CUSTOMER) == Decimal("0.42")
        assert leg_sum(LegKind.VENDOR) == owed(LegKind.VENDOR) == Decimal("0.12")

    def test_of_one_instant_settle_the_suspense_of_their_own_calls(self, world: World) -> None:
        import_lines(world.source, [Call(account="new") for _ in range(5)])
        make_identifier(make_customer(world.provider, world.sub), "new")

        rerate(world.provider, suspense_reason="unknown_customer")

        assert set(Suspense.objects.values_list("state", flat=True)) == {"RESOLVED"}
        assert leg_sum(LegKind.CUSTOMER) == owed(LegKind.CUSTOMER) == Decimal("0.50")

    def test_of_which_one_has_changed_since_leave_that_alone(self, world: World) -> None:
        first, last = Call(account="carla"), Call(account="new")
        calls = [
            first,
            first.again(uuid="two"),
            last.again(started_at=CALL_AT + timedelta(hours=1)),
        ]
        import_lines(world.source, calls)
        price(world.default_table(), "0.07")
        measured = measure(world.provider)
        make_identifier(make_customer(world.provider, world.sub), "new")
        # Something must have been agreed to there.
        ReratingSlice.objects.filter(rerating=measured).update(has_changes=True)

        rerating = apply(measured)

        assert rerating.state == State.PARTLY_APPLIED
        assert [part.state for part in rerating.slices.order_by("number")] == [
            "APPLIED",
            "OUTDATED",
        ]
        assert owed(LegKind.CUSTOMER) == Decimal("0.28")
        assert Suspense.objects.get().state == "OPEN"

    def test_are_done_once_however_often_they_are_queued(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        price(world.default_table(), "0.07")
        rerating = rerate(world.provider)
        before = snapshot()

        assert work_on_slice(slice_id=rerating.slices.get().pk, at=RERATED_AT) is False

        assert snapshot() == before


class TestStates:
    def test_applied_once_it_is_over(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        price(world.default_table(), "0.07")
        rerating = rerate(world.provider)

        with pytest.raises(NothingToApply):
            apply_rerating(rerating_id=rerating.pk, at=RERATED_AT, actor_id=None)
        with pytest.raises(NotDiscardable):
            discard_rerating(rerating_id=rerating.pk, at=RERATED_AT, actor_id=None)

    def test_two_are_not_applied_at_once(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        price(world.default_table(), "0.07")
        one, other = measure(world.provider), measure(world.provider)
        apply_rerating(rerating_id=one.pk, at=RERATED_AT, actor_id=None)

        with pytest.raises(AnotherIsApplied):
            apply_rerating(rerating_id=other.pk, at=RERATED_AT, actor_id=None)

    def test_discarded_it_changes_nothing_any_more(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        price(world.default_table(), "0.07")
        rerating = measure(world.provider)
        before = snapshot()

        discard_rerating(rerating_id=rerating.pk, at=RERATED_AT, actor_id=None)
        work_off(rerating)

        assert rerating.state == State.DISCARDED
        assert snapshot() == before
        with pytest.raises(NothingToApply):
            apply_rerating(rerating_id=rerating.pk, at=RERATED_AT, actor_id=None)

    def test_lost_work_is_queued_again(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        price(world.default_table(), "0.07")
        rerating = measure(world.provider)
        apply_rerating(rerating_id=rerating.pk, at=RERATED_AT, actor_id=None)

        assert requeue_lost_reratings(at=RERATED_AT) == 0
        assert requeue_lost_reratings(at=RERATED_AT + PATIENCE) == 1
        assert requeue_lost_reratings(at=RERATED_AT + PATIENCE) == 0
