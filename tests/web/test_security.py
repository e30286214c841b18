import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tenancy.models import User
from tests.factories import (
    make_customer,
    make_provider,
    make_reseller,
    make_reseller_user,
    make_staff,
    make_team_member,
)
from tests.mail_server import mail_server
from web.security import device
from web.sessions import BEGAN, SEEN, open_sessions

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)


def sign_in(user: User) -> Client:
    """A browser that has signed in by the page, as far as the password takes it."""
    client = Client(headers={"user-agent": FIREFOX})
    client.post("/sign-in/", {"login": user.email, "password": PASSWORD})
    return client


def landed(client: Client, path: str, **fields: str) -> str:
    response = client.post(path, fields, follow=True)
    return str(response.request["PATH_INFO"])


def confirm(client: Client) -> None:
    """Prove once more who it is; good for five minutes."""
    client.post("/security/confirm/", {"password": PASSWORD})


def code_of(secret: str) -> str:
    """The code of this half minute, good for the next one, too."""
    _, present, _ = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(secret, present)))


def add_app(client: Client) -> tuple[str, list[str]]:
    """Add an authenticator app; its secret, and the recovery codes that came with it."""
    confirm(client)
    page = client.get("/security/app/add/").content.decode()
    (secret,) = re.findall(r'<code class="secret">(\w+)</code>', page)
    codes = client.post("/security/app/add/", {"code": code_of(secret)}, follow=True)
    assert codes.request["PATH_INFO"] == "/security/recovery-codes/"
    return secret, re.findall(r"<li><code>(\w+)</code></li>", codes.content.decode())


