"""xDRs that programs send one by one."""

import gzip
import json
import re
from contextlib import closing
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from cdr.models import (
    AllowanceCounter,
    Leg,
    Source,
    Suspense,
    UsageCharge,
    Xdr,
    XdrChunk,
    XdrFile,
)
from cdr.services import single_xdrs
from common.locks import lock_key
from tenancy.models import AnsweredCall
from tests import factories
from tests.factories.allowances import give_minutes
from tests.factories.api import program_of
from tests.web.api.world import World, call
from web.api.v1 import receiving

pytestmark = pytest.mark.django_db


class TestSendingOne:
    def test_rates_and_commits_it_before_it_is_answered(self, world: World) -> None:
        answer = world.program.post("xdrs", call())

        assert answer.status_code == HTTPStatus.CREATED
        said = answer.json()
        assert (said["result"], said["is_duplicate"], said["waiting"]) == ("rated", False, [])
        assert [(leg["kind"], leg["amount"], leg["currency"]) for leg in said["legs"]] == [
            ("customer", "0.05000000", "EUR"),
            ("vendor", "0.02000000", "EUR"),
        ]
        assert answer["Location"] == f"/api/v1/xdrs/{said['id']}"
        assert world.program.get(f"xdrs/{said['id']}").json()["legs"] == said["legs"]
        row = Xdr.objects.get()
        assert (row.customer_id, row.volume, row.call_id) == (world.customer.pk, 60, "call-1")
        charged = UsageCharge.objects.filter(kind=1).aggregate(amount=Sum("amount"))
        assert charged["amount"] == Decimal("0.05")

    def test_stores_all_that_belongs_to_it_by_two_messages(self, world: World) -> None:
        world.program.post("xdrs", call(call_id="before, for what is read once"))

        with CaptureQueriesContext(connection) as asked:
            world.program.post("xdrs", call(volume=30), {"Idempotency-Key": "one"})

        writing = [query["sql"] for query in asked if "INSERT INTO" in query["sql"]]
        assert [re.findall(r"INSERT INTO \W?(\w+)|(cdr_add_counts)", sql) for sql in writing] == [
            [("cdr_xdr", "")],
            [
                ("cdr_usagecharge", ""),
                ("cdr_leg", ""),
                ("", "cdr_add_counts"),
                ("tenancy_answeredcall", ""),
            ],
        ]

    def test_uses_what_the_customers_subscription_includes(self, world: World) -> None:
        give_minutes(world.customer, world.source.product, 45)

        said = world.program.post("xdrs", call()).json()

        leg = said["legs"][0]
        assert (leg["included_volume"], leg["billed_volume"]) == (45, 15)
        assert leg["amount"] == "0.01250000"
        counter = AllowanceCounter.objects.get(customer=world.customer)
        assert (counter.granted_volume, counter.used_volume) == (45, 45)
        explained = world.program.get(f"xdrs/{said['id']}/explain").json()["legs"][0]
        assert explained["included"] == [{"allowance": "Minutes", "volume": 45}]
        assert (explained["amount_now"], explained["change"]) == ("0.01250000", "")

    def test_again_changes_nothing(self, world: World) -> None:
        sent = call()
        first = world.program.post("xdrs", sent)

        again = world.program.post("xdrs", sent)

        assert again.status_code == HTTPStatus.OK
        assert again.json() == {**first.json(), "is_duplicate": True}
        assert (Xdr.objects.count(), Leg.objects.count(), UsageCharge.objects.count()) == (1, 2, 2)

    def test_says_why_it_waits(self, world: World) -> None:
        answer = world.program.post("xdrs", call(account_code="nobody"))

        assert answer.status_code == HTTPStatus.CREATED
        said = answer.json()
        assert (said["result"], said["legs"]) == ("suspended", [])
        assert [(each["reason"], each["leg"]) for each in said["waiting"]] == [
            ("unknown_customer", None)
        ]
        assert Suspense.objects.get().raw.startswith('{"started_at":')

    def test_that_is_too_old_waits_without_a_number(self, world: World) -> None:
        answer = world.program.post("xdrs", call(started_at="2020-01-01T00:00:00Z"))

        assert answer.status_code == HTTPStatus.CREATED
        assert answer.json()["id"] is None
        assert [each["reason"] for each in answer.json()["waiting"]] == ["too_old"]
        assert (Xdr.objects.count(), Suspense.objects.count()) == (0, 1)

    def test_of_no_volume_is_stored_and_costs_nothing(self, world: World) -> None:
        answer = world.program.post("xdrs", call(volume=0, hangup_cause="NO_ANSWER"))

        assert (answer.json()["result"], answer.json()["legs"]) == ("zero", [])

    def test_is_counted_so_that_the_sum_is_the_lines(self, world: World) -> None:
        rated = call()
        others = [call(call_id="2", volume=0), call(call_id="3", account_code="")]
        for sent in (rated, rated, *others):
            world.program.post("xdrs", sent)

        chunk = XdrChunk.objects.get()
        counts = (chunk.rated_count, chunk.duplicate_count, chunk.zero_count, chunk.suspended_count)
        assert chunk.line_count == sum(counts) == 4
        assert counts == (1, 1, 1, 1)
        (shown,) = world.program.get("xdr-files").json()["results"]
        assert (shown["state"], shown["counts"]["read"]) == ("done", 4)

    def test_opens_another_chunk_when_one_is_full(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(single_xdrs, "LINES_PER_OPEN_CHUNK", 2)

        for number in range(3):
            world.program.post("xdrs", call(call_id=str(number)))

        file = XdrFile.objects.get()
        assert list(file.chunks.order_by("number").values_list("first_line", "line_count")) == [
            (1, 2),
            (3, 1),
        ]
        assert sorted(Xdr.objects.values_list("line_number", flat=True)) == [1, 2, 3]

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"started_at": "yesterday"}, "started_at"),
            ({"started_at": "2026-10-01T10:00:00"}, "started_at"),
            ({"started_at": None}, "started_at"),
            ({"volume": -1}, "volume"),
            ({"volume": 1.5}, "volume"),
            ({"volume": True}, "volume"),
            ({"volume": 2**60}, "volume"),
            ({"destination_number": ""}, "destination_number"),
            ({"destination_number": "1" * 65}, "destination_number"),
            ({"call_id": "a\x00b"}, "call_id"),
            ({"call_id": 7}, "call_id"),
            ({"dialled": "49"}, "dialled"),
            ({"a\ud800b": "49"}, r"'a\ud800b'"),
        ],
    )
    def test_that_is_wrong_is_refused_by_field(
        self, world: World, wrong: dict[str, Any], field: str
    ) -> None:
        answer = world.program.post("xdrs", call(**wrong))

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert answer["Content-Type"] == "application/problem+json"
        assert list(answer.json()["fields"]) == [field]
        assert (Xdr.objects.count(), XdrFile.objects.count()) == (0, 0)

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
    def test_that_needs_what_others_hold_is_to_be_sent_again(
        self, world: World, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(receiving, "LOCKS_WITHIN_SECONDS", 1)
        with closing(connection.copy()) as other:
            with other.cursor() as cursor:
                key = lock_key("identities of xDRs", world.source.pk)
                cursor.execute("SELECT pg_advisory_lock(%s)", [key])

            answer = world.program.post("xdrs", call(), headers)

        assert (answer.status_code, answer.json()["code"]) == (503, "HeldByOthers")
        assert answer["Content-Type"] == "application/problem+json"
        assert (Xdr.objects.count(), XdrFile.objects.count()) == (0, 0)
        assert world.program.post("xdrs", call(), headers).status_code == HTTPStatus.CREATED

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
    def test_that_the_database_refuses_is_told_like_any_failure(
        self, world: World, headers: dict[str, str]
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE cdr_xdr ADD CHECK (call_id <> 'call-1')")

        answer = world.program.post("xdrs", call(), headers)

        assert (answer.status_code, answer.json()["code"]) == (500, "Failed")
        assert answer["Content-Type"] == "application/problem+json"
        assert (Xdr.objects.count(), XdrFile.objects.count()) == (0, 0)

    @pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"{", b'{"volume": NaN}', b"\xff"])
    def test_that_is_no_object_of_json_is_refused(self, world: World, body: bytes) -> None:
        answer = world.program.post("xdrs", body)

        assert answer.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert answer["Content-Type"] == "application/problem+json"

    def test_may_be_compressed(self, world: World) -> None:
        packed = gzip.compress(json.dumps(call()).encode())

        answer = world.program.post("xdrs", packed, {"Content-Encoding": "gzip"})

        assert answer.status_code == HTTPStatus.CREATED

    def test_that_unfolds_to_too_much_is_refused(self, world: World) -> None:
        bomb = gzip.compress(b" " * 50_000_000)

        answer = world.program.post("xdrs", bomb, {"Content-Encoding": "gzip"})

        assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        assert answer.json()["code"] == "BodyTooLarge"

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Content-Encoding": "br"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
            ({"Content-Type": "text/csv"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
            ({"Content-Encoding": "gzip"}, HTTPStatus.BAD_REQUEST),
        ],
    )
    def test_in_another_shape_is_refused(
        self, world: World, headers: dict[str, str], status: HTTPStatus
    ) -> None:
        assert world.program.post("xdrs", call(), headers).status_code == status

    def test_needs_a_source_that_takes_it(self, world: World) -> None:
        factories.make_source(world.source.product, slug="switch")

        refused = world.program.post("xdrs?source=switch", call())
        unknown = world.program.post("xdrs?source=other", call())
        Source.objects.update(is_enabled=False)
        disabled = world.program.post("xdrs", call())

        assert refused.json()["code"] == "SourceTakesNoSingleXdrs"
        assert unknown.json()["code"] == "UnknownSource"
        assert disabled.json()["code"] == "SourceTakesNoSingleXdrs"
        assert Xdr.objects.count() == 0


