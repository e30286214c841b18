"""xDRs by the API: listed, shown and explained, and nobody else's."""

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from cdr.models import Mending, Source, Xdr, XdrChunk, XdrFile
from cdr.services.retiring import retire_month
from tests.factories import make_identifier
from tests.factories.mending import mend
from tests.web.api.world import World, call, correct_start
from web.api.schema import openapi

pytestmark = pytest.mark.django_db


class TestTheList:
    def test_pages_by_cursor(self, world: World) -> None:
        for number in range(5):
            world.program.post("xdrs", call(call_id=str(number)))

        first = world.program.get("xdrs", limit=2).json()
        second = world.program.client.get(first["next"], headers=world.program.headers).json()
        third = world.program.client.get(second["next"], headers=world.program.headers).json()

        seen = [each["call_id"] for page in (first, second, third) for each in page["results"]]
        assert seen == ["4", "3", "2", "1", "0"]
        assert third["next"] is None

    def test_narrows(self, world: World) -> None:
        world.program.post("xdrs", call())
        world.program.post("xdrs", call(call_id="2", account_code="?"))

        def found(**query: Any) -> list[str]:
            page = world.program.get("xdrs", **query).json()
            return [each["call_id"] for each in page["results"]]

        assert found(result="suspended") == ["2"]
        assert found(customer=world.customer.number) == ["call-1"]
        assert found(customer=999_999) == []
        assert found(source="api", result="rated") == ["call-1"]
        assert found(started_from=timezone.now().isoformat()) == []

    def test_says_what_was_discarded_as_the_schema_does(self, world: World) -> None:
        sent = call(account_code="?")
        world.program.post("xdrs", sent)
        mend(world.provider, Mending.Kind.DISCARD, note="A test of the switch.")

        again = world.program.post("xdrs", sent).json()
        (listed,) = world.program.get("xdrs", result="discarded").json()["results"]

        assert (again["result"], again["is_duplicate"]) == ("discarded", True)
        assert listed["result"] == "discarded"
        told = openapi()["components"]["schemas"]
        for name in ("XdrOut", "XdrReceivedOut"):
            results = told[name]["properties"]["result"]
            (results,) = results.get("allOf", [results])
            if "$ref" in results:
                results = told[results["$ref"].rpartition("/")[2]]
            assert results["enum"] == ["rated", "zero", "suspended", "discarded"]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"limit": "0"}, 422),
            ({"limit": "501"}, 422),
            ({"result": "lost"}, 422),
            ({"started_from": "soon"}, 422),
            ({"colour": "red"}, 422),
            ({"cursor": "made up"}, 400),
        ],
    )
    def test_refuses_what_it_does_not_know(
        self, world: World, query: dict[str, str], status: int
    ) -> None:
        world.program.post("xdrs", call())

        answer = world.program.get("xdrs", **query)

        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"


class TestOne:
    def test_is_explained(self, world: World) -> None:
        xdr_id = world.program.post("xdrs", call()).json()["id"]

        said = world.program.get(f"xdrs/{xdr_id}/explain").json()

        customer_leg, vendor_leg = said["legs"]
        assert customer_leg["amount"] == customer_leg["amount_now"] == "0.05000000"
        assert [rate["prefix"] for rate in customer_leg["candidates"]] == ["49"]
        assert customer_leg["candidates"][0]["lost_because"] == ""
        assert "cost 0.050000" in customer_leg["arithmetic"][-1]
        assert vendor_leg["change"] == ""

    @pytest.mark.parametrize(
        "name", ["nothing", "1-1", "99999999999999999-1", "1759654800000000-7"]
    )
    def test_that_is_not_there_is_a_404(self, world: World, name: str) -> None:
        for path in (f"xdrs/{name}", f"xdrs/{name}/explain"):
            answer = world.program.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")


class TestAnXdrWhoseStartWasCorrected:
    def test_is_found_by_the_name_it_had(self, world: World) -> None:
        old = world.program.post("xdrs", call(account_code="nobody")).json()["id"]
        correct_start(world, timezone.now() - timedelta(days=40))

        said = world.program.get(f"xdrs/{old}")

        assert said.status_code == HTTPStatus.OK
        assert said.json()["id"] != old
        assert said.json()["id"].endswith(old[old.index("-") :])
        assert world.program.get(f"xdrs/{old}/explain").json()["id"] == said.json()["id"]
        assert World("borealis").program.get(f"xdrs/{old}").status_code == HTTPStatus.NOT_FOUND

    def test_is_a_duplicate_once_it_is_kept_in_files(self, world: World, tmp_path: Path) -> None:
        sent, at = call(account_code="new"), timezone.now()
        world.program.post("xdrs", sent)
        month_before = (at.replace(day=1) - timedelta(days=1)).replace(day=1)
        correct_start(world, month_before)
        make_identifier(world.customer, "new")
        mend(world.provider, at=at)
        retire_month(first_day=month_before.date(), folder=tmp_path, at=at)

        again = world.program.post("xdrs", sent)

        assert again.status_code == HTTPStatus.OK
        assert again.json() == {
            "id": None,
            "result": None,
            "is_duplicate": True,
            "legs": [],
            "waiting": [],
        }
        assert (Xdr.objects.count(), XdrChunk.objects.get().duplicate_count) == (0, 1)


class TestAnotherProvidersToken:
    def test_sees_nothing_of_it(self, world: World) -> None:
        xdr_id = world.program.post("xdrs", call()).json()["id"]
        file_id = XdrFile.objects.get().pk
        stranger = World("borealis").program

        for path in (
            f"xdrs/{xdr_id}",
            f"xdrs/{xdr_id}/explain",
            f"xdr-files/{file_id}",
            f"rate-tables/{world.table.pk}",
            f"rate-tables/{world.table.pk}/rates",
        ):
            assert world.program.get(path).status_code == HTTPStatus.OK, path
            assert stranger.get(path).status_code == HTTPStatus.NOT_FOUND, path
        for path in ("xdrs", "xdr-files"):
            assert stranger.get(path).json()["results"] == []
        tables = stranger.get("rate-tables").json()["results"]
        assert world.table.pk not in [table["id"] for table in tables]

    def test_writes_nothing_into_it(self, world: World) -> None:
        other = World("borealis")
        Source.objects.filter(pk=other.source.pk).update(slug="theirs")

        answer = world.program.post("xdrs?source=theirs", call())

        assert answer.json()["code"] == "UnknownSource"
        assert Xdr.objects.count() == 0
