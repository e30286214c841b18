"""Receiving files: stored whole, known by their bytes, refused with nothing left behind."""

import gc
import gzip
import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from audit.models import Entry
from cdr.importers.chunks import FileTooLarge, FileUnreadable
from cdr.models import XdrFile
from cdr.services.intake import XdrFileEmpty, XdrFileKnown, receive_file
from common.errors import DomainError
from tests.cdr.worlds import World, make_world
from tests.factories import make_staff
from tests.factories.cdr import IMPORT_AT
from tests.race import race

TEXT = b"first\nsecond\n"


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def receive(
    world: World, content: bytes, name: str = "october.csv", actor_id: int | None = None
) -> XdrFile:
    return receive_file(
        content=BytesIO(content), name=name, source=world.source, at=IMPORT_AT, actor_id=actor_id
    )


def stored_files(settings: Any) -> list[Path]:
    folder = Path(settings.XDR_FILES_DIR)
    return sorted(folder.glob("*.xdr"))


class TestReceivedFile:
    def test_is_stored_under_a_name_of_ours(self, world: World, settings: Any) -> None:
        user = make_staff(world.provider)

        file = receive(world, TEXT, name="../../etc/passwd", actor_id=user.pk)

        (path,) = stored_files(settings)
        assert path.name == file.stored_name
        assert path.read_bytes() == TEXT
        assert (file.name, file.size_bytes) == ("../../etc/passwd", 13)
        assert file.sha256 == hashlib.sha256(TEXT).hexdigest()
        assert (file.state, file.received_at) == (XdrFile.State.RECEIVED, IMPORT_AT)
        assert file.received_by == user
        entry = Entry.objects.get(action="xdr_file.received")
        assert (entry.object_id, entry.actor) == (str(file.pk), user)

    def test_goes_where_a_transaction_around_it_is_rolled_back(
        self, world: World, settings: Any
    ) -> None:
        def fail_afterwards() -> None:
            with transaction.atomic():
                receive(world, TEXT)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_afterwards()

        gc.collect()
        assert stored_files(settings) == []
        assert receive(world, TEXT).stored_name == stored_files(settings)[0].name

    @pytest.mark.django_db(transaction=True)
    def test_stays_once_it_is_committed(self, settings: Any) -> None:
        with transaction.atomic():
            file = receive(make_world(), TEXT)

        gc.collect()
        assert [path.name for path in stored_files(settings)] == [file.stored_name]

    def test_is_unpacked_but_known_by_what_was_received(self, world: World, settings: Any) -> None:
        packed = gzip.compress(TEXT) + gzip.compress(b"third\n")

        file = receive(world, packed)

        (path,) = stored_files(settings)
        assert path.read_bytes() == TEXT + b"third\n"
        assert file.sha256 == hashlib.sha256(packed).hexdigest()
        assert file.size_bytes == len(packed)


class TestRefusedFile:
    def refuses(
        self, world: World, settings: Any, refusal: type[DomainError], match: str, content: bytes
    ) -> None:
        before = XdrFile.objects.count(), Entry.objects.count(), stored_files(settings)
        with pytest.raises(refusal, match=match):
            receive(world, content)
        assert (XdrFile.objects.count(), Entry.objects.count(), stored_files(settings)) == before

    def test_is_known(self, world: World, settings: Any) -> None:
        first = receive(world, TEXT)

        message = rf"received before, as file {first.pk} \(october.csv\) on 2026-10-06 00:00 UTC"
        self.refuses(world, settings, XdrFileKnown, message, TEXT)

    def test_is_not_known_to_another_provider(self, world: World) -> None:
        receive(world, TEXT)

        assert receive(make_world(), TEXT).state == XdrFile.State.RECEIVED

    def test_is_empty(self, world: World, settings: Any) -> None:
        self.refuses(world, settings, XdrFileEmpty, "is empty", b"")
        self.refuses(world, settings, XdrFileEmpty, "is empty", gzip.compress(b""))

    def test_is_cut_off(self, world: World, settings: Any) -> None:
        packed = gzip.compress(TEXT * 1000)
        self.refuses(world, settings, FileUnreadable, "Send the whole file again", packed[:-9])

    def test_is_compressed_twice(self, world: World, settings: Any) -> None:
        packed = gzip.compress(gzip.compress(TEXT))
        self.refuses(world, settings, FileUnreadable, "compressed twice", packed)

    def test_is_larger_than_allowed_once_unpacked(self, world: World, settings: Any) -> None:
        settings.XDR_FILE_BYTES = 1_000
        bomb = gzip.compress(b"\n" * 1_001)
        self.refuses(world, settings, FileTooLarge, "more than 1000 bytes of text", bomb)


@pytest.mark.django_db(transaction=True)
class TestSameFileTwiceAtOnce:
    def test_is_accepted_once(self, transactional_db: None, settings: Any) -> None:
        world = make_world()

        outcomes = race(*[lambda: receive(world, TEXT)] * 4)

        accepted = [outcome for outcome in outcomes if isinstance(outcome, XdrFile)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, XdrFileKnown)]
        assert (len(accepted), len(refused)) == (1, 3)
        assert [path.name for path in stored_files(settings)] == [accepted[0].stored_name]
        assert XdrFile.objects.get() == accepted[0]