class TestNamingACall:
    KEY = {"Idempotency-Key": "7c1e"}

    def test_answers_it_again_word_for_word(self, world: World) -> None:
        sent = call()
        first = world.program.post("xdrs", sent, self.KEY)

        again = world.program.post("xdrs", sent, self.KEY)

        assert (again.status_code, again.json()) == (HTTPStatus.CREATED, first.json())
        assert again["Idempotent-Replayed"] == "true"
        assert again["Location"] == first["Location"]
        assert AnsweredCall.objects.count() == 1
        assert XdrChunk.objects.get().line_count == 1

    def test_refuses_another_call_under_the_same_name(self, world: World) -> None:
        world.program.post("xdrs", call(), self.KEY)

        answer = world.program.post("xdrs", call(call_id="other"), self.KEY)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert answer.json()["code"] == "IdempotencyKeyReused"
        assert Xdr.objects.count() == 1

    def test_keeps_no_refusal(self, world: World) -> None:
        world.program.post("xdrs", call(volume=-1), self.KEY)

        assert world.program.post("xdrs", call(), self.KEY).status_code == HTTPStatus.CREATED

    def test_is_by_token(self, world: World) -> None:
        world.program.post("xdrs", call(), self.KEY)

        answer = program_of(world.provider).post("xdrs", call(call_id="other"), self.KEY)

        assert answer.status_code == HTTPStatus.CREATED

    @pytest.mark.parametrize("key", ["", "k" * 256])
    def test_takes_a_key_of_some_length(self, world: World, key: str) -> None:
        answer = world.program.post("xdrs", call(), {"Idempotency-Key": key})

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json()["code"] == "IdempotencyKeyNotUnderstood"
