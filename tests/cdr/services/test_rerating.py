"""Rating again what was rated, measured first and applied when agreed to."""

from decimal import Decimal

import pytest
from django.db.models import Sum

from audit.models import Entry
from catalogue.models import Rate
from cdr.models import (
    Leg,
    LegKind,
    PartyKind,
    ReplacedLeg,
    Rerating,
    ReratingDelta,
    Suspense,
    UsageCharge,
    Xdr,
)
from cdr.selectors.reratings import rerating_progress
from cdr.services.rerating import (
    EmptyPeriod,
    NothingToApply,
    apply_rerating,
)
from common.scope import Scope
from tests.cdr.worlds import World, make_world
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_identifier,
    make_rate,
    make_rate_table,
    make_source,
)
from tests.factories.cdr import CALL_AT, Call, import_lines, legs_of
from tests.factories.rerating import (
    RERATED_AT,
    leg_sum,
    measure,
    owed,
    price,
    rerate,
    snapshot,
)

State = Rerating.State


@pytest.fixture
def world(db: None) -> World:
    return make_world()


class TestDryRun:
    def test_tells_what_every_payer_would_pay_more_or_less(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla"), Call(account="carla", seconds=60)])
        price(world.default_table(), "0.07")
        before = snapshot()

        rerating = measure(world.provider)

        assert snapshot() == before
        assert rerating.state == State.MEASURED
        delta = ReratingDelta.objects.get()
        assert (delta.kind, delta.payer_kind, delta.payer_id, delta.currency) == (
            LegKind.CUSTOMER,
            PartyKind.CUSTOMER,
            world.carla.pk,
            "EUR",
        )
        assert (delta.leg_count, delta.before_amount, delta.after_amount, delta.delta_amount) == (
            2,
            Decimal("0.15"),
            Decimal("0.21"),
            Decimal("0.06"),
        )
        progress = rerating_progress(Scope.system(world.provider.pk), rerating)
        assert (progress.xdr_count, progress.changed_xdr_count, progress.changed_leg_count) == (
            2,
            2,
            2,
        )

    def test_changes_nothing_where_nothing_has_changed(self, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table)
        import_lines(world.source, [Call(account="carla"), Call(account="nobody"), "junk"])

        rerating = measure(world.provider)

        assert not rerating.slices.filter(has_changes=True).exists()
        with pytest.raises(NothingToApply):
            apply_rerating(rerating_id=rerating.pk, at=RERATED_AT, actor_id=None)

    def test_of_a_time_without_calls_is_over_at_once(self, world: World) -> None:
        assert measure(world.provider).state == State.MEASURED

    def test_refuses_a_time_that_ends_before_it_starts(self, world: World) -> None:
        with pytest.raises(EmptyPeriod):
            measure(world.provider, started_from=CALL_AT, started_to=CALL_AT)

        assert not Rerating.objects.exists()


class TestApplying:
    def test_replaces_the_legs_and_keeps_the_old_ones(self, world: World) -> None:
        file = import_lines(world.source, [Call(account="carla")])
        old = Leg.objects.get(kind=LegKind.CUSTOMER)
        price(world.default_table(), "0.07")

        rerating = rerate(world.provider)

        assert rerating.state == State.APPLIED
        assert [leg.amount for leg in legs_of(file)] == [Decimal("0.14"), Decimal("0.04")]
        new = Leg.objects.get(kind=LegKind.CUSTOMER)
        replaced = ReplacedLeg.objects.get()
        assert (replaced.number, replaced.amount, replaced.rate_id) == (
            old.number,
            Decimal("0.10"),
            old.rate_id,
        )
        assert (new.number, replaced.rerating_id) == (old.number, rerating.pk)

    def test_reverses_the_usage_and_charges_it_anew(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla"), Call(account="carla", seconds=60)])
        price(world.default_table(), "0.07")

        rerating = rerate(world.provider)

        reversing, new = UsageCharge.objects.filter(rerating=rerating).order_by("call_count")
        first = UsageCharge.objects.get(kind=LegKind.CUSTOMER, chunk__isnull=False)
        for charge in (reversing, new):
            assert (charge.payer_id, charge.day, charge.destination, charge.currency) == (
                first.payer_id,
                first.day,
                first.destination,
                first.currency,
            )
            assert charge.customer_reseller_id == first.customer_reseller_id == world.sub.pk
        assert (reversing.call_count, reversing.volume, reversing.billed_volume) == (-2, -180, -180)
        assert (reversing.amount, new.amount) == (Decimal("-0.15"), Decimal("0.21"))
        assert (new.call_count, new.volume, new.billed_volume) == (2, 180, 180)

    def test_leaves_sums_of_usage_equal_to_those_of_legs(self, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table)
        import_lines(world.source, [Call(account="carla", seconds=n) for n in (0, 1, 59, 61)])
        price(world.default_table(), "0.07")
        price(world.sub_table, "0.025")
        price(world.vendor.rate_table, "0.021")

        rerate(world.provider)

        for kind in LegKind:
            assert owed(kind) == leg_sum(kind)

    def test_changes_nothing_the_second_time(self, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table)
        import_lines(world.source, [Call(account="carla"), Call(account="new")])
        make_identifier(make_customer(world.provider, world.sub), "new")
        price(world.default_table(), "0.07")
        assert rerate(world.provider).state == State.APPLIED
        before = snapshot()

        again = measure(world.provider)

        assert not again.slices.filter(has_changes=True).exists()
        assert snapshot() == before

    def test_leaves_out_what_is_not_chosen(self, world: World) -> None:
        other = make_customer(world.provider, world.sub)
        make_identifier(other, "other")
        import_lines(world.source, [Call(account="carla"), Call(account="other")])
        price(world.default_table(), "0.07")

        rerate(world.provider, customer=other)

        legs = Leg.objects.filter(kind=LegKind.CUSTOMER)
        amounts = dict(legs.values_list("usage_charge__payer_id", "amount"))
        assert amounts == {world.carla.pk: Decimal("0.10"), other.pk: Decimal("0.14")}

    def test_adds_the_leg_of_a_reseller_now_in_billing_mode(self, world: World) -> None:
        file = import_lines(world.source, [Call(account="carla")])
        make_billing_mode(world.sub, world.sub_table)

        rerating = rerate(world.provider)

        assert [leg.kind for leg in legs_of(file)] == [
            LegKind.CUSTOMER,
            LegKind.RESELLER,
            LegKind.VENDOR,
        ]
        assert list(Leg.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
        part = rerating.slices.get()
        assert (part.added_leg_count, part.changed_leg_count, part.removed_leg_count) == (1, 0, 0)
        assert not ReplacedLeg.objects.exists()
        assert owed(LegKind.RESELLER) == Decimal("0.06")
        # The vendor's leg only moved: nothing is charged for that.
        assert UsageCharge.objects.filter(rerating=rerating).count() == 1

    def test_takes_away_the_leg_of_a_reseller_no_more_in_billing_mode(self, world: World) -> None:
        mode = make_billing_mode(world.sub, world.sub_table)
        file = import_lines(world.source, [Call(account="carla")])
        mode.delete()

        rerating = rerate(world.provider)

        assert [leg.kind for leg in legs_of(file)] == [LegKind.CUSTOMER, LegKind.VENDOR]
        assert ReplacedLeg.objects.get().kind == LegKind.RESELLER
        assert rerating.slices.get().removed_leg_count == 1
        assert owed(LegKind.RESELLER) == 0

    def test_moves_a_call_to_the_customer_its_account_now_names(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        heir = make_customer(world.provider, world.root)
        world.carla.identifiers.update(customer=heir)

        rerating = rerate(world.provider)

        assert Xdr.objects.get().customer == heir
        assert Leg.objects.get(kind=LegKind.CUSTOMER).payer_id == heir.pk
        assert {row.payer_id: row.delta_amount for row in rerating.deltas.all()} == {
            world.carla.pk: Decimal("-0.10"),
            heir.pk: Decimal("0.10"),
        }
        charges = UsageCharge.objects.filter(kind=LegKind.CUSTOMER)
        by_tag = charges.values_list("customer_reseller_id").annotate(Sum("amount"))
        assert dict(by_tag) == {world.sub.pk: 0, world.root.pk: Decimal("0.10")}

    def test_is_recorded_with_who_and_why(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        price(world.default_table(), "0.07")

        rerating = rerate(world.provider, reason="The price list was wrong.")

        asked, agreed, applied = Entry.objects.filter(action__startswith="rerating.").order_by("pk")
        assert (asked.action, agreed.action, applied.action) == (
            "rerating.asked",
            "rerating.agreed",
            "rerating.applied",
        )
        assert asked.after is not None
        assert asked.after["reason"] == "The price list was wrong."
        assert applied.object_id == str(rerating.pk)


class TestSuspense:
    def test_is_released_where_its_cause_is_mended(self, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="nobody")])
        newcomer = make_customer(world.provider, world.sub)
        make_identifier(newcomer, "new")

        rerating = rerate(world.provider)

        assert Xdr.objects.get(account_code="new").result == Xdr.Result.RATED
        assert Leg.objects.get(kind=LegKind.CUSTOMER).payer_id == newcomer.pk
        assert rerating.slices.get().released_leg_count == 2
        resolved, waiting = Suspense.objects.order_by("state").reverse()
        assert (resolved.state, resolved.resolved_at) == ("RESOLVED", RERATED_AT)
        assert waiting.state == "OPEN"

    def test_takes_a_leg_that_has_no_rate_any_more(self, world: World) -> None:
        call = Call(account="carla")
        import_lines(world.source, [call])
        Rate.objects.filter(rate_table=world.vendor.rate_table).update(prefix="1")

        rerating = rerate(world.provider)

        assert [leg.kind for leg in Leg.objects.all()] == [LegKind.CUSTOMER]
        row = Suspense.objects.get()
        assert (row.reason, row.leg_kind, row.raw) == ("unrated_vendor", LegKind.VENDOR, call.line)
        assert (row.payer_id, row.line_number, row.created_at) == (world.root.pk, 1, RERATED_AT)
        assert rerating.slices.get().suspended_leg_count == 1
        assert owed(LegKind.VENDOR) == 0

    def test_takes_a_whole_call_that_nobody_makes_any_more(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        world.carla.identifiers.all().delete()

        rerate(world.provider)

        xdr = Xdr.objects.get()
        assert (xdr.customer, xdr.result) == (None, Xdr.Result.SUSPENDED)
        assert not Leg.objects.exists()
        assert ReplacedLeg.objects.count() == 2
        assert Suspense.objects.get().reason == "unknown_customer"
        assert [owed(kind) for kind in LegKind] == [0, 0, 0]

    def test_gives_the_leg_back_its_place(self, world: World) -> None:
        empty = make_rate_table(world.product)
        make_billing_mode(world.sub, empty)
        file = import_lines(world.source, [Call(account="carla")])
        make_rate(empty, "", rate=Decimal("0.03"))

        rerate(world.provider)

        assert [leg.kind for leg in legs_of(file)] == [1, 2, 3]
        assert not Suspense.objects.filter(state="OPEN").exists()

    def test_says_anew_why_it_waits(self, world: World) -> None:
        source = make_source(world.product)
        import_lines(source, [Call(account="new")])
        make_identifier(make_customer(world.provider, world.sub), "new")

        rerate(world.provider)

        row = Suspense.objects.get()
        assert (row.state, row.reason) == ("OPEN", "unknown_vendor")
