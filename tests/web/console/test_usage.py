import csv
import gzip
import io
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from cdr.models import XdrFile
from cdr.services.splitting import split_file
from tests.cdr.worlds import World
from tests.factories import make_product, make_provider, make_source, make_staff
from tests.factories.cdr import IMPORT_AT, Call, file_of, import_lines, receive

pytestmark = pytest.mark.django_db
FILES = "/console/usage/files/"
UPLOAD = f"{FILES}new/"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Settings) -> Path:
    settings.XDR_FILES_DIR = tmp_path
    return tmp_path


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def as_role(world: World, role: str) -> Client:
    client = Client()
    client.force_login(make_staff(world.provider, role))
    return client


def upload(client: Client, world: World, content: bytes, name: str = "calls.csv") -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(UPLOAD, {"source": world.source.pk, "file": file})


def refused(response: Any, message: str, store: Path) -> None:
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert message in response.content.decode()
    assert not XdrFile.objects.exists()
    assert not list(store.glob("*.xdr"))


class TestTheListOfFiles:
    def test_counts_what_each_brought(self, staff: Client, world: World) -> None:
        file = import_lines(world.source, [Call(account="carla"), Call(account="x"), "junk"])
        other = make_provider()
        foreign = import_lines(make_source(make_product(other)), [Call()])

        response = staff.get(f"{FILES}?format=csv")

        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        assert [
            (row["File"], row["State"], row["Lines"], row["Rated"], row["Suspended"])
            for row in rows
        ] == [(file.name, "Done", "3", "1", "2")]
        assert f'<a href="{FILES}{file.pk}/">{file.name}</a>' in page(staff, FILES)
        assert foreign.name not in page(staff, FILES)

    def test_offers_the_first_step_where_there_are_none(self, staff: Client, world: World) -> None:
        assert "No files yet" in page(staff, FILES)
        assert UPLOAD in page(staff, FILES)
        assert UPLOAD not in page(as_role(world, "Read-only"), FILES)

    def test_costs_as_many_statements_for_many_files_as_for_one(
        self,
        staff: Client,
        world: World,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(20):
            receive(world.source, [Call()])

        with django_assert_max_num_queries(45):
            page(staff, FILES)


class TestAnUpload:
    def test_takes_the_file_and_shows_how_far_it_is(
        self, staff: Client, world: World, store: Path
    ) -> None:
        content = file_of([Call(account="carla")])

        response = upload(staff, world, content)

        file = XdrFile.objects.get()
        assert (file.name, file.size_bytes, file.source) == (
            "calls.csv",
            len(content),
            world.source,
        )
        assert (store / file.stored_name).read_bytes() == content
        assert response.headers["Location"] == f"{FILES}{file.pk}/"

    def test_takes_gzip(self, staff: Client, world: World, store: Path) -> None:
        content = file_of([Call(account="carla")])

        upload(staff, world, gzip.compress(content), "calls.csv.gz")

        assert (store / XdrFile.objects.get().stored_name).read_bytes() == content

    def test_refuses_the_same_bytes_a_second_time(self, staff: Client, world: World) -> None:
        upload(staff, world, b"a,b\n")

        response = upload(staff, world, b"a,b\n", "again.csv")

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "again.csv was received before" in response.content.decode()
        assert XdrFile.objects.count() == 1

    def test_refuses_another_kind_of_file_by_its_name(
        self, staff: Client, world: World, store: Path
    ) -> None:
        refused(upload(staff, world, b"a,b\n", "calls.pdf"), "Send a file that ends in", store)

    def test_refuses_another_kind_of_file_by_its_bytes(
        self, staff: Client, world: World, store: Path
    ) -> None:
        refused(upload(staff, world, b"\x89PNG\0\0"), "neither text, gzip nor zip", store)

    def test_refuses_what_is_too_large(
        self, staff: Client, world: World, store: Path, settings: Settings
    ) -> None:
        settings.XDR_UPLOAD_BYTES = 10

        refused(upload(staff, world, b"a" * 11), "It is larger than 10", store)

    def test_refuses_an_empty_file(self, staff: Client, world: World, store: Path) -> None:
        refused(upload(staff, world, b""), "The file is empty.", store)

    def test_refuses_gzip_that_was_cut_off(self, staff: Client, world: World, store: Path) -> None:
        cut = gzip.compress(file_of([Call()]))[:-12]

        refused(upload(staff, world, cut, "calls.gz"), "cannot be unpacked any further", store)

    def test_refuses_a_source_of_another_provider(
        self, staff: Client, world: World, store: Path
    ) -> None:
        foreign = make_source(make_product(make_provider()))

        response = staff.post(
            UPLOAD, {"source": foreign.pk, "file": SimpleUploadedFile("calls.csv", b"a,b\n")}
        )

        refused(response, "Select a valid choice", store)

    def test_is_for_those_who_may_change_usage(self, world: World, store: Path) -> None:
        response = upload(as_role(world, "Finance"), world, b"a,b\n")

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not list(store.glob("*.xdr"))


class TestAFile:
    def test_is_asked_for_again_until_it_has_ended(self, staff: Client, world: World) -> None:
        file = receive(world.source, [Call(account="carla"), "junk"])
        path = f"{FILES}{file.pk}/progress/"

        received = page(staff, path)
        split_file(file_id=file.pk, at=IMPORT_AT)
        rating = page(staff, path)

        assert "waiting for a worker" in received
        assert "0 of 2" in rating
        assert f'hx-get="{path}"' in received
        assert f'hx-get="{path}"' in rating

    def test_says_what_became_of_its_lines(self, staff: Client, world: World) -> None:
        file = import_lines(world.source, [Call(account="carla"), "junk"])

        text = page(staff, f"{FILES}{file.pk}/")

        assert "All lines are rated" in text
        assert "2 of 2" in text
        assert "hx-trigger" not in text
        assert f"/console/usage/suspense/rows/?file={file.pk}" in text

    def test_says_why_it_cannot_be_rated(self, staff: Client, world: World) -> None:
        file = receive(world.source, [Call()])
        XdrFile.objects.update(state=XdrFile.State.FAILED, error="the disk is gone")

        text = page(staff, f"{FILES}{file.pk}/progress/")

        assert "the disk is gone" in text
        assert "hx-get" not in text

    def test_says_what_it_waits_for_and_goes_on_being_watched(
        self, staff: Client, world: World
    ) -> None:
        file = receive(world.source, [Call(account="carla")])
        file.note_waiting("A worker could not reach the stored file.")

        text = page(staff, f"{FILES}{file.pk}/")

        assert "notice-wait" in text
        assert "A worker could not reach the stored file." in text
        assert "every 1s" in text

    def test_takes_no_other_method(self, staff: Client, world: World) -> None:
        file = receive(world.source, [Call()])

        answer = staff.post(f"{FILES}{file.pk}/")

        assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED
