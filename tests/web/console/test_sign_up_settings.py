import pytest
from django.test import Client

from audit.models import Entry
from customers.models import SignUpSettings, SignUpTerms
from tenancy.models import Provider
from tests.factories import make_provider, make_staff
from tests.web.console.pages import as_role, confirm, page, refused

pytestmark = pytest.mark.django_db
ADDRESS = "/console/settings/sign-up/"
SENT = {
    "mode": "APPROVAL",
    "currencies": "usd, GBP",
    "blocked_domains": "Trash.example\n@a.example",
}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


class TestTheSettings:
    def test_are_self_service_until_something_else_is_said(self, staff: Client) -> None:
        text = page(staff, ADDRESS)

        assert "Self-service" in text
        assert "http://testserver/sign-up/aurora/" in text
        assert not SignUpSettings.objects.exists()

    def test_are_changed_and_audited(self, staff: Client, provider: Provider) -> None:
        staff.post(f"{ADDRESS}edit/", SENT)

        kept = SignUpSettings.objects.get(provider=provider)
        assert (kept.mode, kept.currencies) == ("APPROVAL", ["GBP", "USD"])
        assert kept.blocked_domains == ["a.example", "trash.example"]
        entry = Entry.objects.get(action="sign_up.settings_changed")
        assert entry.before == {"mode": "SELF_SERVICE", "currencies": "", "blocked_domains": ""}
        assert entry.after == {
            "mode": "APPROVAL",
            "currencies": "GBP, USD",
            "blocked_domains": "a.example, trash.example",
        }

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("currencies", "EURO", "&#x27;EURO&#x27; is not a currency"),
            ("blocked_domains", "trash", "&#x27;trash&#x27; is not a domain"),
            ("mode", "ANY", "Select a valid choice"),
        ],
    )
    def test_refuse_what_is_wrong_at_the_field(
        self, staff: Client, field: str, value: str, message: str
    ) -> None:
        text = refused(staff, f"{ADDRESS}edit/", **SENT | {field: value})

        assert message in text
        assert value in text or field == "mode"
        assert not SignUpSettings.objects.exists()

    def test_are_changed_by_who_may(self, provider: Provider) -> None:
        finance = as_role(provider, "Finance")

        assert "Publish terms" not in page(finance, ADDRESS)
        assert finance.post(f"{ADDRESS}edit/", SENT).status_code == 403
        assert not SignUpSettings.objects.exists()


class TestTheTerms:
    def test_are_published_in_versions(self, staff: Client, provider: Provider) -> None:
        for text in ("Pay in time.", "Pay now."):
            confirm(staff, f"{ADDRESS}terms/", text=text)

        versions = SignUpTerms.objects.filter(provider=provider).order_by("version")
        assert [(terms.version, terms.text) for terms in versions] == [
            (1, "Pay in time."),
            (2, "Pay now."),
        ]
        assert "Pay now." in page(staff, ADDRESS)

    def test_are_reviewed_first(self, staff: Client) -> None:
        response = staff.post(f"{ADDRESS}terms/", {"text": "Pay in time."})

        assert "Publish version 1 of your terms?" in response.content.decode()
        assert not SignUpTerms.objects.exists()

    def test_are_not_published_twice_the_same(self, staff: Client) -> None:
        confirm(staff, f"{ADDRESS}terms/", text="Pay in time.")

        text = refused(staff, f"{ADDRESS}terms/", text="Pay in time.", _confirmed="1")

        assert "another one than that which holds now" in text
        assert SignUpTerms.objects.count() == 1
