import pytest
from django.test import Client

from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.billing import make_charge
from tests.web.console.pages import as_role, page, refused

pytestmark = pytest.mark.django_db
SETTINGS = "/console/settings/"
SENT = {"name": "Aurora Telecom", "currency": "eur", "time_zone": "Europe/Vienna"}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora")


@pytest.fixture
def client(provider: Provider) -> Client:
    return as_role(provider, "Admin")


class TestTheProvider:
    def test_is_shown_with_its_default_seller(self, client: Client) -> None:
        shown = page(client, SETTINGS)

        assert "<code>aurora</code>" in shown
        assert "Aurora GmbH" in shown

    def test_is_changed(self, client: Client, provider: Provider) -> None:
        client.post(f"{SETTINGS}edit/", SENT)

        provider.refresh_from_db()
        assert (provider.name, provider.currency, provider.time_zone) == (
            "Aurora Telecom",
            "EUR",
            "Europe/Vienna",
        )

    def test_keeps_its_time_zone_once_charged_and_says_why(
        self, client: Client, provider: Provider
    ) -> None:
        make_charge(make_customer(provider), "5")

        said = refused(client, f"{SETTINGS}edit/", **SENT)

        assert "It stays Europe/Berlin" in said
        assert 'value="Aurora Telecom"' in said
        provider.refresh_from_db()
        assert (provider.name, provider.time_zone) == ("Aurora", "Europe/Berlin")

    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("name", "", "This field is required"),
            ("currency", "EU1", "three letters"),
            ("time_zone", "Mars/Olympus", "Select a valid choice"),
        ],
    )
    def test_is_refused_what_is_none(
        self, client: Client, provider: Provider, field: str, value: str, says: str
    ) -> None:
        said = refused(client, f"{SETTINGS}edit/", **SENT | {field: value})

        assert says in said
        provider.refresh_from_db()
        assert provider.name == "Aurora"
