import re

import pytest
from django.core import mail
from django.test import Client

from customers.models import Customer
from resellers.models import Reseller, ResellerModule
from tenancy.models import User
from tests.factories import (
    make_customer,
    make_provider,
    make_reseller,
    make_reseller_user,
    make_staff,
    make_team_member,
    make_user,
)

PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> str:
    """Where somebody lands, or the sign-in page's own address if refused."""
    response = client.post("/sign-in/", {"login": email, "password": password, **more}, follow=True)
    return str(response.request["PATH_INFO"])


class TestSigningIn:
    def test_takes_everybody_to_their_own_surface(self, client: Client) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        people = {
            "/console/": make_staff(provider, email="a@aurora.example", password=PASSWORD),
            "/account/": make_team_member(
                make_customer(provider, reseller), email="c@aurora.example", password=PASSWORD
            ),
            "/reseller/": make_reseller_user(reseller, email="r@aurora.example", password=PASSWORD),
        }

        assert {sign_in(Client(), user.email): user for user in people.values()} == people

    def test_knows_people_whatever_the_case_of_their_address(self, client: Client) -> None:
        make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)

        assert sign_in(client, "A@Aurora.EXAMPLE") == "/console/"

    def test_remembers_when_somebody_was_last_there(self, client: Client) -> None:
        user = make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)

        sign_in(client, user.email)

        user.refresh_from_db()
        assert user.last_login is not None

    def test_goes_on_to_the_page_that_was_asked_for(self, client: Client) -> None:
        make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)

        response = client.get("/console/", follow=True)

        assert response.redirect_chain == [("/sign-in/?next=/console/", 302)]
        assert sign_in(client, "a@aurora.example", next="/console/") == "/console/"

    def test_goes_on_to_no_other_site(self, client: Client) -> None:
        make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)

        assert sign_in(client, "a@aurora.example", next="https://evil.example/") == "/console/"

    @pytest.mark.parametrize("email", ["a@aurora.example", "nobody@aurora.example"])
    def test_says_the_same_for_a_wrong_password_and_an_unknown_address(
        self, client: Client, email: str
    ) -> None:
        make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)

        response = client.post("/sign-in/", {"login": email, "password": "wrong"})

        assert response.status_code == 200
        assert "email address and/or password you specified are not correct" in (
            response.content.decode()
        )
        assert "_auth_user_id" not in client.session

    def test_locks_out_after_five_wrong_passwords(self, client: Client) -> None:
        make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)
        for _ in range(5):
            sign_in(client, "a@aurora.example", "wrong")

        assert sign_in(client, "a@aurora.example") == "/sign-in/"

        make_staff(make_provider(), email="b@aurora.example", password=PASSWORD)
        assert sign_in(client, "b@aurora.example") == "/console/"

    def test_refuses_a_form_without_its_token(self) -> None:
        make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)
        strict = Client(enforce_csrf_checks=True)

        response = strict.post("/sign-in/", {"login": "a@aurora.example", "password": PASSWORD})

        assert response.status_code == 403
        assert "Please try again" in response.content.decode()

    def test_is_closed_to_strangers_who_want_an_account(self, client: Client) -> None:
        for path in ("/sign-up/", "/signup/", "/accounts/signup/"):
            assert client.post(path, {"email": "x@example.com"}).status_code == 404

        assert not User.objects.exists()


class TestPeopleWithNothingToSee:
    def turned_away(self, client: Client, user: User) -> bool:
        client.force_login(user)
        response = client.get("/")
        pages = [client.get(path).status_code for path in ("/console/", "/account/", "/reseller/")]
        return response.status_code == 403 and pages == [404, 404, 404]

    def test_are_users_who_belong_to_nobody(self, client: Client) -> None:
        make_provider()

        assert self.turned_away(client, make_user("a@aurora.example"))

    def test_are_users_of_a_disabled_reseller(self, client: Client) -> None:
        reseller = make_reseller(make_provider(), state=Reseller.State.DISABLED)

        assert self.turned_away(client, make_reseller_user(reseller))

    def test_are_resellers_while_the_module_is_off(self, client: Client) -> None:
        provider = make_provider()
        user = make_reseller_user(make_reseller(provider))
        ResellerModule.objects.filter(provider=provider).update(is_enabled=False)

        assert self.turned_away(client, user)

    @pytest.mark.parametrize("state", ["AWAITING_CONFIRMATION", "DRAFT"])
    def test_are_customers_who_are_not_admitted_yet(self, client: Client, state: str) -> None:
        customer = make_customer(make_provider(), state=state)

        assert self.turned_away(client, make_team_member(customer))

    def test_are_not_customers_who_have_left(self, client: Client) -> None:
        customer = make_customer(make_provider(), state=Customer.State.TERMINATED)
        client.force_login(make_team_member(customer))

        assert client.get("/account/").status_code == 200

    def test_are_told_so_when_their_sign_in_is_switched_off(self, client: Client) -> None:
        make_staff(make_provider(), email="a@aurora.example", password=PASSWORD, is_active=False)

        assert sign_in(client, "a@aurora.example") == "/sign-in/inactive/"
        assert client.get("/console/").status_code == 302

    def test_lose_what_they_saw_at_once(self, client: Client) -> None:
        user = make_staff(make_provider())
        client.force_login(user)
        assert client.get("/console/").status_code == 200

        user.memberships.get().delete()

        assert client.get("/console/").status_code == 404


class TestSigningOut:
    def test_takes_a_post(self, client: Client) -> None:
        client.force_login(make_staff(make_provider()))

        assert client.get("/sign-out/").status_code == 405
        assert client.get("/console/").status_code == 200

        response = client.post("/sign-out/")

        assert response.headers["Location"] == "/sign-in/"
        assert client.get("/console/").status_code == 302

    def test_works_from_the_reseller_portal_too(self, client: Client) -> None:
        client.force_login(make_reseller_user(make_reseller(make_provider())))
        assert client.get("/reseller/").status_code == 200

        client.post("/sign-out/")

        assert client.get("/reseller/").status_code == 302


class TestAForgottenPassword:
    def test_is_replaced_by_a_link_that_works_once(self, client: Client) -> None:
        make_staff(make_provider(), email="a@aurora.example", password="forgotten password")
        client.post("/password/reset/", {"email": "A@aurora.example"})
        (message,) = mail.outbox
        assert message.to == ["a@aurora.example"]
        (link,) = re.findall(r"http://testserver(\S+)", str(message.body))

        form = client.get(link, follow=True)
        new = {"password1": PASSWORD, "password2": PASSWORD}
        saved = client.post(form.request["PATH_INFO"], new, follow=True)

        assert "Your new password is saved" in saved.content.decode()
        assert "This link no longer works" in Client().get(link, follow=True).content.decode()
        assert sign_in(Client(), "a@aurora.example", "forgotten password") == "/sign-in/"
        assert sign_in(Client(), "a@aurora.example") == "/console/"

    def test_is_not_replaced_by_a_weak_one(self, client: Client) -> None:
        user = make_staff(make_provider(), email="a@aurora.example", password=PASSWORD)
        client.post("/password/reset/", {"email": user.email})
        (link,) = re.findall(r"http://testserver(\S+)", str(mail.outbox[0].body))
        form = client.get(link, follow=True)

        client.post(form.request["PATH_INFO"], {"password1": "short", "password2": "short"})

        user.refresh_from_db()
        assert user.check_password(PASSWORD)

    def test_tells_a_stranger_nothing(self, client: Client) -> None:
        response = client.post("/password/reset/", {"email": "x@example.com"}, follow=True)

        assert response.request["PATH_INFO"] == "/password/reset/sent/"
        assert mail.outbox == []
