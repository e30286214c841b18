import re
from http import HTTPStatus
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from customers.models import Customer, TeamMember
from resellers.models import Reseller, ResellerModule
from tenancy.models import Provider, User
from tests.factories import LONG_AGO, make_code, make_provider, make_reseller, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/sign-up/aurora/"
PASSWORD = "correct horse battery"
SENT = {
    "kind": "organisation",
    "organisation": "Nord",
    "first_name": "Nora",
    "last_name": "Nord",
    "email": "Nora@nord.example",
    "password": PASSWORD,
    "reseller_code": "",
}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora")


def send(client: Client, **fields: str) -> Any:
    return client.post(ADDRESS, SENT | fields)


def refused(client: Client, **fields: str) -> str:
    """The page that a refused sign-up shows; nothing was written."""
    response = send(client, **fields)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not Customer.objects.exists()
    assert not User.objects.filter(email="nora@nord.example").exists()
    return str(response.content.decode())


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"http://testserver(/\S+)", str(mail.body))
    assert found is not None
    return found[1]


class TestSigningUp:
    def test_makes_a_customer_that_awaits_its_confirmation(
        self, client: Client, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        response = send(client)

        customer = Customer.objects.get()
        member = TeamMember.objects.get()
        assert response.headers["Location"] == "/sign-up/aurora/sent/"
        assert (customer.provider, customer.organisation) == (provider, "Nord")
        assert customer.state == Customer.State.AWAITING_CONFIRMATION
        assert customer.channel == Customer.Channel.SIGN_UP
        assert customer.currency == provider.currency
        assert (member.user.email, member.role) == ("nora@nord.example", "ADMIN")
        assert [mail.to for mail in mailoutbox] == [["nora@nord.example"]]

    def test_takes_a_private_person_without_an_organisation(
        self, client: Client, provider: Provider
    ) -> None:
        send(client, kind="individual", organisation="Ignored")

        assert Customer.objects.get().name == "Nora Nord"

    def test_opens_the_account_when_the_link_is_followed(
        self, client: Client, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        send(client)
        link = link_in(mailoutbox[0])

        looked = client.get(link)
        before = Customer.objects.get().state
        client.post(link)
        again = client.get(link)
        client.post("/sign-in/", {"login": "nora@nord.example", "password": PASSWORD})

        assert "Yes, confirm it" in looked.content.decode()
        assert before == Customer.State.AWAITING_CONFIRMATION
        assert Customer.objects.get().state == Customer.State.ACTIVE
        assert "This link does not work" in again.content.decode()
        assert client.get("/account/").status_code == HTTPStatus.OK

    def test_lets_nobody_in_before(self, client: Client, provider: Provider) -> None:
        send(client)
        client.post("/sign-in/", {"login": "nora@nord.example", "password": PASSWORD})

        assert client.get("/account/").status_code == HTTPStatus.NOT_FOUND

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"organisation": ""}, "Give the organisation&#x27;s name."),
            ({"email": "nora"}, "Enter a valid email address."),
            ({"password": "short"}, "too short"),
            ({"first_name": ""}, "This field is required."),
        ],
    )
    def test_refuses_what_is_wrong_at_the_field(
        self, client: Client, provider: Provider, fields: dict[str, str], message: str
    ) -> None:
        text = refused(client, **fields)

        assert message in text
        assert 'value="Nord"' in text
        assert PASSWORD not in text

    def test_refuses_an_email_that_somebody_has(self, client: Client, provider: Provider) -> None:
        make_user("taken@nord.example")

        response = send(client, email="Taken@nord.example")

        assert "use another address" in response.content.decode()
        assert not Customer.objects.exists()

    def test_of_no_provider_is_not_found(self, client: Client) -> None:
        assert client.get("/sign-up/nobody/").status_code == HTTPStatus.NOT_FOUND


class TestTheResellerCode:
    def test_tags_the_customer(self, client: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)
        make_code(reseller, "RHO1")

        send(client, reseller_code="rho1")

        assert Customer.objects.get().reseller == reseller

    def test_is_filled_in_by_the_link_of_the_reseller(
        self, client: Client, provider: Provider
    ) -> None:
        text = client.get(f"{ADDRESS}?code=RHO1").content.decode()

        assert "<details open>" in text
        assert 'value="RHO1"' in text

    def test_stays_folded_away_without_one(self, client: Client, provider: Provider) -> None:
        text = client.get(ADDRESS).content.decode()

        assert "<details>" in text
        assert "I have a reseller code" in text

    def test_that_is_unknown_is_refused_at_its_field(
        self, client: Client, provider: Provider
    ) -> None:
        make_code(make_reseller(make_provider()), "ELSEWHERE")

        text = refused(client, reseller_code="ELSEWHERE")

        assert "There is no reseller code" in text
        assert 'id="id_reseller_code_error"' in text

    def test_that_has_expired_is_refused(self, client: Client, provider: Provider) -> None:
        make_code(make_reseller(provider), "OLD", expires_at=LONG_AGO)

        assert "has expired" in refused(client, reseller_code="OLD")

    def test_of_a_disabled_reseller_is_refused(self, client: Client, provider: Provider) -> None:
        make_code(make_reseller(provider, state=Reseller.State.DISABLED), "OFF1")

        assert "is not accepted at present" in refused(client, reseller_code="OFF1")

    def test_by_default_is_the_providers(self, client: Client, provider: Provider) -> None:
        code = make_code(make_reseller(provider), "HOUSE")
        ResellerModule.objects.filter(provider=provider).update(default_code=code)

        send(client)

        assert Customer.objects.get().reseller_code == code

    def test_is_not_asked_for_while_the_module_is_off(
        self, client: Client, provider: Provider
    ) -> None:
        ResellerModule.objects.filter(provider=provider).update(is_enabled=False)

        text = client.get(ADDRESS).content.decode()
        send(client, reseller_code="ANY")

        assert "reseller code" not in text
        assert Customer.objects.get().reseller is None
