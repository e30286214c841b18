"""One's own sign-in in a browser: passkeys, second factors, and how the pages look."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from tenancy.models import User
from tests.e2e.steps import click
from tests.e2e.visits import Visit
from tests.factories import make_provider, make_reseller, make_reseller_user, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"

Visits = Callable[..., Visit]


@pytest.fixture
def user() -> User:
    return make_staff(
        make_provider("aurora", name="Aurora Telecom"),
        email="admin@aurora.example",
        password=PASSWORD,
    )


def with_a_key(page: Page) -> None:
    """Plug a key into the browser that proves its owner, as phones and computers do."""
    chromium = page.context.new_cdp_session(page)
    chromium.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    chromium.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def give_password(page: Page) -> None:
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    click(page.get_by_role("button", name="Go on"))


def sign_in(page: Page) -> None:
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill("admin@aurora.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    click(page.get_by_role("button", name="Sign in", exact=True))


def add_key(page: Page, *, alone: bool) -> None:
    page.goto("/security/")
    click(page.get_by_role("link", name="Add a passkey or key"))
    if page.get_by_role("button", name="Go on").is_visible():
        give_password(page)
    page.get_by_label("Name").fill("Work phone")
    if alone:
        page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def sign_out(page: Page) -> None:
    page.goto("/security/")
    click(page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


class TestAPasskey:
    def test_signs_in_without_a_password(self, visit: Visits, user: User) -> None:
        window = visit(user)
        page = window.page
        with_a_key(page)
        add_key(page, alone=True)
        window.look_at("/security/", "security")
        sign_out(page)

        page.get_by_role("button", name="Sign in with a passkey").click()

        page.wait_for_url("**/console/")
        assert not window.complaints
        assert Authenticator.objects.get(type="webauthn").last_used_at is not None

    def test_that_does_not_answer_is_said_to(self, visit: Visits, user: User) -> None:
        window = visit()
        page = window.open("/sign-in/")
        with_a_key(page)
        expect(page.get_by_text("The key did not answer, or you cancelled.")).to_be_hidden()

        page.get_by_role("button", name="Sign in with a passkey").click()

        expect(page.get_by_text("The key did not answer, or you cancelled.")).to_be_visible()


class TestASecurityKey:
    def test_is_asked_for_after_the_password(self, visit: Visits, user: User) -> None:
        window = visit(user)
        page = window.page
        with_a_key(page)
        add_key(page, alone=False)
        sign_out(page)
        sign_in(page)
        expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
        window.look("sign-in-second-factor")

        page.get_by_role("button", name="Use a passkey or security key").click()

        page.wait_for_url("**/console/")

    def test_confirms_who_one_is(self, visit: Visits, user: User) -> None:
        window = visit(user)
        page = window.page
        with_a_key(page)
        add_key(page, alone=False)

        page.goto("/security/confirm/key/?next=/security/")
        window.look("security-confirm-key")
        page.get_by_role("button", name="Use a passkey or key").click()

        page.wait_for_url("**/security/")


class TestTheLooks:
    def test_of_ones_own_sign_in(self, visit: Visits, user: User) -> None:
        window = visit(user)

        window.look_at("/security/password/", "security-password")
        window.look_at("/security/confirm/?next=/security/app/add/", "security-confirm")
        give_password(window.page)
        expect(window.page.get_by_label("Code")).to_be_visible()
        window.look("security-app-add")
        window.look_at("/security/keys/add/", "security-key-add")
        window.look_at("/sign-in/inactive/", "sign-in-inactive")

    def test_of_people_of_the_reseller_portal(self, visit: Visits) -> None:
        reseller = make_reseller(make_provider("aurora", name="Aurora Telecom"))

        visit(make_reseller_user(reseller)).look_at("/security/", "security-reseller")

    def test_of_the_sign_in_page(self, visit: Visits) -> None:
        visit().look_at("/sign-in/", "sign-in")

    def test_of_the_sign_in_page_without_a_script(self, visit: Visits) -> None:
        page = visit(java_script_enabled=False).open("/sign-in/")

        expect(page.get_by_text("Sign in with a passkey")).to_be_hidden()
