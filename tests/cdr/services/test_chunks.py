"""Rating chunks: what is counted, stored, suspended and refused a second time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.expressions import RawSQL

from cdr.models import (
    Leg,
    LegKind,
    Suspense,
    UsageCharge,
    Xdr,
    XdrChunk,
    XdrFile,
)
from cdr.services.chunks import rate_chunk
from cdr.services.intake import receive_file
from cdr.services.splitting import PATIENCE, requeue_lost, split_file
from tests.cdr.worlds import World, counts_of, make_world, suspense_of
from tests.factories import (
    make_rate,
    make_rate_table,
    make_source,
    make_trunk,
    make_vendor,
)
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, file_of, import_lines, receive


@pytest.fixture
def world(db: None) -> World:
    return make_world()


class TestXdr:
    def test_is_stored_as_received_and_as_understood(self, world: World) -> None:
        trunk_vendor = make_vendor(make_rate_table(world.product, {"": "0.01"}))
        make_trunk(world.source, trunk_vendor, "99#")
        call = Call(account="carla", to="99#0044 20 7946 0000", seconds=61, uuid="abc")

        file = import_lines(world.source, [call])

        xdr = Xdr.objects.get()
        assert xdr.chunk == file.chunks.get()
        assert xdr.id == xdr.chunk_id << 18
        assert (xdr.started_at, xdr.line_number, xdr.call_id) == (CALL_AT, 1, "abc")
        assert (xdr.account_code, xdr.caller_number) == ("carla", "4915112345678")
        assert xdr.destination_number == "99#0044 20 7946 0000"
        assert xdr.normalised_number == "442079460000"
        assert (xdr.duration_seconds, xdr.volume) == (66, 61)
        assert xdr.hangup_cause == "NORMAL_CLEARING"
        assert (xdr.customer, xdr.vendor) == (world.carla, trunk_vendor)
        assert xdr.terminating_customer is None
        assert xdr.result == Xdr.Result.RATED

    def test_goes_to_the_partition_of_its_utc_month(self, world: World) -> None:
        new_year_in_berlin = datetime(2026, 9, 30, 22, 30, tzinfo=UTC)

        import_lines(world.source, [Call(account="carla", started_at=new_year_in_berlin)])

        partitions = Xdr.objects.annotate(partition=RawSQL("tableoid::regclass::text", []))
        assert partitions.values_list("partition", flat=True).get() == "cdr_xdr_2026_09"
        assert str(UsageCharge.objects.first().day) == "2026-10-01"  # type: ignore[union-attr]

    def test_keeps_texts_that_csv_would_trip_over(self, world: World) -> None:
        raw = Call(account="carla").line.replace("default", "x").replace("Anna", "A, B")
        odd = raw.replace("NORMAL_CLEARING", "\\N").replace("carla", "\\.")

        import_lines(world.source, [odd])

        xdr = Xdr.objects.get()
        assert (xdr.hangup_cause, xdr.account_code) == ("\\N", "\\.")
        assert Suspense.objects.get().raw == odd


class TestZeroVolume:
    def test_is_stored_unbilled(self, world: World) -> None:
        file = import_lines(
            world.source, [Call(account="carla", seconds=0), Call(account="nobody", seconds=0)]
        )

        assert counts_of(file) == {"zero": 2}
        assert {xdr.result for xdr in Xdr.objects.all()} == {Xdr.Result.ZERO}
        assert not Leg.objects.exists()
        assert not Suspense.objects.exists()
        assert not UsageCharge.objects.exists()

    def test_costs_the_attempt_fee_where_there_is_one(self, world: World) -> None:
        make_rate(world.default_table(), "4930", attempt_fee=Decimal("0.002"))

        file = import_lines(world.source, [Call(account="carla", seconds=0)])

        assert counts_of(file) == {"zero": 1}
        leg = Leg.objects.get()
        assert (leg.kind, leg.amount, leg.billed_volume) == (1, Decimal("0.002"), 0)
        charge = UsageCharge.objects.get()
        assert (charge.call_count, charge.volume, charge.amount) == (1, 0, Decimal("0.002"))


class TestDuplicate:
    def test_in_one_file_is_kept_once(self, world: World) -> None:
        call = Call(account="carla")

        file = import_lines(world.source, [call, Call(account="carla"), call])

        assert counts_of(file) == {"rated": 2, "duplicate": 1}
        assert [xdr.line_number for xdr in Xdr.objects.order_by("id")] == [1, 2]

    def test_across_chunks_and_files_is_kept_once(self, world: World, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 2
        calls = [Call(account="carla") for _ in range(3)]

        first = import_lines(world.source, [*calls, calls[0]])
        second = import_lines(world.source, [calls[1], Call(account="carla")])

        assert counts_of(first) == {"rated": 3, "duplicate": 1}
        assert counts_of(second) == {"rated": 1, "duplicate": 1}
        assert Leg.objects.filter(kind=LegKind.CUSTOMER).count() == 4

    def test_of_another_source_is_another_xdr(self, world: World) -> None:
        call = Call(account="carla")
        other = make_source(world.product, default_vendor=world.vendor, name="Other")

        import_lines(world.source, [call])
        file = import_lines(other, [call, call.again(seconds=5)])

        assert counts_of(file) == {"rated": 1, "duplicate": 1}


class TestBadLine:
    def test_is_kept_verbatim_and_stops_nothing(self, world: World) -> None:
        broken = '"half a line'
        late = Call(account="carla", started_at=CALL_AT - timedelta(days=401))
        early = Call(account="carla", started_at=IMPORT_AT + timedelta(days=2))
        wide = Call(account="c" * 65)

        file = import_lines(world.source, [broken, Call(account="carla"), "", late, early, wide])

        assert counts_of(file) == {"rated": 1, "suspended": 4, "blank": 1}
        assert suspense_of(file) == [
            (1, "unparsable", None, "the quotes are not balanced"),
            (4, "too_old", None, "started before 2025-09-01 00:00:00 UTC"),
            (5, "in_future", None, "starts after 2026-10-07 00:00:00 UTC"),
            (6, "unparsable", None, "account_code has more than 64 characters"),
        ]
        rows = Suspense.objects.order_by("line_number")
        assert [row.raw for row in rows] == [broken, late.line, early.line, wide.line]
        assert [row.xdr_id for row in rows] == [None] * 4
        assert [row.started_at for row in rows] == [None, late.started_at, early.started_at, None]

    @pytest.mark.parametrize("others", [0, 300])
    def test_is_one_whose_fields_hold_what_they_are_keyed_by(
        self, world: World, others: int
    ) -> None:
        """U+001F joins the fields of a key: calls could be taken for one another."""
        bad = [
            Call(uuid="call\x1f1"),
            Call(caller="49\x1f151"),
            Call(to="49\x1f30"),
        ]

        file = import_lines(world.source, [*bad, *(Call(account="carla") for _ in range(others))])

        assert [detail for *_, detail in suspense_of(file)] == [
            f"{name} holds the control character U+001F"
            for name in ("call_id", "caller_number", "destination_number")
        ]
        assert [row.raw for row in Suspense.objects.order_by("line_number")] == [
            call.line for call in bad
        ]

    def test_is_none_for_other_control_characters_in_it(self, world: World) -> None:
        call = Call(account="carla", caller="49\t151\x01", uuid="\x0bcall")

        file = import_lines(world.source, [call])

        assert counts_of(file) == {"rated": 1}
        xdr = Xdr.objects.get()
        assert (xdr.caller_number, xdr.call_id) == (call.caller, call.uuid)

    def test_counts_lines_from_the_start_of_the_file(self, world: World, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 2

        file = import_lines(world.source, [*(Call(account="carla") for _ in range(4)), "x"])

        assert suspense_of(file)[0][0] == 5
        assert file.chunks.count() == 3


class TestChunk:
    def test_is_rated_once(self, world: World) -> None:
        file = import_lines(world.source, [Call(account="carla")])
        chunk = file.chunks.get()

        again = rate_chunk(chunk_id=chunk.pk, at=IMPORT_AT + timedelta(hours=1))

        assert again is False
        assert Leg.objects.count() == 2
        assert UsageCharge.objects.count() == 2
        chunk.refresh_from_db()
        assert chunk.finished_at == IMPORT_AT

    def test_ends_its_file_with_the_last_one(self, world: World, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 1
        file = receive_file(
            content=BytesIO(file_of([Call(account="carla"), Call(account="carla")])),
            name="two.csv",
            source=world.source,
            at=IMPORT_AT,
            actor_id=None,
        )
        split_file(file_id=file.pk, at=IMPORT_AT)
        first, last = XdrChunk.objects.order_by("number")

        rate_chunk(chunk_id=last.pk, at=IMPORT_AT)
        file.refresh_from_db()
        assert (file.state, file.finished_at) == (XdrFile.State.RATING, None)

        rate_chunk(chunk_id=first.pk, at=IMPORT_AT)
        file.refresh_from_db()
        assert (file.state, file.finished_at) == (XdrFile.State.DONE, IMPORT_AT)

    def test_waits_for_the_disk_only_at_the_end_of_its_file(
        self, world: World, settings: Any
    ) -> None:
        settings.XDR_CHUNK_LINES = 1
        file = receive(world.source, [Call(account="carla"), Call(account="carla")])
        split_file(file_id=file.pk, at=IMPORT_AT)
        how = []

        for chunk in XdrChunk.objects.order_by("number"):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = on")
                rate_chunk(chunk_id=chunk.pk, at=IMPORT_AT)
                cursor.execute("SHOW synchronous_commit")
                how += cursor.fetchone()

        assert how == ["off", "on"]

    def test_of_a_file_that_is_gone_fails_it(self, world: World, settings: Any) -> None:
        file = receive(world.source, [Call(account="carla")])
        split_file(file_id=file.pk, at=IMPORT_AT)
        (Path(settings.XDR_FILES_DIR) / file.stored_name).unlink()

        assert rate_chunk(chunk_id=file.chunks.get().pk, at=IMPORT_AT) is False

        file.refresh_from_db()
        assert file.state == XdrFile.State.FAILED
        assert "cannot be read" in file.error
        assert requeue_lost(at=IMPORT_AT + PATIENCE) == 0

    def test_of_a_file_that_only_this_machine_lacks_leaves_it_to_others(
        self, world: World, settings: Any, tmp_path: Path
    ) -> None:
        shared, unmounted = settings.XDR_FILES_DIR, tmp_path / "unmounted"
        unmounted.mkdir()
        file = receive(world.source, [Call(account="carla")])
        split_file(file_id=file.pk, at=IMPORT_AT)
        (chunk,) = file.chunks.all()

        settings.XDR_FILES_DIR = unmounted
        assert rate_chunk(chunk_id=chunk.pk, at=IMPORT_AT) is False
        file.refresh_from_db()
        assert (file.state, "waits for one that can" in file.error) == (XdrFile.State.RATING, True)
        assert requeue_lost(at=IMPORT_AT + PATIENCE) == 1

        settings.XDR_FILES_DIR = shared
        assert rate_chunk(chunk_id=chunk.pk, at=IMPORT_AT) is True
        file.refresh_from_db()
        assert (file.state, file.error) == (XdrFile.State.DONE, "")

    def test_of_a_file_that_another_folder_was_given_leaves_it_to_others(
        self, world: World, settings: Any, tmp_path: Path
    ) -> None:
        """Machines that each have a folder of their own rate what they received themselves."""
        file = receive(world.source, [Call(account="carla")])
        split_file(file_id=file.pk, at=IMPORT_AT)
        settings.XDR_FILES_DIR = tmp_path / "of another machine"
        receive(world.source, [Call(account="carla"), "of another machine"])

        assert rate_chunk(chunk_id=file.chunks.get().pk, at=IMPORT_AT) is False

        file.refresh_from_db()
        assert file.state == XdrFile.State.RATING

    def test_of_a_file_that_cannot_be_read_here_leaves_it_to_others(
        self, world: World, settings: Any
    ) -> None:
        file = receive(world.source, [Call(account="carla")])
        split_file(file_id=file.pk, at=IMPORT_AT)
        path = Path(settings.XDR_FILES_DIR) / file.stored_name
        path.unlink()
        path.mkdir()

        assert rate_chunk(chunk_id=file.chunks.get().pk, at=IMPORT_AT) is False

        file.refresh_from_db()
        assert file.state == XdrFile.State.RATING

    def test_notes_the_latest_start_of_what_it_brought(self, world: World) -> None:
        calls = [
            Call(account="carla", started_at=CALL_AT + timedelta(minutes=at)) for at in (3, 9, 4)
        ]

        file = import_lines(world.source, [*calls, "junk"])

        assert file.chunks.get().newest_started_at == CALL_AT + timedelta(minutes=9)

    def test_notes_no_start_where_all_was_there_before(self, world: World) -> None:
        call = Call(account="carla")
        import_lines(world.source, [call])

        assert import_lines(world.source, [call, ""]).chunks.get().newest_started_at is None

    def test_keeps_only_the_beginning_of_an_endless_line(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cdr.services.chunks.CHUNK_BYTES", 100)

        file = import_lines(world.source, ["x" * 70_000, Call(account="carla")])

        assert counts_of(file) == {"rated": 1, "suspended": 1}
        assert len(Suspense.objects.get().raw) <= 64 * 1024 + 1


class TestTwoProviders:
    def test_have_xdrs_and_charges_of_their_own(self, world: World) -> None:
        other = make_world()
        call = Call(account="carla")

        first = import_lines(world.source, [call])
        second = import_lines(other.source, [call])

        assert counts_of(first) == counts_of(second) == {"rated": 1}
        for each in (world, other):
            charges = UsageCharge.objects.filter(provider=each.provider)
            assert {charge.payer_id for charge in charges} == {each.carla.pk, each.root.pk}
