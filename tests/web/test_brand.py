import pytest
from django.test import Client

from tenancy.models import BillerEntity
from tests.factories import make_customer, make_provider, make_staff, make_team_member

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
