import pytest
from django.test import Client

from resellers.models import ResellerModule
from tenancy.models import Provider
from tests.factories import make_code, make_provider, make_reseller, make_reseller_user
from tests.web.console.pages import as_role, confirm, page, refused

pytestmark = pytest.mark.django_db
MODULE = "/console/settings/resellers/"


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def client(provider: Provider) -> Client:
    return as_role(provider, "Admin")


class TestTheModule:
    def test_is_switched_off_with_its_pages_and_the_portal(
        self, client: Client, provider: Provider
    ) -> None:
        viewer = Client()
        viewer.force_login(make_reseller_user(make_reseller(provider)))
        assert viewer.get("/reseller/").status_code == 200

        client.post(f"{MODULE}edit/", {})
        assert ResellerModule.objects.get(provider=provider).is_enabled
        confirm(client, f"{MODULE}edit/")

        assert client.get("/console/resellers/").status_code == 404
        assert viewer.get("/reseller/").status_code == 404
        assert "/console/resellers/" not in page(client, MODULE)

    def test_is_switched_on_with_a_default_code(self, client: Client, provider: Provider) -> None:
        ResellerModule.objects.filter(provider=provider).update(is_enabled=False)
        code = make_code(make_reseller(provider, organisation="Meridian"), "MAIN")

        confirm(client, f"{MODULE}edit/", is_enabled="on", default_code=code.pk)

        module = ResellerModule.objects.get(provider=provider)
        assert (module.is_enabled, module.default_code) == (True, code)
        assert "MAIN of" in page(client, MODULE)

    def test_takes_no_code_of_a_disabled_reseller_a_draft_or_another_provider(
        self, client: Client, provider: Provider
    ) -> None:
        disabled = make_code(make_reseller(provider, state="DISABLED"))
        draft = make_code(make_reseller(provider), published_at=None)
        foreign = make_code(make_reseller(make_provider()))

        for code in (disabled, draft, foreign):
            said = refused(
                client, f"{MODULE}edit/", is_enabled="on", default_code=code.pk, _confirmed="1"
            )
            assert "Select a valid choice" in said

        assert ResellerModule.objects.get(provider=provider).default_code is None
