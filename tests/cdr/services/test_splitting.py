"""Cutting files into chunks, and finding lost work again."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from cdr.models import XdrChunk, XdrFile
from cdr.services.chunks import rate_chunk
from cdr.services.intake import receive_file
from cdr.services.splitting import PATIENCE, requeue_lost, split_file
from tests.cdr.worlds import World, make_world
from tests.factories.cdr import IMPORT_AT, Call, receive

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


class TestSplitFile:
    def test_cuts_whole_lines_that_join_up(self, world: World, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 2
        text = b"one\ntwo\nthree\nfour\nfive"
        file = receive_file(
            content=BytesIO(text), name="f", source=world.source, at=IMPORT_AT, actor_id=None
        )

        assert split_file(file_id=file.pk, at=IMPORT_AT) == 3

        rows = XdrChunk.objects.order_by("number").values_list(
            "number", "first_line", "first_byte", "byte_count", "line_count", "queued_at", "state"
        )
        assert list(rows) == [
            (1, 1, 0, 8, 2, IMPORT_AT, "WAITING"),
            (2, 3, 8, 11, 2, IMPORT_AT, "WAITING"),
            (3, 5, 19, 4, 1, IMPORT_AT, "WAITING"),
        ]
        file.refresh_from_db()
        assert file.state == XdrFile.State.RATING

    def test_does_it_once(self, world: World) -> None:
        file = receive(world.source, [Call(account="carla")])
        split_file(file_id=file.pk, at=IMPORT_AT)

        assert split_file(file_id=file.pk, at=IMPORT_AT) == 0
        assert file.chunks.count() == 1

    def test_fails_a_file_whose_text_is_gone(self, world: World, settings: Any) -> None:
        file = receive(world.source, [Call(account="carla")])
        (Path(settings.XDR_FILES_DIR) / file.stored_name).unlink()

        assert split_file(file_id=file.pk, at=IMPORT_AT) == 0

        file.refresh_from_db()
        assert file.state == XdrFile.State.FAILED
        assert "cannot be read" in file.error

    def test_leaves_a_file_that_only_this_machine_lacks_to_others(
        self, world: World, settings: Any, tmp_path: Path
    ) -> None:
        shared = settings.XDR_FILES_DIR
        file = receive(world.source, [Call(account="carla")])
        settings.XDR_FILES_DIR = tmp_path / "not mounted"

        assert split_file(file_id=file.pk, at=IMPORT_AT) == 0
        file.refresh_from_db()
        assert (file.state, "waits for one that can" in file.error) == ("RECEIVED", True)
        assert requeue_lost(at=IMPORT_AT + PATIENCE) == 1

        settings.XDR_FILES_DIR = shared
        assert split_file(file_id=file.pk, at=IMPORT_AT) == 1
        file.refresh_from_db()
        assert (file.state, file.error) == ("RATING", "")


class TestRequeueLost:
    def test_queues_what_nobody_took(
        self,
        world: World,
        settings: Any,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        settings.XDR_CHUNK_LINES = 1
        unsplit = receive(world.source, [Call(account="carla")])
        split = receive(world.source, [Call(account="carla"), Call(account="carla")])
        split_file(file_id=split.pk, at=IMPORT_AT)
        done, _ = split.chunks.order_by("number").values_list("pk", flat=True)
        rate_chunk(chunk_id=done, at=IMPORT_AT)

        with django_capture_on_commit_callbacks() as sent:
            assert requeue_lost(at=IMPORT_AT + PATIENCE) == 2

        assert len(sent) == 2
        assert unsplit.state == XdrFile.State.RECEIVED

    def test_is_patient(self, world: World) -> None:
        split = receive(world.source, [Call(account="carla")])
        split_file(file_id=split.pk, at=IMPORT_AT)

        assert requeue_lost(at=IMPORT_AT + PATIENCE - MINUTE) == 0
        assert requeue_lost(at=IMPORT_AT + PATIENCE) == 1
        assert requeue_lost(at=IMPORT_AT + PATIENCE + MINUTE) == 0
        assert requeue_lost(at=IMPORT_AT + 2 * PATIENCE) == 1
