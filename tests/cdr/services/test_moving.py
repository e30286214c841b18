"""A start of a stored xDR is corrected where it is stored, and the xDR moved there."""

from datetime import timedelta

import pytest

from cdr.models import Leg, Mending, Source, Suspense, Xdr, XdrCorrection
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.rules.rerating import Selection
from cdr.services.mending import ChangeRefused
from cdr.services.mending_previews import preview_change
from cdr.services.rating_again import Counting, rate_again
from common.scope import Scope
from tests.cdr.switches import BY_BOTH, call_of, charged, comes_again, world_of
from tests.cdr.worlds import World
from tests.factories import make_identifier
from tests.factories.cdr import CALL_AT, import_lines
from tests.factories.mending import MENDED_AT, counts, mend
from tests.refusals import refused

CORRECT = Mending.Kind.CORRECT


@pytest.fixture
def switch() -> Source.Format:
    return Source.Format.ASTERISK_CSV


@pytest.fixture
def world(db: None, switch: Source.Format) -> World:
    return world_of(switch)


class TestTheStartOfAStoredXdr:
    CHANGE = Change(ChangeKind.SET, "started_at", "", "2026-09-05 11:00:00")
    STARTED_AT = CALL_AT - timedelta(days=30)

    @BY_BOTH
    def test_moves_what_waits_with_it(self, world: World) -> None:
        wrong = call_of(world, account="new")
        import_lines(world.source, [wrong])

        mending = mend(world.provider, CORRECT, change=self.CHANGE)

        assert counts(mending) == (0, {"unknown_customer": 1}, 0)
        xdr = Xdr.objects.get()
        assert xdr.started_at == self.STARTED_AT
        assert Suspense.objects.get().started_at == self.STARTED_AT
        correction = XdrCorrection.objects.get()
        assert (correction.started_at, correction.received_started_at) == (
            self.STARTED_AT,
            CALL_AT,
        )
        assert correction.told == ("Start “2026-09-05 09:00:00 UTC, not 2026-10-05 09:00:00 UTC”")
        for line in (wrong, wrong.again(started_at=self.STARTED_AT)):
            assert comes_again(world, line) == 1

        make_identifier(world.carla, "new")
        assert counts(mend(world.provider, reason="unknown_customer")) == (1, {}, 0)
        assert set(Leg.objects.values_list("started_at", flat=True)) == {self.STARTED_AT}
        assert (Xdr.objects.count(), charged()) == (1, 1)
        day = timedelta(days=1)
        selection = Selection(self.STARTED_AT - day, self.STARTED_AT + day)
        scope = Scope.system(world.provider.pk)
        counting = Counting.before(scope, selection)
        (again,) = rate_again(scope, selection, counting, holds=False).batches
        assert not again.has_changes

    def test_can_be_corrected_once_more_and_back(self, world: World) -> None:
        wrong = call_of(world, account="new")
        import_lines(world.source, [wrong])
        mend(world.provider, CORRECT, change=self.CHANGE)

        second = Change(ChangeKind.SET, "started_at", "", "2026-09-06T09:00:00+00:00")
        mend(world.provider, CORRECT, change=second)
        assert Xdr.objects.get().started_at == self.STARTED_AT + timedelta(days=1)
        assert comes_again(world, wrong.again(started_at=self.STARTED_AT)) == 0
        mend(
            world.provider,
            Mending.Kind.DISCARD,
            note="No.",
            suspense_ids=(Suspense.objects.latest("pk").pk,),
        )
        back = Change(ChangeKind.SET, "started_at", "", "2026-10-05 11:00:00")
        mend(world.provider, CORRECT, change=back)

        xdr = Xdr.objects.get(result=Xdr.Result.SUSPENDED)
        assert xdr.started_at == CALL_AT
        assert XdrCorrection.objects.get(is_current=True).received_started_at is None
        assert comes_again(world, wrong) == 1

    def test_is_left_where_another_is_stored_there(self, world: World) -> None:
        wrong = call_of(world, account="new")
        import_lines(world.source, [wrong.again(started_at=self.STARTED_AT)])
        import_lines(world.source, [wrong])
        ids = tuple(Suspense.objects.filter(started_at=CALL_AT).values_list("pk", flat=True))

        mending = mend(world.provider, CORRECT, change=self.CHANGE, suspense_ids=ids)

        assert counts(mending) == (0, {}, 1)
        assert Xdr.objects.filter(started_at=CALL_AT).exists()

    @pytest.mark.parametrize("start", ["2150-01-01 00:00:00", "1960-01-01 00:00:00"])
    def test_is_left_where_no_xdr_can_be(self, world: World, start: str) -> None:
        import_lines(world.source, [call_of(world, account="new")])

        change = Change(ChangeKind.SET, "started_at", "", start)
        mending = mend(world.provider, CORRECT, change=change)

        assert counts(mending) == (0, {}, 1)
        assert Xdr.objects.get().started_at == CALL_AT

    @pytest.mark.parametrize(
        "change",
        [
            Change(ChangeKind.SET, "started_at", "", "yesterday"),
            Change(ChangeKind.SET, "started_at", "", ""),
            Change(ChangeKind.SET, "started_at", "", "0001-01-01 00:00:00+14:00"),
            Change(ChangeKind.PREFIX, "started_at", "2026", "2025"),
        ],
    )
    def test_is_refused_where_it_is_none(self, world: World, change: Change) -> None:
        import_lines(world.source, [call_of(world, account="new")])

        with refused(ChangeRefused):
            mend(world.provider, CORRECT, change=change)

    def test_is_previewed_as_it_would_be(self, world: World) -> None:
        import_lines(world.source, [call_of(world, account="new")])
        scope = Scope.system(world.provider.pk)

        (row,) = preview_change(scope, Choice(), self.CHANGE, MENDED_AT).rows

        assert (row.before, row.after) == (
            "2026-10-05 09:00:00 UTC",
            "2026-09-05 09:00:00 UTC",
        )
        assert [each.reason for each in row.waits] == ["unknown_customer"]
