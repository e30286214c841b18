from http import HTTPStatus

import pytest
from django.test import Client

from customers.models import Customer
from tests.web.account_centre.pages import page, words_of

pytestmark = pytest.mark.django_db
PROFILE = {"first_name": "Nora", "last_name": "Nord", "email": "nora@nord.example"}


class TestTheProfile:
    def test_is_read_by_all_and_changed_by_admins(
        self, admin: Client, technical: Client, customer: Customer
    ) -> None:
        refused = technical.post("/account/profile/edit/", PROFILE)
        admin.post("/account/profile/edit/", PROFILE | {"country": "fr"})

        customer.refresh_from_db()
        assert refused.status_code == HTTPStatus.FORBIDDEN
        assert (customer.name, customer.country) == ("Nora Nord", "FR")
        assert "Nora Nord" in words_of(technical, "/account/profile/")
        assert "/account/profile/edit/" not in page(technical, "/account/profile/")

    def test_keeps_what_was_typed_when_something_is_wrong(
        self, admin: Client, customer: Customer
    ) -> None:
        response = admin.post("/account/profile/edit/", PROFILE | {"country": "France"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert 'value="Nora"' in response.content.decode()
        assert Customer.objects.get(pk=customer.pk).first_name == customer.first_name
