"""The command, with a real worker on the real broker."""

import gzip
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cdr.models import Leg, XdrFile
from tests.cdr.worlds import World, make_world
from tests.factories import make_source
from tests.factories.cdr import Call, file_of
from tests.workers import forget_queued_work, running_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    forget_queued_work()
    yield make_world()
    forget_queued_work()


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "october.csv"
    path.write_bytes(file_of([Call(account="carla") for _ in range(5)]))
    return path


def run(path: Path, world: World, *, source: str = "freeswitch-csv", **options: Any) -> str:
    output = StringIO()
    call_command(
        "import_xdrs",
        path,
        provider=options.pop("provider", world.provider.slug),
        source=source,
        stdout=output,
        **options,
    )
    return output.getvalue()


class TestImportXdrs:
    def test_imports_through_a_worker(
        self, world: World, calls: Path, tmp_path: Path, settings: Any
    ) -> None:
        settings.XDR_CHUNK_LINES = 2

        with running_worker(tmp_path):
            output = run(calls, world, wait=True)

        file = XdrFile.objects.get()
        assert file.state == XdrFile.State.DONE
        assert file.chunks.count() == 3
        assert Leg.objects.count() == 10
        assert f"File {file.pk}: october.csv received" in output
        assert "Done in" in output

    def test_takes_gzip_and_names_a_source_by_its_slug(
        self, world: World, calls: Path, settings: Any
    ) -> None:
        packed = calls.with_suffix(".csv.gz")
        packed.write_bytes(gzip.compress(calls.read_bytes()))

        run(packed, world, source=world.source.slug)

        file = XdrFile.objects.get()
        assert file.source == world.source
        stored = Path(settings.XDR_FILES_DIR) / file.stored_name
        assert stored.read_bytes() == calls.read_bytes()

    def test_says_so_where_no_worker_runs(self, world: World, calls: Path) -> None:
        with pytest.raises(CommandError, match=r"No worker has taken file .* It is safe") as error:
            run(calls, world, wait=True, patience=0.3)

        assert error.value.returncode == 1
        assert XdrFile.objects.get().state == XdrFile.State.RECEIVED


class TestBadInput:
    def refuses(self, message: str, path: Path, world: World, **options: Any) -> None:
        before = XdrFile.objects.count()
        with pytest.raises(CommandError, match=message) as error:
            run(path, world, **options)
        assert error.value.returncode == 2
        assert XdrFile.objects.count() == before

    def test_unknown_provider(self, world: World, calls: Path) -> None:
        self.refuses("There is no provider 'nobody'", calls, world, provider="nobody")

    def test_unknown_source(self, world: World, calls: Path) -> None:
        message = f"There is no source 'asterisk'. Sources: {world.source.slug}"
        self.refuses(message, calls, world, source="asterisk")

    def test_format_of_several_sources(self, world: World, calls: Path) -> None:
        other = make_source(world.product, name="Switch B")
        message = f"Several sources .* name one of: {world.source.slug}, {other.slug}"
        self.refuses(message, calls, world)

    def test_missing_file(self, world: World, calls: Path) -> None:
        missing = calls.with_name("november.csv")
        self.refuses("november.csv cannot be read: No such file", missing, world)

    def test_directory(self, world: World, calls: Path) -> None:
        self.refuses("cannot be read: Is a directory", calls.parent, world)

    def test_empty_file(self, world: World, calls: Path) -> None:
        calls.write_bytes(b"")
        self.refuses("october.csv is empty", calls, world)

    def test_known_file(self, world: World, calls: Path) -> None:
        run(calls, world)
        again = calls.rename(calls.with_name("again.csv"))
        self.refuses(r"again.csv was received before, as file \d+ \(october.csv\)", again, world)
