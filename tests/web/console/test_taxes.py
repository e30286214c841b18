import pytest
from django.test import Client

from billing.models import Tax
from tenancy.models import Provider
from tests.factories import make_provider, make_tax_profile
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
TAXES = "/console/settings/taxes/"
SENT = {"name": "VAT", "percent": "19", "priority": "1", "valid_from": "", "valid_to": ""}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def client(provider: Provider) -> Client:
    return as_role(provider, "Admin")


class TestTheList:
    def test_shows_the_providers_own_taxes(self, client: Client, provider: Provider) -> None:
        make_tax_profile(provider, "19")
        make_tax_profile(make_provider(), "25")

        shown = page(client, TAXES)

        assert "VAT 19 %" in shown
        assert "VAT 25 %" not in shown

    def test_leads_nowhere_for_who_may_not_change_them(self, provider: Provider) -> None:
        tax = make_tax_profile(provider, "19").taxes.get()

        assert f"{TAXES}{tax.pk}/" not in page(as_role(provider, "Finance"), TAXES)

    def test_asks_the_database_as_often_for_many(self, client: Client, provider: Provider) -> None:
        few = query_count(client, TAXES)
        make_tax_profile(provider, *map(str, range(1, 9)))

        assert query_count(client, TAXES) == few


class TestATax:
    def test_is_added_once_agreed_to(self, client: Client, provider: Provider) -> None:
        client.post(f"{TAXES}new/", SENT)
        before = Tax.objects.count()

        confirm(client, f"{TAXES}new/", **SENT)

        tax = Tax.objects.get(provider=provider)
        assert (before, tax.name, f"{tax.percent:f}") == (0, "VAT", "19.0000")

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"name": ""}, "This field is required"),
            ({"percent": "101"}, "0 to 100 percent"),
            ({"percent": "1.00001"}, "no more than 4 decimal places"),
            ({"valid_from": "2027-01-01", "valid_to": "2026-01-01"}, "comes after its first day"),
        ],
    )
    def test_is_refused_terms_that_mean_nothing(
        self, client: Client, changes: dict[str, str], says: str
    ) -> None:
        said = refused(client, f"{TAXES}new/", **SENT | {"_confirmed": "1"} | changes)

        assert says in said
        assert not Tax.objects.exists()

    def test_is_changed(self, client: Client, provider: Provider) -> None:
        tax = make_tax_profile(provider, "19").taxes.get()

        confirm(client, f"{TAXES}{tax.pk}/", **SENT | {"valid_to": "2027-01-01"})

        tax.refresh_from_db()
        assert (tax.name, str(tax.valid_to)) == ("VAT", "2027-01-01")

    def test_of_another_provider_is_not_found(self, client: Client) -> None:
        tax = make_tax_profile(make_provider(), "25").taxes.get()

        sent = client.post(f"{TAXES}{tax.pk}/", SENT | {"_confirmed": "1"})

        assert sent.status_code == 404
        tax.refresh_from_db()
        assert tax.name == "VAT 25 %"
