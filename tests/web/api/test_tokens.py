"""Who is let in: a token that is valid, from where it may be used, for what its scopes say."""

import json
import socket
import time
from datetime import timedelta
from http import HTTPStatus
from io import BytesIO
from threading import Timer
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from audit.models import Entry
from tenancy.models import ApiToken, Membership, Provider, Role
from tenancy.rules.scopes import SCOPES
from tenancy.services.api_tokens import revoke_token
from tenancy.services.staff import withdraw_access
from tests import factories
from tests.factories.api import Program, make_token, member_of, program_of
from tests.race import race
from tests.web.api.world import World, call
from web.api.rate_limits import ANSWERS_WITHIN_SECONDS, FAILURES_A_MINUTE

pytestmark = pytest.mark.django_db

NEEDS = {"xdrs": "xdrs:read", "xdr-files": "xdrs:read", "rate-tables": "rates:read"}


@pytest.fixture
def provider() -> Provider:
    return factories.make_provider("aurora")


class TestAToken:
    def test_lets_its_program_in(self, provider: Provider) -> None:
        answer = program_of(provider).get("xdrs")

        assert answer.status_code == HTTPStatus.OK
        assert answer.json() == {"results": [], "next": None}
        assert answer["Cache-Control"] == "private, no-store"

    @pytest.mark.parametrize("secret", [None, "", "tgt_wrong", "no token at all", "tgt_\x00"])
    def test_is_asked_for(self, provider: Provider, secret: str | None) -> None:
        make_token(provider)

        answer = Program(secret).get("xdrs")

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert answer.json()["code"] == "TokenRefused"

    def test_is_not_replaced_by_a_session(self, provider: Provider) -> None:
        program = Program(None)
        program.client.force_login(factories.make_staff(provider))

        assert program.get("xdrs").status_code == HTTPStatus.UNAUTHORIZED

    def test_fails_in_words_beside_a_session_too(self, provider: Provider) -> None:
        program = program_of(provider)
        program.client.force_login(factories.make_staff(provider))

        assert program.get("xdrs?customer=none").status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    def test_ends_when_it_expires(self, provider: Provider) -> None:
        made_at = timezone.now() - timedelta(days=31)
        program = program_of(provider, at=made_at, expires_at=made_at + timedelta(days=30))

        assert program.get("xdrs").status_code == HTTPStatus.UNAUTHORIZED

    def test_ends_when_it_is_revoked(self, provider: Provider) -> None:
        token, secret = make_token(provider)
        program = Program(secret)
        assert program.get("xdrs").status_code == HTTPStatus.OK

        revoke_token(token=token, at=timezone.now(), actor_id=token.created_by_id)

        assert program.get("xdrs").status_code == HTTPStatus.UNAUTHORIZED

    def test_ends_when_its_member_may_not_sign_in_any_more(self, provider: Provider) -> None:
        token, secret = make_token(provider)
        admin = factories.make_staff(provider)

        withdraw_access(membership=member_of(token), actor_id=admin.pk)

        assert Program(secret).get("xdrs").status_code == HTTPStatus.UNAUTHORIZED

    def test_of_a_service_account_outlives_who_made_it(self, provider: Provider) -> None:
        token, secret = make_token(provider, "xdrs:read", role="Service")
        admin = factories.make_staff(provider)
        maker = maker_of(token)

        withdraw_access(membership=maker, actor_id=admin.pk)

        assert Program(secret).get("xdrs").status_code == HTTPStatus.OK

    def test_shrinks_with_its_role(self, provider: Provider) -> None:
        token, secret = make_token(provider, "xdrs:read")
        membership = member_of(token)
        membership.role = Role.objects.create(
            provider=provider, name="Cashier", permissions=["money.read"]
        )
        membership.save()

        answer = Program(secret).get("xdrs")

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.json()["code"] == "ScopeMissing"
        assert "usage.read" in answer.json()["detail"]

    @pytest.mark.parametrize(
        ("networks", "status"),
        [
            (["127.0.0.1"], HTTPStatus.OK),
            (["192.0.2.0/24", "127.0.0.0/8"], HTTPStatus.OK),
            (["192.0.2.0/24"], HTTPStatus.UNAUTHORIZED),
            (["::1"], HTTPStatus.UNAUTHORIZED),
        ],
    )
    def test_is_bound_to_networks_on_wish(
        self, provider: Provider, networks: list[str], status: HTTPStatus
    ) -> None:
        assert program_of(provider, networks=networks).get("xdrs").status_code == status

    def test_is_seen_to_be_used_once_a_minute(self, provider: Provider) -> None:
        token, secret = make_token(provider)
        Program(secret).get("xdrs")
        first = ApiToken.objects.get(pk=token.pk)

        Program(secret).get("xdrs")

        again = ApiToken.objects.get(pk=token.pk)
        assert first.last_used_at is not None
        assert (again.last_used_at, again.last_used_from) == (first.last_used_at, "127.0.0.1")


