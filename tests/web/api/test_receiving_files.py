"""Files of xDRs that programs send."""

import gzip
import json
import zipfile
from http import HTTPStatus
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from cdr.models import (
    Suspense,
    XdrChunk,
    XdrFile,
)
from cdr.services.chunks import rate_chunk
from cdr.services.splitting import split_file
from tests.web.api.world import World, call

pytestmark = pytest.mark.django_db


NDJSON = {"Content-Type": "application/x-ndjson"}
NAMED = {"Idempotency-Key": "7c1e"}


def bulk(*calls: dict[str, Any]) -> bytes:
    return "".join(f"{json.dumps(each)}\n" for each in calls).encode()


class TestSendingMany:
    def test_makes_a_file_that_is_rated_like_any_other(self, world: World) -> None:
        rated = call()
        lines = bulk(rated, call(call_id="2", account_code="?"), rated) + b"no json\n\n"

        answer = world.program.post("xdrs", lines, NDJSON)

        assert answer.status_code == HTTPStatus.ACCEPTED
        address = answer["Location"].removeprefix("/api/v1/")
        assert answer.json()["state"] == "received"
        file = XdrFile.objects.get()
        split_file(file_id=file.pk, at=timezone.now())
        rate_chunk(chunk_id=XdrChunk.objects.get().pk, at=timezone.now())
        shown = world.program.get(address).json()
        assert (shown["state"], shown["chunks"]) == ("done", {"count": 1, "done": 1, "failed": 0})
        assert shown["counts"] == {
            "read": 5,
            "rated": 1,
            "unbilled": 0,
            "duplicate": 1,
            "suspended": 2,
            "partly_suspended": 0,
            "blank": 1,
        }

    def test_takes_gzip(self, world: World) -> None:
        answer = world.program.post("xdrs", gzip.compress(bulk(call())), NDJSON)

        assert answer.status_code == HTTPStatus.ACCEPTED

    def test_packed_in_another_way_are_refused(self, world: World) -> None:
        headers = {**NDJSON, "Content-Encoding": "br"}

        answer = world.program.post("xdrs", bulk(call()), headers)

        assert answer.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        assert answer.json()["code"] == "EncodingNotSupported"
        assert not XdrFile.objects.exists()

    def test_refuses_the_same_bytes_again(self, world: World) -> None:
        lines = bulk(call())
        world.program.post("xdrs", lines, NDJSON)

        answer = world.program.post("xdrs", lines, NDJSON)

        assert (answer.status_code, answer.json()["code"]) == (409, "XdrFileKnown")

    def test_refuses_what_unfolds_to_too_much(self, world: World, settings: Settings) -> None:
        settings.XDR_FILE_BYTES = 1000

        answer = world.program.post("xdrs", gzip.compress(b"x" * 100_000), NDJSON)

        assert (answer.status_code, answer.json()["code"]) == (413, "FileTooLarge")
        assert XdrFile.objects.count() == 0

    def test_refuses_an_archive(self, world: World) -> None:
        archive = BytesIO()
        with zipfile.ZipFile(archive, "w") as target:
            target.writestr("calls.ndjson", bulk(call()))

        answer = world.program.post("xdrs", archive.getvalue(), NDJSON)

        assert (answer.status_code, answer.json()["code"]) == (422, "ArchiveRefused")
        assert XdrFile.objects.count() == 0

    def test_has_names_that_no_text_may_hold_wait_as_well(self, world: World) -> None:
        lines = b'{"a\\u0000b": 1}\n{"a\\ud800b": 1}\n' + bulk(call())
        world.program.post("xdrs", lines, NDJSON)

        split_file(file_id=XdrFile.objects.get().pk, at=timezone.now())
        rate_chunk(chunk_id=XdrChunk.objects.get().pk, at=timezone.now())

        chunk = XdrChunk.objects.get()
        assert (chunk.state, chunk.suspended_count, chunk.rated_count) == ("DONE", 2, 1)
        details = Suspense.objects.order_by("line_number").values_list("detail", flat=True)
        assert [detail.partition(" ")[0] for detail in details] == [r"'a\x00b'", r"'a\ud800b'"]

    def test_refuses_nothing_at_all(self, world: World) -> None:
        answer = world.program.post("xdrs", gzip.compress(b""), NDJSON)

        assert (answer.status_code, answer.json()["code"]) == (422, "XdrFileEmpty")

    def test_named_the_same_is_answered_again(self, world: World) -> None:
        lines = bulk(call())
        first = world.program.post("xdrs", lines, {**NDJSON, **NAMED})

        again = world.program.post("xdrs", lines, {**NDJSON, **NAMED})
        other = world.program.post("xdrs", bulk(call(call_id="2")), {**NDJSON, **NAMED})

        assert (again.status_code, again.json()) == (HTTPStatus.ACCEPTED, first.json())
        assert other.json()["code"] == "IdempotencyKeyReused"
        assert XdrFile.objects.count() == 1
