"""The same line, or the same event, is charged once, whatever was corrected and came first."""

from datetime import timedelta

import pytest

from cdr.models import Mending, Source, Suspense, Xdr, XdrCorrection, XdrIdentity
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.services.mending_previews import StoredXdr, preview_change
from common.scope import Scope
from tests.cdr.switches import BY_BOTH, LATER, call_of, charged, comes_again, world_of
from tests.cdr.worlds import World
from tests.factories.cdr import CALL_AT, IMPORT_AT, import_lines
from tests.factories.mending import MENDED_AT, counts, mend, states

OPEN, RESOLVED = Suspense.State.OPEN, Suspense.State.RESOLVED
KIRITIMATI = Change(ChangeKind.ZONE, new_text="Pacific/Kiritimati")
"""Fourteen hours ahead of UTC, where Berlin is two in summer."""
AHEAD = IMPORT_AT + timedelta(hours=30)
"""Too far in the future when it comes first; it is not, two days later."""
CORRECT = Mending.Kind.CORRECT


@pytest.fixture
def switch() -> Source.Format:
    return Source.Format.ASTERISK_CSV


@pytest.fixture
def world(db: None, switch: Source.Format) -> World:
    return world_of(switch)


@BY_BOTH
class TestALineCorrectedByItsZone:
    def test_is_a_duplicate_when_it_comes_again(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        import_lines(world.source, [early])
        mend(world.provider, CORRECT, change=KIRITIMATI, reason="in_future")
        assert Xdr.objects.get().started_at == AHEAD - timedelta(hours=12)

        assert comes_again(world, early) == 1

        assert (Xdr.objects.count(), charged()) == (1, 1)

    def test_is_a_duplicate_when_it_comes_well(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        import_lines(world.source, [early])
        mend(world.provider, CORRECT, change=KIRITIMATI, reason="in_future")

        well = early.again(started_at=AHEAD - timedelta(hours=12))
        assert comes_again(world, well) == 1

        assert (Xdr.objects.count(), charged()) == (1, 1)

    def test_is_one_when_it_came_well_before(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        import_lines(world.source, [early.again(started_at=AHEAD - timedelta(hours=12))])
        import_lines(world.source, [early])

        mending = mend(world.provider, CORRECT, change=KIRITIMATI, reason="in_future")

        assert counts(mending) == (1, {}, 0)
        assert comes_again(world, early) == 1
        assert (Xdr.objects.count(), charged()) == (1, 1)

    def test_is_one_when_it_was_stored_as_received_meanwhile(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        import_lines(world.source, [early])
        import_lines(world.source, [early, "# another file"], at=LATER)
        assert charged() == 1

        mend(world.provider, CORRECT, change=KIRITIMATI, reason="in_future")

        assert (Xdr.objects.count(), charged()) == (1, 1)
        assert not XdrIdentity.objects.exists()

    def test_is_one_when_it_waits_twice(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        for _ in range(2):
            import_lines(world.source, [early, f"junk {_}"])

        mend(world.provider, CORRECT, change=KIRITIMATI, reason="in_future")
        assert comes_again(world, early) == 1

        assert (Xdr.objects.count(), charged()) == (1, 1)
        assert XdrIdentity.objects.count() == 1


class TestALineCorrectedByItsText:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("2026-10-07 08:00:00", "2026-10-05 08:00:00"),
            ('"9993', '"493'),
            ('"4915112345678"', '"4915187654321"'),
            ("125", "65"),
        ],
        ids=["start", "number called", "caller", "duration"],
    )
    @BY_BOTH
    def test_is_known_by_both(self, world: World, old: str, new: str) -> None:
        call = call_of(world, account="carla", started_at=AHEAD, to="9993012345678")
        received = call.line
        assert old in received
        import_lines(world.source, [received])
        change = Change(ChangeKind.TEXT, "", old, new)
        mend(world.provider, CORRECT, change=change, reason="in_future")
        if states() == [OPEN]:
            mend(world.provider, Mending.Kind.ACCEPT, note="True.", reason="in_future")
        assert Xdr.objects.count() == 1

        assert comes_again(world, received) == 1
        assert comes_again(world, received.replace(old, new)) == 1

        assert Xdr.objects.count() == 1

    def test_is_known_where_it_is_sent_again_mended(self, world: World) -> None:
        bad = call_of(world, account="carla").line.replace("125", "two minutes")
        good = bad.replace("two minutes", "125")
        import_lines(world.source, [bad])
        import_lines(world.source, [good])

        change = Change(ChangeKind.TEXT, "", "two minutes", "125")
        mend(world.provider, CORRECT, change=change, reason="unparsable")

        assert states() == [RESOLVED]
        assert (Xdr.objects.count(), charged()) == (1, 1)


@pytest.mark.parametrize("switch", [Source.Format.FREESWITCH_CSV])
class TestTheZoneOfALine:
    def test_stays_corrected_when_it_is_tried_again(self, world: World) -> None:
        early = call_of(world, account="nobody", started_at=AHEAD + timedelta(hours=12))
        import_lines(world.source, [early])
        change = Change(ChangeKind.ZONE, new_text="Asia/Tokyo")
        assert counts(mend(world.provider, CORRECT, change=change)) == (0, {"in_future": 1}, 0)
        assert Suspense.objects.get().zone == "Asia/Tokyo"

        text = Change(ChangeKind.TEXT, "", "nobody", "carla")
        mend(world.provider, CORRECT, change=text)
        assert Suspense.objects.get().zone == "Asia/Tokyo"
        mend(world.provider, at=LATER)

        assert Xdr.objects.get().started_at == early.started_at - timedelta(hours=7)

    def test_is_its_sources_again_once_that_is_taken_back(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        import_lines(world.source, [early])
        mend(world.provider, CORRECT, change=Change(ChangeKind.ZONE, new_text="Asia/Tbilisi"))

        mend(world.provider, CORRECT, change=Change(ChangeKind.ZONE))
        assert Suspense.objects.get().zone == ""
        mend(world.provider, at=LATER)

        assert Xdr.objects.get().started_at == AHEAD

    def test_is_of_each_line_by_itself(self, world: World) -> None:
        first, second = (call_of(world, account="carla", started_at=AHEAD) for _ in range(2))
        import_lines(world.source, [first, second])
        row = Suspense.objects.order_by("line_number")[0]
        tokyo = Change(ChangeKind.ZONE, new_text="Asia/Tbilisi")
        mend(world.provider, CORRECT, change=tokyo, suspense_ids=(row.pk,))

        mend(world.provider, at=LATER)

        starts = dict(Xdr.objects.values_list("call_id", "started_at"))
        assert starts == {first.uuid: AHEAD - timedelta(hours=2), second.uuid: AHEAD}


class TestANumberOfAStoredXdr:
    CHANGE = Change(ChangeKind.PREFIX, "destination_number", "999", "")

    @pytest.fixture(autouse=True)
    def _rates_of_germany(self, world: World) -> None:
        world.default_table().rates.update(prefix="49")
        world.vendor.rate_table.rates.update(prefix="49")

    def test_is_known_as_received_and_as_corrected(self, world: World) -> None:
        wrong = call_of(world, account="carla", to="999493012345678")
        import_lines(world.source, [wrong])
        assert counts(mend(world.provider, CORRECT, change=self.CHANGE)) == (2, {}, 0)

        assert comes_again(world, wrong) == 1
        assert comes_again(world, wrong.again(to="493012345678")) == 1

        assert (Xdr.objects.count(), charged()) == (1, 1)

    def test_is_not_made_that_of_an_xdr_that_is_stored(self, world: World) -> None:
        wrong = call_of(world, account="carla", to="999493012345678")
        import_lines(world.source, [wrong.again(to="493012345678")])
        import_lines(world.source, [wrong])
        stored = Xdr.objects.get(result=Xdr.Result.RATED)
        scope = Scope.system(world.provider.pk)

        rows = preview_change(scope, Choice(), self.CHANGE, MENDED_AT).rows
        assert [row.is_left for row in rows] == [True, True]
        assert rows[0].duplicate_of == StoredXdr(CALL_AT, stored.id, IMPORT_AT)
        mending = mend(world.provider, CORRECT, change=self.CHANGE)

        assert counts(mending) == (0, {}, 2)
        assert charged() == 1
        details = set(Suspense.objects.values_list("detail", flat=True))
        assert details == {f"it would be xDR {stored.id} as corrected, which is stored already"}
        assert not XdrCorrection.objects.exists()

    def test_is_not_made_that_of_another_beside_it(self, world: World) -> None:
        wrong = call_of(world, account="carla", to="999493012345678")
        import_lines(world.source, [wrong, wrong.again(to="998493012345678")])

        change = Change(ChangeKind.SET, "destination_number", "", "493012345678")
        mending = mend(world.provider, CORRECT, change=change)

        assert counts(mending) == (2, {}, 2)
        assert charged() == 1

    def test_is_known_by_its_last_correction_only(self, world: World) -> None:
        wrong = call_of(world, account="carla", to="999493012345678")
        import_lines(world.source, [wrong])
        astray = Change(ChangeKind.SET, "destination_number", "", "443012345678")
        mend(world.provider, CORRECT, change=astray)
        mend(
            world.provider,
            CORRECT,
            change=Change(ChangeKind.SET, "destination_number", "", "493012345678"),
        )

        assert comes_again(world, wrong.again(to="443012345678")) == 0
        assert comes_again(world, wrong.again(to="493012345678")) == 1

        assert charged() == 1

    @pytest.mark.parametrize("switch", [Source.Format.FREESWITCH_CSV])
    def test_of_a_call_id_makes_no_difference(self, world: World) -> None:
        wrong = call_of(world, account="carla", to="999493012345678")
        import_lines(world.source, [wrong])
        mend(world.provider, CORRECT, change=self.CHANGE)

        assert not XdrIdentity.objects.exists()
        assert comes_again(world, wrong.again(to="493012345678")) == 1


class TestThePreviewOfALine:
    def test_names_the_xdr_that_it_would_be(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        import_lines(world.source, [early.again(started_at=AHEAD - timedelta(hours=12))])
        import_lines(world.source, [early, "junk"])
        stored = Xdr.objects.get()
        scope = Scope.system(world.provider.pk)

        preview = preview_change(scope, Choice(reason="in_future"), KIRITIMATI, MENDED_AT)

        (row,) = preview.rows
        assert row.duplicate_of == StoredXdr(stored.started_at, stored.id, IMPORT_AT)
        assert (row.before, row.after) == ("Europe/Berlin", "Pacific/Kiritimati")
        assert (row.is_freed, row.charges) == (True, ())
