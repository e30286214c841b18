"""Suspense that is accepted, discarded, taken back, and previewed before it is corrected."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cdr.models import Leg, Mending, Suspense, Xdr, XdrCorrection
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.rules.rerating import Selection
from cdr.services.mending import (
    NotAcceptable,
    NotTakenBack,
    ReasonMissing,
    take_back,
)
from cdr.services.mending_previews import LineStillUnreadable, preview_change
from cdr.services.rating_again import Counting, rate_again
from common.scope import Scope
from tests.cdr.worlds import World, make_world
from tests.factories import make_billing_mode, make_identifier, make_rate_table
from tests.factories.catalogue import make_allowance
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines
from tests.factories.mending import MENDED_AT, SET_CARLA, counts, mend, states, worked_on
from tests.factories.tiers import amounts, make_metered, usage
from tests.refusals import refused

Kind = Mending.Kind
OPEN, RESOLVED, DISCARDED = Suspense.State.OPEN, Suspense.State.RESOLVED, Suspense.State.DISCARDED


@pytest.fixture
def world(db: None) -> World:
    return make_world()


class TestAccepting:
    def test_takes_what_came_too_late(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")], at=IMPORT_AT + timedelta(days=500))

        mending = mend(
            world.provider,
            Kind.ACCEPT,
            note="The switch was cut off.",
            at=IMPORT_AT + timedelta(days=500),
            reason="too_old",
        )

        assert counts(mending) == (1, {}, 0)
        assert Xdr.objects.get().result == Xdr.Result.RATED

    def test_is_refused_without_a_reason_and_of_anything_else(self, world: World) -> None:
        import_lines(world.source, [Call(account="new")])

        with refused(ReasonMissing):
            mend(world.provider, Kind.ACCEPT, note=" ", reason="too_old")
        with refused(NotAcceptable):
            mend(world.provider, Kind.ACCEPT, note="Why not.", reason="unknown_customer")


class TestDiscarding:
    def test_ends_the_waiting_and_charges_nobody_ever(self, world: World) -> None:
        import_lines(world.source, [Call(account="test"), "junk", Call(account="new")])

        mending = mend(world.provider, Kind.DISCARD, note="A test of the switch.", subject="test")

        assert counts(mending) == (1, {}, 0)
        assert states() == [DISCARDED, OPEN, OPEN]
        assert Xdr.objects.get(account_code="test").result == Xdr.Result.DISCARDED
        make_identifier(world.carla, "test")
        day = timedelta(days=1)
        selection = Selection(started_from=CALL_AT - day, started_to=CALL_AT + day)
        scope = Scope.system(world.provider.pk)
        counting = Counting.before(scope, selection)
        again = rate_again(scope, selection, counting, holds=False).batches
        assert not any(each.has_changes for each in again)

    def test_takes_all_that_waits_of_an_xdr_together(self, world: World) -> None:
        for table in (world.default_table(), world.vendor.rate_table):
            table.rates.all().delete()
        import_lines(world.source, [Call(account="carla")])

        mend(world.provider, Kind.DISCARD, note="Ours.", reason="unrated_vendor")

        assert states() == [DISCARDED, DISCARDED]

    def test_leaves_an_xdr_of_which_a_leg_stands(self, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product))
        import_lines(world.source, [Call(account="carla")])

        mending = mend(world.provider, Kind.DISCARD, note="No.")

        assert counts(mending) == (0, {}, 1)
        assert states() == [OPEN]
        assert Xdr.objects.get().result == Xdr.Result.RATED

    def test_is_refused_without_a_reason(self, world: World) -> None:
        import_lines(world.source, ["junk"])

        with refused(ReasonMissing):
            mend(world.provider, Kind.DISCARD)

    def test_can_be_taken_back(self, world: World) -> None:
        import_lines(world.source, [Call(account="test"), "junk"])
        discarded = mend(world.provider, Kind.DISCARD, note="By mistake.")
        assert states() == [DISCARDED, DISCARDED]

        back = worked_on(take_back(mending_id=discarded.pk, at=MENDED_AT, actor_id=None))

        assert counts(back) == (2, {}, 0)
        assert states() == [OPEN, OPEN]
        assert Xdr.objects.get().result == Xdr.Result.SUSPENDED
        with refused(NotTakenBack):
            take_back(mending_id=discarded.pk, at=MENDED_AT, actor_id=None)


class TestThePreview:
    def test_tells_what_rows_would_become_and_writes_nothing(self, world: World) -> None:
        import_lines(world.source, [Call(account="K-17"), "junk"])
        scope = Scope.system(world.provider.pk)

        preview = preview_change(scope, Choice(reason="unknown_customer"), SET_CARLA, MENDED_AT)

        assert (len(preview.rows), preview.freed_count, preview.left_count) == (1, 1, 0)
        (row,) = preview.rows
        assert (row.before, row.after, row.customer) == ("K-17", "carla", world.carla)
        assert [(amount, currency) for _, amount, currency in row.charges] == [
            (Decimal("0.1"), "EUR"),
            (Decimal("0.04"), "EUR"),
        ]
        assert states() == [OPEN, OPEN]
        assert not Leg.objects.exists()
        assert not XdrCorrection.objects.exists()

    def test_tells_why_rows_would_wait_on(self, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])
        scope = Scope.system(world.provider.pk)
        change = Change(ChangeKind.SET, "account_code", "", "K-71")

        (row,) = preview_change(scope, Choice(), change, MENDED_AT).rows

        assert [trouble.reason for trouble in row.waits] == ["unknown_customer"]
        assert '"K-71"' in row.waits[0].detail

    def test_comes_to_what_then_is_charged(self, world: World) -> None:
        bad = Call(account="carla").line.replace("2026-10-05", "2026-13-05")
        import_lines(world.source, [bad])
        change = Change(ChangeKind.TEXT, "", "2026-13", "2026-10")
        scope = Scope.system(world.provider.pk)

        (row,) = preview_change(scope, Choice(), change, MENDED_AT).rows
        mend(world.provider, Kind.CORRECT, change=change)

        assert sorted(amount for _, amount, _ in row.charges) == sorted(
            Leg.objects.values_list("amount", flat=True)
        )

    def test_takes_what_allowances_cover_off_usage_at_tiers(self, db: None) -> None:
        metered = make_metered()
        make_allowance(metered.item, metered.product, volume=50_000)
        import_lines(metered.source, [usage(70_000, account="K-17")])
        scope = Scope.system(metered.provider.pk)

        (row,) = preview_change(scope, Choice(), SET_CARLA, MENDED_AT).rows
        mend(metered.provider, Kind.CORRECT, change=SET_CARLA)

        assert [amount for _, amount, _ in row.charges] == [Decimal(2)]
        assert [amount for *_, amount in amounts()] == [Decimal(2)]

    def test_refuses_a_line_that_cannot_be_read_either(self, world: World) -> None:
        import_lines(world.source, ["junk"])
        change = Change(ChangeKind.LINE, new_text="more,junk")

        with refused(LineStillUnreadable):
            preview_change(Scope.system(world.provider.pk), Choice(), change, MENDED_AT)

    def test_is_of_the_provider(self, world: World) -> None:
        import_lines(make_world().source, [Call(account="K-17")])

        preview = preview_change(Scope.system(world.provider.pk), Choice(), SET_CARLA, MENDED_AT)

        assert preview.rows == []