class TestTheSecurityPage:
    def test_is_there_for_every_audience_with_their_menu(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        people = {
            "Console": make_staff(provider),
            "Account centre": make_team_member(make_customer(provider), "TECHNICAL"),
            "Reseller portal": make_reseller_user(reseller),
        }

        for surface, someone in people.items():
            client = Client()
            client.force_login(someone)
            page = client.get("/security/")
            assert page.status_code == 200
            assert surface in page.content.decode()

    def test_asks_strangers_to_sign_in(self, client: Client) -> None:
        response = client.get("/security/")

        assert response.headers["Location"] == "/sign-in/?next=/security/"


class TestTheAuthenticatorApp:
    def test_is_asked_for_at_the_next_sign_in(self, user: User) -> None:
        secret, _ = add_app(sign_in(user))
        browser = sign_in(user)

        assert browser.get("/console/").status_code == 302
        assert landed(browser, "/sign-in/code/", code="000000") == "/sign-in/code/"
        assert browser.get("/console/").status_code == 302
        cache.clear()  # which knows that the code that added the app is spent
        assert landed(browser, "/sign-in/code/", code=code_of(secret)) == "/console/"

    def test_ends_the_sessions_that_nobody_proved_it_in(self, user: User) -> None:
        elsewhere, here = sign_in(user), sign_in(user)
        assert elsewhere.get("/console/").status_code == 200

        add_app(here)

        assert here.get("/console/").status_code == 200
        assert elsewhere.get("/console/")["Location"] == "/sign-in/?next=/console/"

    def test_is_added_by_people_of_the_reseller_portal_too(self) -> None:
        user = make_reseller_user(
            make_reseller(make_provider()), email="r@aurora.example", password=PASSWORD
        )

        add_app(sign_in(user))

        assert Authenticator.objects.filter(user=user, type="totp").exists()

    def test_needs_the_password_once_more(self, user: User) -> None:
        response = sign_in(user).get("/security/app/add/")

        assert response.headers["Location"] == "/security/confirm/?next=%2Fsecurity%2Fapp%2Fadd%2F"

    def test_needs_a_right_code(self, user: User) -> None:
        client = sign_in(user)
        confirm(client)
        client.get("/security/app/add/")

        response = client.post("/security/app/add/", {"code": "000000"})

        assert "Incorrect code" in response.content.decode()
        assert not Authenticator.objects.exists()

    def test_is_kept_encrypted(self, user: User) -> None:
        secret, _ = add_app(sign_in(user))

        kept = Authenticator.objects.get(type="totp")
        assert secret not in str(kept.data)
        cache.clear()  # which knows that the code that added the app is spent
        assert kept.wrap().validate_code(code_of(secret))

    def test_is_removed_after_the_password_was_given_again(self, user: User) -> None:
        client = sign_in(user)
        add_app(client)
        make_authentication_old(client)

        asked = client.post("/security/app/remove/")
        assert asked.headers["Location"] == "/security/confirm/?next=%2Fsecurity%2Fapp%2Fremove%2F"
        assert landed(client, asked.headers["Location"], password="wrong") == "/security/confirm/"
        assert Authenticator.objects.filter(type="totp").exists()
        landed(client, asked.headers["Location"], password=PASSWORD)

        assert not Authenticator.objects.filter(type="totp").exists()

    def test_tells_its_owner_by_mail(
        self, user: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        client = sign_in(user)

        with django_capture_on_commit_callbacks(execute=True):
            add_app(client)

        (message,) = mail.outbox
        assert message.to == ["a@aurora.example"]
        assert "The authenticator app was added." in str(message.body)
        assert "From: 127.0.0.1" in str(message.body)

    def test_is_added_though_no_mail_can_be_sent(
        self,
        user: User,
        settings: Settings,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        client = sign_in(user)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"

        with mail_server(refuses=True) as server, django_capture_on_commit_callbacks(execute=True):
            settings.EMAIL_PORT = server.port
            add_app(client)

        assert Authenticator.objects.filter(type="totp").exists()


class TestRecoveryCodes:
    def test_let_somebody_in_once_each(self, user: User) -> None:
        _, codes = add_app(sign_in(user))
        assert len(codes) == 10

        first, second = sign_in(user), sign_in(user)

        assert landed(first, "/sign-in/code/", code=codes[0]) == "/console/"
        assert landed(second, "/sign-in/code/", code=codes[0]) == "/sign-in/code/"

    def test_are_shown_only_after_the_password_was_given_again(self, user: User) -> None:
        client = sign_in(user)
        _, codes = add_app(client)
        make_authentication_old(client)

        download = client.get("/security/recovery-codes/download/")

        assert codes[0] not in download.content.decode()


class TestChangingThePassword:
    def test_ends_all_other_sessions(self, user: User) -> None:
        here, elsewhere = sign_in(user), sign_in(user)
        new = "another horse battery"

        landed(here, "/security/password/", oldpassword=PASSWORD, password1=new, password2=new)

        assert here.get("/console/").status_code == 200
        assert elsewhere.get("/console/").status_code == 302
        assert len(sessions_of(user)) == 1
        user.refresh_from_db()
        assert user.check_password(new)

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"oldpassword": "wrong"}, "type your current password"),
            ({"password1": "short", "password2": "short"}, "at least 12 characters"),
            ({"password2": "something else entirely"}, "same password each time"),
        ],
    )
    def test_says_what_is_wrong_at_the_field(
        self, user: User, fields: dict[str, str], message: str
    ) -> None:
        new = "another horse battery"
        sent = {"oldpassword": PASSWORD, "password1": new, "password2": new} | fields

        page = sign_in(user).post("/security/password/", sent).content.decode()

        assert message in page
        user.refresh_from_db()
        assert user.check_password(PASSWORD)


