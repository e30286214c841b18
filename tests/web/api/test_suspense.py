"""What waits, by the API: groups, rows, and what a correction would make of them."""

from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cdr.models import Suspense, Xdr, XdrCorrection
from tests.factories import make_identifier
from tests.factories.api import program_of
from tests.factories.cdr import import_lines
from tests.factories.mending import mend
from tests.web.api.world import World, call

pytestmark = pytest.mark.django_db


def wait(world: World, *accounts: str) -> None:
    """xDRs of account codes that name nobody."""
    for number, account in enumerate(accounts):
        world.program.post("xdrs", call(call_id=f"{account}-{number}", account_code=account))


def row_of(subject: str) -> Suspense:
    return Suspense.objects.filter(subject=subject).order_by("pk")[0]


SET_ACC1 = {"kind": "set", "field": "account_code", "new_text": "acc1"}


class TestGroups:
    def test_say_what_waits_for_the_same(self, world: World) -> None:
        wait(world, "K-17", "K-17", "K-18")

        said = world.program.get("suspense/groups").json()

        assert (said["group_count"], said["row_count"]) == (2, 3)
        group = said["results"][0]
        chosen = ("reason", "source", "named_by", "subject", "rate_table")
        assert [group[name] for name in chosen] == [
            *("unknown_customer", "api", "account_code", "K-17", None)
        ]
        assert (group["row_count"], group["unpriced_count"], group["worth"]) == (2, 2, [])

    def test_are_worth_what_their_rates_say(self, world: World) -> None:
        world.source.default_vendor = None
        world.source.save(update_fields=["default_vendor"])
        wait(world, "acc1")

        (group,) = world.program.get("suspense/groups").json()["results"]

        assert group["reason"] == "unknown_vendor"
        assert group["worth"] == [
            {"currency": "EUR", "known_amount": "0.05000000", "average_amount": "0.00000000"}
        ]

    def test_narrow(self, world: World) -> None:
        wait(world, "K-17", "K-18")

        def found(**query: Any) -> int:
            return len(world.program.get("suspense/groups", **query).json()["results"])

        assert found(source="api", reason="unknown_customer") == 2
        assert found(reason="blocked") == 0
        assert found(source="nothing") == 0
        assert found(limit=1) == 1


class TestRows:
    def test_page_by_cursor_the_oldest_first(self, world: World) -> None:
        wait(world, "a", "b", "c")

        first = world.program.get("suspense", limit=2).json()
        second = world.program.client.get(first["next"], headers=world.program.headers).json()

        assert [row["subject"] for row in first["results"]] == ["a", "b"]
        assert [row["subject"] for row in second["results"]] == ["c"]
        assert second["next"] is None

    def test_narrow(self, world: World) -> None:
        wait(world, "K-17", "K-18")
        mending = mend(world.provider, subject="K-18")
        row = row_of("K-17")

        def found(**query: Any) -> list[str]:
            page = world.program.get("suspense", **query).json()
            return [each["subject"] for each in page["results"]]

        assert found(subject="K-17") == ["K-17"]
        assert found(subject="") == []
        assert found(source="api", reason="unknown_customer", named_by="account_code") == [
            *("K-17", "K-18")
        ]
        assert found(file=row.chunk.file_id) == ["K-17", "K-18"]
        assert found(mending=mending.pk) == ["K-18"]
        assert found(customer=world.customer.number) == []
        assert found(customer=999_999) == []
        assert found(source="nothing") == []
        assert found(state="resolved") == []
        assert found(rate_table=world.table.pk) == []

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"reason": "lost"}, 422),
            ({"state": "lost"}, 422),
            ({"colour": "red"}, 422),
            ({"limit": "501"}, 422),
            ({"cursor": "made up"}, 400),
        ],
    )
    def test_refuse_what_they_do_not_know(
        self, world: World, query: dict[str, str], status: int
    ) -> None:
        wait(world, "K-17")

        assert world.program.get("suspense", **query).status_code == status

    def test_ask_the_database_as_often_for_many_as_for_few(self, world: World) -> None:
        wait(world, "a")
        world.program.get("suspense")
        with CaptureQueriesContext(connection) as few:
            world.program.get("suspense")
        wait(world, *"bcdefgh")

        with CaptureQueriesContext(connection) as many:
            world.program.get("suspense")

        assert len(many) == len(few)


class TestOneRow:
    def test_has_its_line_and_leads_to_its_xdr(self, world: World) -> None:
        wait(world, "K-17")

        said = world.program.get(f"suspense/{row_of('K-17').pk}").json()

        assert '"account_code":"K-17"' in said["raw"]
        assert (said["correction"], said["state"], said["volume"]) == ("", "open", 60)
        assert world.program.get(f"xdrs/{said['xdr']}").json()["account_code"] == "K-17"

    def test_of_a_leg_says_who_would_pay(self, world: World) -> None:
        world.table.rates.update(prefix="1")
        wait(world, "acc1")

        (row,) = world.program.get("suspense").json()["results"]

        assert (row["reason"], row["leg"], row["rate_table"]) == (
            *("unrated_customer", "customer"),
            world.table.pk,
        )
        payer = {"kind": "customer", "id": world.customer.pk}
        assert row["payer"] == row["customer"] == payer

    def test_that_is_a_line_has_no_xdr(self, world: World) -> None:
        import_lines(world.source, ["{no json"])

        (row,) = world.program.get("suspense").json()["results"]

        assert (row["reason"], row["xdr"], row["started_at"]) == ("unparsable", None, None)


