"""Months of xDRs that go to files and come back."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from cdr.models import Leg, Rerating, RetiredMonth, Suspense, UsageCharge, Xdr
from cdr.partitions import PARTITIONED, MonthRetired, ensure_partitions, months_stored
from cdr.services.archives import ArchiveDamaged
from cdr.services.retiring import (
    EarlierMonthStored,
    FolderRefused,
    MonthNotOver,
    MonthNotRetired,
    MonthNotStored,
    MonthStillNeeded,
    MonthStored,
    make_partitions_ahead,
    restore_month,
    retire_month,
)
from tests.cdr.worlds import World, counts_of, make_world, suspense_of
from tests.factories.allowances import give_minutes
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines
from tests.race import race
from tests.refusals import refused
from tests.workers import wait_for

OCTOBER, AUGUST = date(2026, 10, 1), datetime(2026, 8, 5, 9, tzinfo=UTC)
LATER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "retired"


def rows_of(table: str) -> list[tuple[str]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
        rows: list[tuple[str]] = cursor.fetchall()
    return rows


class TestPartitionsAhead:
    def test_are_those_of_the_month_and_the_next(self, db: None) -> None:
        make_partitions_ahead(at=datetime(1998, 11, 20, tzinfo=UTC), count=2)
        make_partitions_ahead(at=datetime(1998, 11, 21, tzinfo=UTC), count=2)

        assert months_stored()[:3] == [date(1998, 11, 1), date(1998, 12, 1), date(1999, 1, 1)]


class TestRetiring:
    def test_takes_the_month_out_and_nothing_else(self, world: World, folder: Path) -> None:
        november = CALL_AT + timedelta(days=31)
        import_lines(world.source, [Call(account="carla"), Call(account="carla", uuid="b")])
        import_lines(world.source, [Call(account="carla", started_at=november)], at=LATER)
        charges = UsageCharge.objects.count()

        retired = retire_month(first_day=OCTOBER, folder=folder, at=LATER)

        assert OCTOBER not in months_stored()
        assert [xdr.started_at for xdr in Xdr.objects.all()] == [november]
        assert not Leg.objects.filter(started_at__lt=november).exists()
        assert UsageCharge.objects.count() == charges
        assert {name: entry["rows"] for name, entry in retired.manifest["tables"].items()} == {
            "cdr_xdr": 2,
            "cdr_leg": 4,
            "cdr_replacedleg": 0,
            "cdr_allowanceuse": 0,
        }
        assert json.loads((folder / "manifest.json").read_text()) == retired.manifest
        assert sorted(path.name for path in folder.iterdir()) == [
            "cdr_allowanceuse.parquet",
            "cdr_leg.parquet",
            "cdr_replacedleg.parquet",
            "cdr_xdr.parquet",
            "manifest.json",
        ]

    def test_writes_files_that_others_can_read(self, world: World, folder: Path) -> None:
        import_lines(world.source, [Call(account="carla", seconds=120)])
        expected = Leg.objects.get(number=1)

        retire_month(first_day=OCTOBER, folder=folder, at=LATER)

        leg = pl.read_parquet(folder / "cdr_leg.parquet").filter(number=1).row(0, named=True)
        assert (leg["started_at"], leg["amount"]) == (CALL_AT, expected.amount)
        assert leg["usage_charge_id"] == expected.usage_charge_id

    def test_overwrites_no_month_that_a_folder_holds(self, world: World, folder: Path) -> None:
        import_lines(world.source, [Call(account="carla")])
        folder.mkdir()
        (folder / "manifest.json").write_text("of another installation")
        (folder / "cdr_xdr.parquet").write_text("its only copy")

        with refused(FolderRefused, match="never overwritten"):
            retire_month(first_day=OCTOBER, folder=folder, at=LATER)

        assert (folder / "cdr_xdr.parquet").read_text() == "its only copy"
        assert OCTOBER in months_stored()

    def test_goes_on_where_it_was_interrupted(self, world: World, folder: Path) -> None:
        import_lines(world.source, [Call(account="carla")])
        folder.mkdir()
        (folder / "cdr_xdr.parquet").write_text("half of it")

        retire_month(first_day=OCTOBER, folder=folder, at=LATER)

        assert pl.read_parquet(folder / "cdr_xdr.parquet").height == 1

    def test_refuses_a_folder_that_cannot_be_written_to(self, world: World, tmp_path: Path) -> None:
        import_lines(world.source, [Call(account="carla")])
        file = tmp_path / "file"
        file.touch()

        with refused(FolderRefused, match="cannot be written to: Not a directory"):
            retire_month(first_day=OCTOBER, folder=file / "2026-10", at=LATER)

        assert OCTOBER in months_stored()

    def test_has_what_comes_late_wait_as_too_old(self, world: World, folder: Path) -> None:
        import_lines(world.source, [Call(account="carla", uuid="a")])
        retire_month(first_day=OCTOBER, folder=folder, at=LATER)

        again = [Call(account="carla", uuid="a"), Call(account="carla", started_at=AUGUST)]
        file = import_lines(world.source, again, at=LATER)

        assert counts_of(file) == {"suspended": 2}
        assert {reason for _, reason, _, _ in suspense_of(file)} == {"too_old"}
        assert OCTOBER not in months_stored()
        with refused(MonthRetired):
            ensure_partitions([OCTOBER])

    def test_goes_by_months_that_are_over_and_in_order(self, world: World, folder: Path) -> None:
        import_lines(
            world.source, [Call(account="carla"), Call(account="carla", started_at=AUGUST)]
        )

        with refused(MonthNotOver):
            retire_month(first_day=OCTOBER, folder=folder, at=CALL_AT)
        with refused(EarlierMonthStored, "2026-08"):
            retire_month(first_day=OCTOBER, folder=folder, at=LATER)
        with refused(MonthNotStored):
            retire_month(first_day=date(2026, 9, 1), folder=folder, at=LATER)

        assert Xdr.objects.count() == 2
        assert not folder.exists()

    def test_is_refused_while_something_waits(self, world: World, folder: Path) -> None:
        import_lines(world.source, [Call(account="nobody")])

        with refused(MonthStillNeeded, "1 of 2026-10 wait in suspense"):
            retire_month(first_day=OCTOBER, folder=folder, at=LATER)
        Suspense.objects.update(state="RESOLVED", resolved_at=LATER)
        rerating = Rerating.objects.create(
            provider=world.provider,
            reason="New rates",
            started_from=CALL_AT,
            started_to=CALL_AT + timedelta(days=1),
            queued_at=IMPORT_AT,
            created_at=IMPORT_AT,
        )
        with refused(MonthStillNeeded, f"Re-rating {rerating.pk}"):
            retire_month(first_day=OCTOBER, folder=folder, at=LATER)

        assert Xdr.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestAMonthThatIsWrittenTo:
    def test_stays_if_what_was_written_waits(self, folder: Path) -> None:
        world = make_world()
        import_lines(world.source, [Call(account="nobody")])
        Suspense.objects.update(state="RESOLVED", resolved_at=LATER)
        outcome: list[object] = []

        def retire() -> None:
            outcome.extend(race(lambda: retire_month(first_day=OCTOBER, folder=folder, at=LATER)))

        with transaction.atomic():
            Xdr.objects.update(hangup_cause="LATE")
            Suspense.objects.update(state="OPEN", resolved_at=None)
            retiring = Thread(target=retire)
            retiring.start()
            _await_lock()
        retiring.join(60)

        assert [type(each) for each in outcome] == [MonthStillNeeded]
        assert Xdr.objects.count() == 1


def _await_lock() -> None:
    """Until somebody waits for a lock on one of the tables."""

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE relation IS NOT NULL AND NOT granted"
            )
            return bool(cursor.fetchone() != (0,))

    wait_for(waits, "somebody to wait for a lock")


class TestRestoring:
    def test_gives_back_every_row_as_it_was(self, world: World, folder: Path) -> None:
        odd = Call(account="carla").line.replace("NORMAL_CLEARING", '""')
        told: list[Call | str] = [
            Call(account="carla", uuid='q""uote, é'),
            Call(account="carla", seconds=0),
            odd,
        ]
        give_minutes(world.carla, world.product, 130)
        import_lines(world.source, told)
        tables = (*PARTITIONED, "cdr_usagecharge")
        before = {table: rows_of(table) for table in tables}

        retire_month(first_day=OCTOBER, folder=folder, at=LATER)
        restored = restore_month(folder=folder)

        assert restored == OCTOBER
        assert {table: rows_of(table) for table in tables} == before
        assert len(before["cdr_xdr"]) == 3
        assert len(before["cdr_allowanceuse"]) == 2
        assert not RetiredMonth.objects.exists()

    def test_knows_again_what_was_brought_before(self, world: World, folder: Path) -> None:
        calls = [Call(account="carla", uuid="a")]
        import_lines(world.source, calls)
        retire_month(first_day=OCTOBER, folder=folder, at=LATER)
        restore_month(folder=folder)

        file = import_lines(world.source, [*calls, Call(account="carla", uuid="b")], at=LATER)

        assert counts_of(file) == {"rated": 1, "duplicate": 1}

    @pytest.mark.parametrize("damaged", ["cdr_leg.parquet", "manifest.json"])
    def test_refuses_files_that_are_not_whole(
        self, world: World, folder: Path, damaged: str
    ) -> None:
        import_lines(world.source, [Call(account="carla")])
        retire_month(first_day=OCTOBER, folder=folder, at=LATER)
        content = (folder / damaged).read_bytes()
        (folder / damaged).write_bytes(content[: len(content) // 2])

        with refused(ArchiveDamaged):
            restore_month(folder=folder)

        assert RetiredMonth.objects.count() == 1
        assert OCTOBER not in months_stored()

    def test_says_what_a_folder_without_a_month_lacks(self, db: None, folder: Path) -> None:
        with refused(ArchiveDamaged, match=r"manifest\.json cannot be read: No such file or dir"):
            restore_month(folder=folder)

    def test_refuses_what_is_back_already(self, world: World, folder: Path) -> None:
        import_lines(world.source, [Call(account="carla")])
        retire_month(first_day=OCTOBER, folder=folder, at=LATER)
        restore_month(folder=folder)

        with refused(MonthStored, match="holds xDRs of 2026-10 already"):
            restore_month(folder=folder)

    def test_refuses_what_was_not_taken_from_here(self, world: World, folder: Path) -> None:
        import_lines(world.source, [Call(account="carla")])
        retire_month(first_day=OCTOBER, folder=folder, at=LATER)
        manifest = folder / "manifest.json"
        manifest.write_text(
            manifest.read_text().replace('"retired_at": "2026', '"retired_at": "2025')
        )

        with refused(MonthNotRetired):
            restore_month(folder=folder)

    @pytest.mark.parametrize(
        "manifest",
        ["[]", '"2024-10"', '{"format": 1}', '{"format": 1, "month": "x", "tables": {}}'],
    )
    def test_refuses_a_manifest_that_is_none(self, db: None, tmp_path: Path, manifest: str) -> None:
        (tmp_path / "manifest.json").write_text(manifest)

        with refused(ArchiveDamaged, match="not a manifest that this version understands"):
            restore_month(folder=tmp_path)


class TestTheCommands:
    def test_take_a_month_out_and_bring_it_back(
        self, world: World, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import_lines(world.source, [Call(account="carla", started_at=AUGUST)])

        call_command("retire_month", "2026-08", to=folder)
        call_command("restore_month", str(folder / "2026-08"))

        said = capsys.readouterr().out
        assert "cdr_xdr, rows: 1, bytes: " in said
        assert "2026-08 is in the database again." in said
        assert Xdr.objects.count() == 1
