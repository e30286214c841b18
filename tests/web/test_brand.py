import pytest
from django.test import Client

from billing.services.brand import change_brand
from tenancy.models import BillerEntity, Provider
from tests.factories import (
    make_customer,
    make_provider,
    make_reseller,
    make_reseller_user,
    make_staff,
    make_team_member,
)
from tests.factories.pictures import make_picture

pytestmark = pytest.mark.django_db


class TestTheBrand:
    def test_is_the_accent_of_the_providers_default_seller(self, client: Client) -> None:
        make_provider("borealis")
        provider = make_provider("aurora")
        BillerEntity.objects.filter(provider=provider).update(accent_colour="#0b6e4f")

        response = client.get("/brand/aurora.css")

        assert "--accent: #0b6e4f;" in response.content.decode()
        assert response.headers["Content-Type"] == "text/css"

    def test_is_worn_by_customers_and_not_by_staff(self) -> None:
        provider = make_provider("aurora")
        customer, staff = Client(), Client()
        customer.force_login(make_team_member(make_customer(provider)))
        staff.force_login(make_staff(provider))

        assert "/brand/aurora.css" in customer.get("/account/").content.decode()
        assert "/brand/" not in staff.get("/console/").content.decode()

    def test_of_nobody_is_not_found(self, client: Client) -> None:
        assert client.get("/brand/nobody.css").status_code == 404
        assert client.post("/brand/nobody.css").status_code == 405


class TestTheLogo:
    @pytest.fixture
    def provider(self) -> Provider:
        provider = make_provider("aurora", name="Aurora Telecom")
        return change_brand(
            provider_id=provider.pk,
            accent_colour="#0b6e4f",
            picture=make_picture(),
            at=provider.created_at,
            actor_id=None,
        )

    def test_is_kept_by_browsers_for_long(self, client: Client, provider: Provider) -> None:
        response = client.get(f"/brand/aurora/{provider.logo_sha256}.png")

        assert response.content.startswith(b"\x89PNG")
        assert response.headers["Content-Type"] == "image/png"
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"

    def test_of_another_provider_or_of_before_is_not_found(
        self, client: Client, provider: Provider
    ) -> None:
        make_provider("borealis")
        logo = provider.logo_sha256
        change_brand(
            provider_id=provider.pk,
            accent_colour="#0b6e4f",
            picture=make_picture(colour="#112233"),
            at=provider.created_at,
            actor_id=None,
        )

        for path in (f"borealis/{logo}", f"nobody/{logo}", f"aurora/{logo}", "aurora/0"):
            assert client.get(f"/brand/{path}.png").status_code == 404

    def test_is_worn_by_the_providers_pages_and_not_by_its_console(
        self, provider: Provider
    ) -> None:
        logo = f"/brand/aurora/{provider.logo_sha256}.png"
        customer, viewer, staff, stranger = Client(), Client(), Client(), Client()
        customer.force_login(make_team_member(make_customer(provider)))
        viewer.force_login(make_reseller_user(make_reseller(provider)))
        staff.force_login(make_staff(provider))

        assert logo in customer.get("/account/").content.decode()
        assert logo in viewer.get("/reseller/").content.decode()
        assert logo in stranger.get("/sign-up/aurora/").content.decode()
        assert logo in stranger.get("/sign-in/aurora/").content.decode()
        assert logo not in staff.get("/console/").content.decode()
        assert logo not in stranger.get("/sign-in/").content.decode()


class TestTheProvidersSignInPage:
    def test_lets_its_people_in(self, client: Client) -> None:
        provider = make_provider("aurora", name="Aurora Telecom")
        user = make_team_member(make_customer(provider), password="correct horse battery")

        wrong = client.post("/sign-in/aurora/", {"login": user.email, "password": "wrong"})
        client.post("/sign-in/aurora/", {"login": user.email, "password": "correct horse battery"})

        assert "Aurora Telecom" in wrong.content.decode()
        assert client.get("/account/").status_code == 200

    def test_of_nobody_is_not_found(self, client: Client) -> None:
        assert client.get("/sign-in/nobody/").status_code == 404