class TestSessions:
    def test_are_listed_with_browser_and_address(self, user: User) -> None:
        page = sign_in(user).get("/security/").content.decode()

        assert "Firefox on Linux" in page
        assert "127.0.0.1" in page

    def test_can_be_ended_one_by_one(self, user: User) -> None:
        elsewhere, here = sign_in(user), sign_in(user)
        row = UserSession.objects.get(session_key=elsewhere.session.session_key)

        landed(here, f"/security/sessions/{row.pk}/end/")

        assert elsewhere.get("/console/").status_code == 302
        assert here.get("/console/").status_code == 200

    def test_can_be_ended_all_but_this_one(self, user: User) -> None:
        others = [sign_in(user) for _ in range(3)]
        here = sign_in(user)

        landed(here, "/security/sessions/end-others/")

        assert [other.get("/console/").status_code for other in others] == [302] * 3
        assert here.get("/console/").status_code == 200

    def test_of_this_browser_is_ended_by_signing_out_only(self, user: User) -> None:
        here = sign_in(user)

        answer = here.post(f"/security/sessions/{sessions_of(user)[0].pk}/end/")

        assert answer.status_code == 404
        assert here.get("/console/").status_code == 200

    def test_of_others_are_not_there(self, user: User) -> None:
        other = make_staff(make_provider(), email="b@borealis.example", password=PASSWORD)
        sign_in(other)

        response = sign_in(user).post(f"/security/sessions/{sessions_of(other)[0].pk}/end/")

        assert response.status_code == 404
        assert len(sessions_of(other)) == 1

    def test_end_by_a_post_only(self, user: User) -> None:
        client = sign_in(user)
        row = sessions_of(user)[0]

        assert client.get(f"/security/sessions/{row.pk}/end/").status_code == 405
        assert client.get("/security/sessions/end-others/").status_code == 405

    def test_get_a_new_key_with_every_sign_in(self, user: User) -> None:
        client = Client()
        client.get("/sign-in/")
        session = client.session
        session["planted"] = True
        session.save()
        client.cookies[configured.SESSION_COOKIE_NAME] = planted = str(session.session_key)

        client.post("/sign-in/", {"login": user.email, "password": PASSWORD})

        assert client.session.session_key != planted
        assert not Session.objects.filter(pk=planted).exists()


class TestTheLimits:
    @pytest.mark.parametrize(
        ("key", "seconds", "answer"),
        [
            (SEEN, configured.SESSION_IDLE_SECONDS - 30, 200),
            (SEEN, configured.SESSION_IDLE_SECONDS, 302),
            (BEGAN, configured.SESSION_COOKIE_AGE - 30, 200),
            (BEGAN, configured.SESSION_COOKIE_AGE, 302),
        ],
    )
    def test_end_a_session_that_is_idle_or_old(
        self, user: User, key: str, seconds: int, answer: int
    ) -> None:
        client = sign_in(user)
        shift(client, key, seconds)

        assert client.get("/console/").status_code == answer

    def test_say_why_somebody_was_signed_out(self, user: User) -> None:
        client = sign_in(user)
        shift(client, SEEN, configured.SESSION_IDLE_SECONDS)

        page = client.get("/console/", follow=True).content.decode()

        assert "You were signed out, as you had been away for long." in page

    def test_note_use_once_a_minute(self, user: User) -> None:
        client = sign_in(user)
        UserSession.objects.update(last_seen_at=datetime(2026, 1, 1, tzinfo=UTC))
        client.get("/console/")
        assert UserSession.objects.get().last_seen_at == datetime(2026, 1, 1, tzinfo=UTC)
        shift(client, SEEN, 61)

        client.get("/console/")

        assert UserSession.objects.get().last_seen_at > datetime(2026, 1, 2, tzinfo=UTC)


class TestDevice:
    @pytest.mark.parametrize(
        ("user_agent", "name"),
        [
            (FIREFOX, "Firefox on Linux"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Version/18.1 Safari/604.1", "Safari on iOS"),
            ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140", "Edge on Windows"),
            ("curl/8.1", "A program"),
        ],
    )
    def test_is_named_as_people_know_it(self, user_agent: str, name: str) -> None:
        assert device(user_agent) == name


def sessions_of(user: User) -> list[UserSession]:
    return list(open_sessions(user))


def shift(client: Client, key: str, seconds: int) -> None:
    """Make what the session remembers so much older."""
    session = client.session
    session[key] -= seconds
    session.save()


def make_authentication_old(client: Client) -> None:
    """As if the password had been given more than five minutes ago."""
    session: Any = client.session
    old = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    session["account_authentication_methods"] = [
        {**method, "at": old} for method in session["account_authentication_methods"]
    ]
    session.save()
