import pytest
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from audit.models import Entry
from customers.models import Customer
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_staff, make_team_member
from tests.mail_server import mail_server
from tests.web.console.pages import as_role, confirm, page, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora")


@pytest.fixture
def waiting(provider: Provider) -> Customer:
    return make_customer(
        provider, state="DRAFT", channel="SIGN_UP", email="nora@nord.example", active_since=None
    )


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def path(customer: Customer, step: str = "") -> str:
    return f"/console/customers/{customer.pk}/{step}"


class TestASignUpThatWaits:
    def test_is_approved_and_told_so(
        self, staff: Client, waiting: Customer, mailoutbox: list[EmailMessage]
    ) -> None:
        assert path(waiting, "approve/") in page(staff, path(waiting))

        confirm(staff, path(waiting, "approve/"))

        waiting.refresh_from_db()
        assert waiting.state == Customer.State.ACTIVE
        (mail,) = mailoutbox
        assert (mail.to, mail.subject) == (["nora@nord.example"], "Your sign-up at Aurora")
        assert "http://127.0.0.1:8000/sign-in/" in mail.body
        assert path(waiting, "approve/") not in page(staff, path(waiting))

    def test_is_refused_with_a_reason(
        self, staff: Client, waiting: Customer, mailoutbox: list[EmailMessage]
    ) -> None:
        refused(staff, path(waiting, "refuse/"), reason="")

        staff.post(path(waiting, "refuse/"), {"reason": "We do not serve Mars."})

        waiting.refresh_from_db()
        assert waiting.state == Customer.State.TERMINATED
        assert "We do not serve Mars." in mailoutbox[0].body
        entry = Entry.objects.get(action="customer.state_changed")
        assert entry.after == {"state": "TERMINATED", "reason": "We do not serve Mars."}

    def test_sees_nothing_of_the_provider_when_it_was_refused(
        self, staff: Client, waiting: Customer
    ) -> None:
        applicant = Client()
        applicant.force_login(make_team_member(waiting))

        staff.post(path(waiting, "refuse/"), {"reason": "We do not serve Mars."})

        assert applicant.get("/").status_code == 403
        assert applicant.get("/account/").status_code == 404
        assert applicant.get("/account/services/").status_code == 404

    def test_is_approved_though_no_mail_can_be_sent(
        self, staff: Client, waiting: Customer, settings: Settings
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        with mail_server(refuses=True) as server:
            settings.EMAIL_PORT = server.port
            confirm(staff, path(waiting, "approve/"))

        waiting.refresh_from_db()
        assert waiting.state == Customer.State.ACTIVE
        assert "was not sent; write to them" in page(staff, path(waiting))

    def test_is_decided_on_once(self, staff: Client, waiting: Customer) -> None:
        confirm(staff, path(waiting, "approve/"))

        assert staff.post(path(waiting, "refuse/"), {"reason": "No."}).status_code == 404

    def test_is_decided_by_who_may_change_customers(
        self, provider: Provider, waiting: Customer
    ) -> None:
        reader = as_role(provider, "Read-only")

        assert reader.post(path(waiting, "approve/"), {"_confirmed": "1"}).status_code == 403
        waiting.refresh_from_db()
        assert waiting.state == Customer.State.DRAFT

    def test_of_another_provider_is_not_found(self, staff: Client) -> None:
        other = make_customer(make_provider(), state="DRAFT", channel="SIGN_UP")

        assert staff.post(path(other, "approve/"), {"_confirmed": "1"}).status_code == 404


class TestADraftOfTheConsole:
    def test_needs_no_approval(self, staff: Client, provider: Provider) -> None:
        draft = make_customer(provider, state="DRAFT")

        assert staff.get(path(draft, "approve/")).status_code == 404
        assert "Approve" not in page(staff, path(draft))
