import re
from http import HTTPStatus
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client

from audit.models import Entry
from customers.models import Consent, Customer, SignUpSettings, SignUpTerms, TeamMember
from customers.services.sign_up_settings import publish_terms
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
        client.post(link, {"password": PASSWORD})
        again = client.get(link)
        client.post("/sign-in/", {"login": "nora@nord.example", "password": PASSWORD})

        assert "Yes, confirm it" in looked.content.decode()
        assert before == Customer.State.AWAITING_CONFIRMATION
        assert Customer.objects.get().state == Customer.State.ACTIVE
        assert "This link does not work" in again.content.decode()
        assert client.get("/account/").status_code == HTTPStatus.OK

    @pytest.mark.parametrize("password", ["", "the victim's own words"])
    def test_opens_nothing_for_a_stranger_who_gave_the_email(
        self,
        client: Client,
        provider: Provider,
        mailoutbox: list[EmailMessage],
        password: str,
    ) -> None:
        send(client)

        shown = client.post(link_in(mailoutbox[0]), {"password": password})

        assert shown.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert 'id="id_password_error"' in shown.content.decode()
        assert Customer.objects.get().state == Customer.State.AWAITING_CONFIRMATION
        assert not EmailAddress.objects.filter(verified=True).exists()

    def test_opens_for_who_chose_another_password_by_mail(
        self, client: Client, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        send(client)
        client.post("/password/reset/", {"email": "nora@nord.example"})
        choose = client.get(link_in(mailoutbox[1]), follow=True)
        words = {"password1": "mine and mine alone", "password2": "mine and mine alone"}
        client.post(choose.redirect_chain[-1][0], words)

        client.post(link_in(mailoutbox[0]), {"password": "mine and mine alone"})

        assert Customer.objects.get().state == Customer.State.ACTIVE

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

    def test_tells_nobody_that_an_email_is_taken_but_its_owner(
        self, client: Client, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        make_user("taken@nord.example", password=PASSWORD)

        response = send(client, email="Taken@nord.example")

        assert response.headers["Location"] == "/sign-up/aurora/sent/"
        assert not Customer.objects.exists()
        (mail,) = mailoutbox
        assert mail.to == ["Taken@nord.example"]
        assert "You can sign in with that\naddress already" in mail.body

    @pytest.mark.parametrize("email", ["taken@nord.example", "free@nord.example"])
    def test_says_the_same_of_a_weak_password_whoever_has_the_email(
        self, client: Client, provider: Provider, email: str
    ) -> None:
        make_user("taken@nord.example")

        assert "too short" in refused(client, email=email, password="short")

    def test_of_no_provider_is_not_found(self, client: Client) -> None:
        assert client.get("/sign-up/nobody/").status_code == HTTPStatus.NOT_FOUND


class TestAnotherLink:
    def test_goes_to_who_waits_for_one_every_three_minutes(
        self, client: Client, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        send(client)
        for _ in range(2):
            response = client.post(f"{ADDRESS}again/", {"email": "nora@nord.example"}, follow=True)

        assert "another one is on its way" in response.content.decode()
        assert [mail.to for mail in mailoutbox] == [["nora@nord.example"]] * 2
        client.post(link_in(mailoutbox[1]), {"password": PASSWORD})
        assert Customer.objects.get().state == Customer.State.ACTIVE

    def test_goes_to_nobody_else_and_does_not_say_so(
        self, client: Client, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        make_user("taken@nord.example")

        for email in ("taken@nord.example", "nobody@nord.example", ""):
            response = client.post(f"{ADDRESS}again/", {"email": email}, follow=True)
            assert "another one is on its way" in response.content.decode()

        assert mailoutbox == []

    def test_comes_too_by_signing_up_once_more(
        self, client: Client, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        for _ in range(2):
            send(client)

        assert Customer.objects.count() == 1
        assert [mail.subject for mail in mailoutbox] == ["Confirm your e-mail"] * 2


class TestTheModes:
    def settings(self, provider: Provider, **fields: Any) -> None:
        SignUpSettings.objects.create(provider=provider, **fields)

    def test_with_approval_opens_no_account_yet(
        self, client: Client, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        self.settings(provider, mode="APPROVAL")

        page = client.get(ADDRESS).content.decode()
        send(client)
        confirmed = client.post(
            link_in(mailoutbox[0]), {"password": PASSWORD}, follow=True
        ).content.decode()

        assert "then Aurora looks at your sign-up" in page
        assert Customer.objects.get().state == Customer.State.DRAFT
        assert "Aurora looks at your sign-up and writes to you" in confirmed
        client.post("/sign-in/", {"login": "nora@nord.example", "password": PASSWORD})
        assert client.get("/account/").status_code == HTTPStatus.NOT_FOUND

    def test_by_invitation_only_takes_in_nobody(self, client: Client, provider: Provider) -> None:
        self.settings(provider, mode="INVITATION")

        assert "By invitation only" in client.get(ADDRESS).content.decode()
        assert "By invitation only" in send(client).content.decode()
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("email", ["nora@trash.example", "nora@mail.TRASH.example"])
    def test_refuse_blocked_mail_domains(
        self, client: Client, provider: Provider, email: str
    ) -> None:
        self.settings(provider, blocked_domains=["trash.example"])

        text = refused(client, email=email)

        assert "are not accepted; use another one." in text
        assert 'id="id_email_error"' in text

    def test_let_people_choose_a_currency(self, client: Client, provider: Provider) -> None:
        self.settings(provider, currencies=["USD"])

        assert "You are billed in</label>" in client.get(ADDRESS).content.decode()
        refused(client, currency="GBP")
        send(client, currency="USD")

        assert Customer.objects.get().currency == "USD"


class TestTheTerms:
    @pytest.fixture
    def terms(self, provider: Provider) -> SignUpTerms:
        return publish_terms(
            provider_id=provider.pk, text="Pay in time.", at=LONG_AGO, actor_id=None
        )

    def test_are_there_for_everybody_to_read(self, client: Client, terms: SignUpTerms) -> None:
        text = client.get(f"{ADDRESS}terms/").content.decode()

        assert "Pay in time." in text
        assert "Version 1, 1 Jan 2026" in text

    def test_are_agreed_to_and_it_is_kept_when_and_which(
        self, client: Client, terms: SignUpTerms
    ) -> None:
        send(client, agrees="on", terms_version="1")

        consent = Consent.objects.get()
        customer = Customer.objects.get()
        assert (consent.customer, consent.terms, consent.address) == (customer, terms, "127.0.0.1")
        assert consent.agreed_at == customer.created_at
        entry = Entry.objects.get(action="customer.agreed_to_terms")
        assert (entry.object_id, entry.after) == (str(customer.pk), {"version": "1"})

    def test_must_be_agreed_to(self, client: Client, terms: SignUpTerms) -> None:
        text = refused(client, terms_version="1")

        assert "Without your agreement no account can be opened." in text

    def test_that_have_changed_meanwhile_are_to_be_read_again(
        self, client: Client, provider: Provider, terms: SignUpTerms
    ) -> None:
        publish_terms(provider_id=provider.pk, text="Pay now.", at=LONG_AGO, actor_id=None)

        text = refused(client, agrees="on", terms_version="1")

        assert "The terms have changed meanwhile" in text
        assert 'name="terms_version" value="2"' in text


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
