import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from tenancy.models import ApiToken, Provider, Role, User
from tenancy.rules.tokens import hash_of
from tests.factories import make_provider, make_staff
from tests.factories.api import Program, make_token
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
TOKENS = "/console/settings/api-tokens/"
NEW = f"{TOKENS}new/"


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def admin(provider: Provider) -> User:
    return make_staff(provider, email="ada@aurora.example")


@pytest.fixture
def client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def fields(**changed: object) -> dict[str, object]:
    soon = (timezone.now() + timedelta(days=30)).date().isoformat()
    return {"name": "Switch", "scopes": ["xdrs:read"], "expires_on": soon, **changed}


class TestTheList:
    def test_shows_the_providers_own_tokens(self, client: Client, provider: Provider) -> None:
        token, secret = make_token(provider, "xdrs:read", name="Switch in Frankfurt")
        make_token(make_provider(), name="Theirs")

        shown = page(client, TOKENS)

        assert "Switch in Frankfurt" in shown
        assert token.shown_start in shown
        assert "Theirs" not in shown
        assert secret not in shown

    def test_is_filtered_by_state(self, client: Client, provider: Provider) -> None:
        long_ago = timezone.now() - timedelta(days=90)
        make_token(provider, name="Living one")
        make_token(provider, name="Gone", at=long_ago, expires_at=long_ago + timedelta(days=1))

        assert "Gone" not in page(client, f"{TOKENS}?state=live")
        assert "Living one" not in page(client, f"{TOKENS}?state=expired")

    def test_asks_as_often_for_many_as_for_few(self, client: Client, provider: Provider) -> None:
        make_token(provider)
        few = query_count(client, TOKENS)
        for _ in range(5):
            make_token(provider)

        assert query_count(client, TOKENS) == few


class TestMakingOne:
    def test_shows_it_once_and_keeps_its_hash(self, client: Client, admin: User) -> None:
        address = client.post(NEW, fields())["Location"]

        shown = page(client, address)

        (secret,) = set(re.findall(r"tgt_[\w-]{43}", shown))
        token = ApiToken.objects.get()
        assert token.secret_hash == hash_of(secret)
        assert (token.membership and token.membership.user_id, token.role) == (admin.pk, None)
        assert Program(secret).get("xdrs").status_code == HTTPStatus.OK
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND

    def test_is_shown_to_nobody_else(self, client: Client, provider: Provider) -> None:
        address = client.post(NEW, fields())["Location"]

        assert as_role(provider, "Admin").get(address).status_code == HTTPStatus.NOT_FOUND

    def test_is_audited_without_the_secret(self, client: Client, admin: User) -> None:
        client.post(NEW, fields(networks="192.0.2.0/24"))

        entry = Entry.objects.get(action="api_token.created")
        token = ApiToken.objects.get()
        assert (entry.actor_id, entry.object_id) == (admin.pk, str(token.pk))
        assert entry.after is not None
        assert (entry.after["name"], entry.after["scopes"]) == ("Switch", "xdrs:read")
        assert token.secret_hash not in str(entry.after)

    def test_of_a_service_account_is_for_who_may_change_settings(
        self, client: Client, provider: Provider
    ) -> None:
        role = provider_role(provider, "Service")
        service = as_role(provider, "Service")

        client.post(NEW, fields(role=role))
        service.post(NEW, fields(role=role, name="Own"))

        assert ApiToken.objects.get(name="Switch").role_id == role
        assert ApiToken.objects.get(name="Own").membership is not None

    def test_offers_only_what_one_holds(self, provider: Provider) -> None:
        marketing = as_role(provider, "Marketing")

        shown = page(marketing, NEW)
        said = refused(marketing, NEW, **fields(scopes=["xdrs:write"]))

        assert "rates:read" in shown
        assert "xdrs:write" not in shown
        assert "Select a valid choice" in said
        assert ApiToken.objects.count() == 0

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"name": ""}, "This field is required"),
            ({"scopes": []}, "This field is required"),
            ({"expires_on": "2020-01-01"}, "expires within 366 days"),
            ({"expires_on": "2999-01-01"}, "expires within 366 days"),
            ({"networks": "everywhere"}, "does not appear to be an IPv4 or IPv6 network"),
            ({"networks": "192.0.2.7/24"}, "has host bits set"),
        ],
    )
    def test_refuses_what_is_wrong(
        self, client: Client, wrong: dict[str, object], message: str
    ) -> None:
        assert message in refused(client, NEW, **fields(**wrong))
        assert ApiToken.objects.count() == 0

    def test_beyond_its_role_is_refused(self, client: Client, provider: Provider) -> None:
        role = provider_role(provider, "Marketing")

        said = refused(client, NEW, **fields(role=role, scopes=["xdrs:write"]))

        assert "does not hold what xdrs:write lets do" in said
        assert ApiToken.objects.count() == 0


def provider_role(provider: Provider, name: str) -> int:
    return Role.objects.get(provider=provider, name=name).pk


class TestOne:
    def test_says_what_it_may_do_and_when_it_was_used(
        self, client: Client, provider: Provider
    ) -> None:
        token, secret = make_token(provider, "xdrs:read", networks=["127.0.0.0/8"])
        Program(secret).get("xdrs")

        shown = page(client, f"{TOKENS}{token.pk}/")

        assert "Read xDRs, their legs" in shown
        assert "127.0.0.0/8" in shown
        assert "from 127.0.0.1" in shown
        assert secret not in shown

    def test_of_another_provider_is_not_there(self, client: Client) -> None:
        token, _ = make_token(make_provider())

        for step in ("", "revoke/", "secret/"):
            path = f"{TOKENS}{token.pk}/{step}"
            assert client.get(path).status_code == HTTPStatus.NOT_FOUND


class TestRevoking:
    def test_ends_it_at_once(self, client: Client, provider: Provider, admin: User) -> None:
        token, secret = make_token(provider)

        confirm(client, f"{TOKENS}{token.pk}/revoke/")

        assert Program(secret).get("xdrs").status_code == HTTPStatus.UNAUTHORIZED
        assert Entry.objects.get(action="api_token.revoked").actor_id == admin.pk

    def test_twice_is_refused(self, client: Client, provider: Provider) -> None:
        token, _ = make_token(provider)
        confirm(client, f"{TOKENS}{token.pk}/revoke/")

        said = refused(client, f"{TOKENS}{token.pk}/revoke/", _confirmed="1")

        assert "was revoked on" in said

    def test_is_for_its_holder_and_who_may_change_settings(self, provider: Provider) -> None:
        service = make_staff(provider, "Service")
        client = Client()
        client.force_login(service)
        client.post(NEW, fields(name="Own"))
        own, other = ApiToken.objects.get(), make_token(provider)[0]

        confirm(client, f"{TOKENS}{own.pk}/revoke/")
        answer = client.post(f"{TOKENS}{other.pk}/revoke/", {"_confirmed": "1"})

        assert answer.status_code == HTTPStatus.NOT_FOUND
        other.refresh_from_db()
        assert other.revoked_at is None

    def test_needs_a_form(self, client: Client, provider: Provider) -> None:
        token, _ = make_token(provider)

        assert client.put(f"{TOKENS}{token.pk}/revoke/").status_code == 405
        assert client.post(TOKENS).status_code == HTTPStatus.METHOD_NOT_ALLOWED