class TestThePreview:
    def test_says_what_rows_would_become_and_writes_nothing(self, world: World) -> None:
        wait(world, "K-17", "K-17")
        row = row_of("K-17")

        answer = world.program.post(
            "suspense/preview", {"choice": {"rows": [row.pk]}, "change": SET_ACC1}
        )

        assert answer.status_code == HTTPStatus.OK
        said = answer.json()
        assert (said["row_count"], said["freed_count"], said["left_count"]) == (1, 1, 0)
        (becomes,) = said["results"]
        assert (becomes["before"], becomes["after"]) == ("K-17", "acc1")
        assert becomes["customer"] == {"kind": "customer", "id": world.customer.pk}
        assert becomes["charges"] == [
            {"kind": "customer", "amount": "0.05000000", "currency": "EUR"},
            {"kind": "vendor", "amount": "0.02000000", "currency": "EUR"},
        ]
        assert Suspense.objects.filter(state="OPEN").count() == 2
        assert not XdrCorrection.objects.exists()
        assert Xdr.objects.filter(result=Xdr.Result.SUSPENDED).count() == 2

    def test_says_why_they_would_wait_on(self, world: World) -> None:
        wait(world, "K-17")
        change = {**SET_ACC1, "new_text": "K-71"}

        said = world.program.post("suspense/preview", {"choice": {}, "change": change}).json()

        assert [each["reason"] for each in said["results"][0]["waiting"]] == ["unknown_customer"]
        assert said["freed_count"] == 0

    def test_of_a_line_refuses_what_cannot_be_read(self, world: World) -> None:
        import_lines(world.source, ["{no json"])
        row = Suspense.objects.get()
        asked = {"choice": {"rows": [row.pk]}, "change": {"kind": "line", "new_text": "{nor this"}}

        answer = world.program.post("suspense/preview", asked)

        assert (answer.status_code, answer.json()["code"]) == (422, "LineStillUnreadable")

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({}, "choice"),
            ({"choice": {"reasn": "blocked"}, "change": SET_ACC1}, "choice"),
            ({"choice": {"source": "nothing"}, "change": SET_ACC1}, "source"),
            ({"choice": {"customer": 999_999}, "change": SET_ACC1}, "customer"),
            ({"choice": {"rows": []}, "change": SET_ACC1}, "choice"),
            ({"choice": {}, "change": {"kind": "set", "new_text": "x"}}, "field"),
            ({"choice": {}, "change": {"kind": "line", "new_text": "x"}}, "kind"),
            ({"choice": {}, "change": {**SET_ACC1, "field": "volume"}}, "change"),
            ({"choice": {}, "change": {**SET_ACC1, "new_text": "9" * 65}}, "new_text"),
            ({"choice": {}, "change": {"kind": "zone", "new_text": "Nowhere"}}, "new_text"),
            ({"choice": {}, "change": SET_ACC1, "kind": "correct"}, "kind"),
        ],
    )
    def test_refuses_what_cannot_be_and_says_where(
        self, world: World, asked: dict[str, Any], field: str
    ) -> None:
        wait(world, "K-17")

        answer = world.program.post("suspense/preview", asked)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert field in answer.json()["fields"]

    def test_needs_the_scope_to_write(self, world: World) -> None:
        reader = program_of(world.provider, "xdrs:read")

        answer = reader.post("suspense/preview", {"choice": {}, "change": SET_ACC1})

        assert (answer.status_code, answer.json()["code"]) == (403, "ScopeMissing")


class TestWhoMay:
    @pytest.mark.parametrize("path", ["suspense", "suspense/groups", "mendings"])
    def test_read_needs_the_scope_and_the_permission(self, world: World, path: str) -> None:
        assert program_of(world.provider, "rates:read").get(path).status_code == 403
        assert program_of(world.provider, "xdrs:read").get(path).status_code == 200

    def test_see_anything_is_nobody_elses_program(self, world: World) -> None:
        wait(world, "K-17")
        mending = mend(world.provider)
        stranger = World("borealis")

        for path in (f"suspense/{row_of('K-17').pk}", f"mendings/{mending.pk}"):
            assert world.program.get(path).status_code == HTTPStatus.OK, path
            assert stranger.program.get(path).status_code == HTTPStatus.NOT_FOUND, path
        for path in ("suspense", "suspense/groups", "mendings"):
            assert stranger.program.get(path).json()["results"] == [], path
        asked = {"choice": {"rows": [row_of("K-17").pk]}, "change": SET_ACC1}
        said = stranger.program.post("suspense/preview", asked).json()
        assert (said["row_count"], said["results"]) == (0, [])

    def test_call_a_method_that_a_route_has_not(self, world: World) -> None:
        assert world.program.post("suspense", {}).status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert world.program.get("suspense/preview").status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_a_row_that_was_freed_is_found_by_its_state(world: World) -> None:
    wait(world, "K-17")
    make_identifier(world.customer, "K-17")
    mend(world.provider)

    assert world.program.get("suspense").json()["results"] == []
    (row,) = world.program.get("suspense", state="resolved").json()["results"]
    assert row["subject"] == "K-17"
    assert row["resolved_at"] is not None
