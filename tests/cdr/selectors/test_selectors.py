"""What pages and commands read of usage, and only of their own provider."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from cdr.models import Leg, LegKind, Suspense, SuspenseReason, Xdr, XdrFile
from cdr.rating import Reason
from cdr.selectors.explaining import explain_leg
from cdr.selectors.files import FileProgress, file_progress, files
from cdr.selectors.suspense import open_suspense
from cdr.selectors.suspense_groups import SuspenseCount, suspense_counts
from cdr.selectors.xdrs import legs_of_xdr, xdrs
from cdr.services.chunks import rate_chunk
from cdr.services.splitting import split_file
from common.scope import Scope, Surface
from tests.cdr.worlds import World, make_world
from tests.factories import make_rate, make_source
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines, receive

DAY = timedelta(days=1)
TODAY = date(2026, 10, 6)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def staff(world: World) -> Scope:
    return Scope(provider_id=world.provider.pk, surface=Surface.CONSOLE)


class TestFiles:
    def test_sum_the_chunks_that_are_done(self, world: World, settings: object) -> None:
        settings.XDR_CHUNK_LINES = 3  # type: ignore[attr-defined]
        call = Call(account="carla")
        lines: list[Call | str] = [
            call,
            call,
            Call(account="x"),
            Call(account="carla", seconds=0),
            "",
            "junk",
        ]
        file = receive(world.source, lines)
        split_file(file_id=file.pk, at=IMPORT_AT)
        first, second = file.chunks.order_by("number")

        rate_chunk(chunk_id=first.pk, at=IMPORT_AT)
        assert file_progress(staff(world), file.pk) == FileProgress(
            state="RATING",
            error="",
            chunk_count=2,
            done_chunk_count=1,
            failed_chunk_count=0,
            line_count=6,
            done_line_count=3,
            failed_line_count=0,
            failed_error="",
            rated=1,
            zero=0,
            duplicate=1,
            suspended=1,
            partly_suspended=0,
            blank=0,
        )

        rate_chunk(chunk_id=second.pk, at=IMPORT_AT)
        done = file_progress(staff(world), file.pk)
        assert (done.state, done.done_line_count) == ("DONE", 6)
        assert (done.rated, done.zero, done.duplicate, done.suspended, done.blank) == (
            1,
            1,
            1,
            2,
            1,
        )

    def test_are_those_of_the_provider(self, world: World) -> None:
        mine = receive(world.source, [Call()])
        other = make_world()
        receive(other.source, [Call()])

        assert list(files(staff(world))) == [mine]
        with pytest.raises(XdrFile.DoesNotExist):
            file_progress(staff(other), mine.pk)


class TestXdrs:
    def test_are_of_a_time_the_latest_first(self, world: World) -> None:
        starts = [CALL_AT, CALL_AT + DAY / 24, CALL_AT + DAY / 12]
        import_lines(world.source, [Call(account="carla", started_at=at) for at in starts])

        found = xdrs(staff(world), started_from=starts[0], started_to=starts[2])

        assert [xdr.started_at for xdr in found] == [starts[1], starts[0]]

    def test_of_a_customer_are_its_own(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla"), Call(account="x")])
        scope = Scope(
            provider_id=world.provider.pk,
            surface=Surface.ACCOUNT_CENTRE,
            customer_id=world.carla.pk,
        )

        found = xdrs(scope, started_from=CALL_AT, started_to=CALL_AT + DAY)

        assert [xdr.customer for xdr in found] == [world.carla]

    def test_have_legs_that_no_portal_sees(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        xdr = Xdr.objects.get()
        scope = Scope(
            provider_id=world.provider.pk,
            surface=Surface.RESELLER_PORTAL,
            reseller_id=world.sub.pk,
        )

        assert [leg.kind for leg in legs_of_xdr(staff(world), xdr)] == [1, 3]
        assert list(legs_of_xdr(scope, xdr)) == []
        assert list(legs_of_xdr(staff(make_world()), xdr)) == []


class TestExplainedLeg:
    def test_tells_the_winner_and_the_losers(self, world: World) -> None:
        longer = make_rate(world.default_table(), "4930", rate=Decimal("0.07"))
        make_rate(world.default_table(), "44")
        import_lines(world.source, [Call(account="carla", to="030 12345678", seconds=90)])
        leg = Leg.objects.get(kind=LegKind.CUSTOMER)

        explained = explain_leg(staff(world), Xdr.objects.get(), leg)

        assert explained.usage.number == "493012345678"
        assert explained.winner is not None
        assert explained.winner.id == longer.pk == leg.rate_id
        assert [candidate.rate.prefix for candidate in explained.candidates] == ["4930", ""]
        assert explained.reason == Reason.RATED
        assert explained.arithmetic is not None
        assert explained.arithmetic.cost == leg.amount == Decimal("0.105")


class TestSuspense:
    def test_is_counted_and_valued_by_reason(self, world: World) -> None:
        world.vendor.rate_table.rates.all().delete()
        import_lines(
            world.source,
            [Call(account="carla"), Call(account="carla", seconds=60), Call(account="x"), "junk"],
        )
        import_lines(make_source(world.product), [Call(account="carla")])

        assert suspense_counts(staff(world), TODAY) == [
            SuspenseCount(SuspenseReason.UNKNOWN_CUSTOMER, "", 1, Decimal(0)),
            SuspenseCount(SuspenseReason.UNKNOWN_VENDOR, "EUR", 1, Decimal("0.1")),
            SuspenseCount(SuspenseReason.UNPARSABLE, "", 1, Decimal(0)),
            SuspenseCount(SuspenseReason.UNRATED_VENDOR, "EUR", 2, Decimal("0.15")),
        ]

    def test_is_open_and_of_the_provider(self, world: World) -> None:
        import_lines(world.source, ["junk", "more junk"])
        Suspense.objects.filter(line_number=1).update(state=Suspense.State.RESOLVED)

        assert [row.raw for row in open_suspense(staff(world))] == ["more junk"]
        assert list(open_suspense(staff(make_world()))) == []
        assert suspense_counts(staff(make_world()), TODAY) == []
