import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from tenancy.models import Provider, User
from tests.factories import make_customer, make_provider, make_staff, make_team_member
from tests.web.console.pages import as_role, confirm, page, refused
from tests.web.matrix import all_pages, nothing

pytestmark = pytest.mark.django_db
ASK = "/console/settings/second-factor/ask/"
LEAVE = "/console/settings/second-factor/leave/"


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def admin(provider: Provider) -> User:
    return make_staff(provider)


@pytest.fixture
def staff(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def add_key(user: User) -> None:
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Key"})


def asked_of_all(provider: Provider) -> None:
    Provider.objects.filter(pk=provider.pk).update(staff_need_second_factor=True)


class TestTheSwitch:
    def test_is_turned_on_and_off_and_audited(
        self, staff: Client, admin: User, provider: Provider
    ) -> None:
        add_key(admin)

        offered = page(staff, "/console/settings/")
        confirm(staff, ASK)
        provider.refresh_from_db()
        on = provider.staff_need_second_factor
        assert (ASK in offered, LEAVE in offered) == (True, False)
        assert LEAVE in page(staff, "/console/settings/")
        confirm(staff, LEAVE)
        provider.refresh_from_db()

        assert (on, provider.staff_need_second_factor) == (True, False)
        entry = Entry.objects.filter(action="provider.changed").order_by("pk")[0]
        assert entry.before == {"staff_need_second_factor": "False"}
        assert entry.after == {"staff_need_second_factor": "True"}

    def test_stays_on_when_it_is_turned_on_twice(
        self, staff: Client, admin: User, provider: Provider
    ) -> None:
        add_key(admin)

        confirm(staff, ASK)
        confirm(staff, ASK)

        provider.refresh_from_db()
        assert provider.staff_need_second_factor
        assert Entry.objects.filter(action="provider.changed").count() == 1

    def test_needs_a_second_factor_of_ones_own(self, staff: Client, provider: Provider) -> None:
        text = refused(staff, ASK, _confirmed="1")

        assert "Add a second factor of your own first" in text
        provider.refresh_from_db()
        assert not provider.staff_need_second_factor


class TestStaffWithoutOne:
    def test_get_no_page_of_the_console(self, provider: Provider) -> None:
        finance = as_role(provider, "Finance")
        asked_of_all(provider)
        plain = [
            reverse(name)
            for name, page in all_pages().items()
            if name.startswith("console_") and page.arguments is nothing
        ]
        answers = {path: finance.get(path) for path in ["/", *plain]}

        assert len(answers) > 30
        assert {answer.headers.get("Location") for answer in answers.values()} == {"/security/"}
        posted = finance.post("/console/payments/new/", {})
        assert posted.headers["Location"] == "/security/"

    def test_are_told_what_to_do_and_can_do_it(self, provider: Provider) -> None:
        finance = as_role(provider, "Finance")
        asked_of_all(provider)

        assert "Add a second factor to go on" in page(finance, "/security/")
        assert finance.get("/security/app/add/").status_code == 200
        assert finance.post("/sign-out/").status_code == 302


class TestOthers:
    def test_who_have_one_go_on(self, staff: Client, admin: User, provider: Provider) -> None:
        add_key(admin)
        asked_of_all(provider)

        assert staff.get("/console/").status_code == 200
        assert "Add a second factor to go on" not in page(staff, "/security/")

    def test_by_recovery_codes_alone_do_not(
        self, staff: Client, admin: User, provider: Provider
    ) -> None:
        Authenticator.objects.create(
            user=admin, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "", "used_mask": 0}
        )
        asked_of_all(provider)

        assert staff.get("/console/").status_code == 302

    def test_of_other_surfaces_and_providers_are_not_asked(self, provider: Provider) -> None:
        asked_of_all(provider)
        customer, other = Client(), Client()
        customer.force_login(make_team_member(make_customer(provider)))
        other.force_login(make_staff(make_provider()))

        assert customer.get("/account/").status_code == 200
        assert other.get("/console/").status_code == 200