@pytest.mark.django_db(transaction=True)
class TestASlowCall:
    def test_does_not_keep_its_token_from_being_revoked(self) -> None:
        world = World("aurora")
        token, secret = make_token(world.provider)
        body = json.dumps(call()).encode()
        outcome: list[object] = []

        def revoke() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            revoke_token(token=token, at=timezone.now(), actor_id=token.created_by_id)

        class Slow(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if not outcome:
                    outcome.extend(race(revoke))
                return super().read(size)

        sent: dict[str, Any] = {"wsgi.input": Slow(body)}
        answer = Program(secret).client.post(
            "/api/v1/xdrs",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
            **sent,
        )

        assert outcome == [None]
        assert answer.status_code == HTTPStatus.CREATED
        assert Program(secret).get("xdrs").status_code == HTTPStatus.UNAUTHORIZED


def maker_of(token: ApiToken) -> Membership:
    return token.created_by.memberships.get()


class TestScopes:
    @pytest.mark.parametrize("scope", SCOPES)
    @pytest.mark.parametrize("path", NEEDS)
    def test_open_their_own_routes_only(self, provider: Provider, path: str, scope: str) -> None:
        answer = program_of(provider, scope).get(path)

        is_open = NEEDS[path] == scope
        assert answer.status_code == (HTTPStatus.OK if is_open else HTTPStatus.FORBIDDEN)

    def test_to_read_do_not_let_write(self, provider: Provider) -> None:
        answer = program_of(provider, "xdrs:read").post("xdrs", {})

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.json()["code"] == "ScopeMissing"


class TestTheAuditLog:
    def test_names_the_token_that_asked(self, provider: Provider) -> None:
        voice = factories.make_product(provider)
        factories.make_source(voice, slug="api", format="tollgate-json")
        token, secret = make_token(provider, "xdrs:write", role="Service")

        sent = {"Content-Type": "application/x-ndjson"}
        answer = Program(secret).post("xdrs", b"{}\n", sent)

        assert answer.status_code == HTTPStatus.ACCEPTED
        entry = Entry.objects.get(action="xdr_file.received")
        assert (entry.actor_id, entry.token_id) == (None, token.pk)


class TestTheRateLimit:
    def test_is_told_with_every_answer_and_kept(
        self, provider: Provider, settings: Settings
    ) -> None:
        settings.API_CALLS_A_MINUTE = 2
        program, other = program_of(provider), program_of(provider)

        answers = [program.get("xdrs") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0]["RateLimit-Policy"] == '"calls";q=2;w=60'
        assert [answer["RateLimit"].partition(";t=")[0] for answer in answers] == [
            '"calls";r=1',
            '"calls";r=0',
            '"calls";r=0',
        ]
        assert answers[2]["Content-Type"] == "application/problem+json"
        assert answers[2].json()["code"] == "TooManyRequests"
        assert 1 <= int(answers[2]["Retry-After"]) <= 60
        assert other.get("xdrs").status_code == HTTPStatus.OK

    def test_waits_not_long_for_a_cache_that_does_not_answer(
        self, provider: Provider, settings: Settings
    ) -> None:
        program = program_of(provider)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}"
            giving_up = Timer(10, silent.shutdown, [socket.SHUT_RDWR])
            giving_up.start()
            began = time.monotonic()

            answer = program.get("xdrs")

            waited = time.monotonic() - began
            giving_up.cancel()
        assert answer.status_code == HTTPStatus.OK
        assert waited < 5 * ANSWERS_WITHIN_SECONDS

    def test_slows_down_who_guesses(self, provider: Provider) -> None:
        guesses = [Program("tgt_guess").get("xdrs") for _ in range(FAILURES_A_MINUTE + 1)]

        assert guesses[-2].status_code == HTTPStatus.UNAUTHORIZED
        assert guesses[-1].status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert program_of(provider).get("xdrs").status_code == HTTPStatus.OK
