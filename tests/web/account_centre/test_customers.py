from http import HTTPStatus

import pytest
from django.test import Client

from customers.models import Customer, TeamMember
from tests.factories import make_customer, make_team_member, make_user
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


class TestTheTeam:
    def test_lists_ones_own_people(self, admin: Client, customer: Customer) -> None:
        make_team_member(customer, "BILLING", email="money@nord.example")
        make_team_member(make_customer(customer.provider), email="other@sued.example")

        text = page(admin, "/account/team/")

        assert "money@nord.example" in text
        assert "other@sued.example" not in text

    def test_takes_new_members(self, admin: Client, customer: Customer) -> None:
        sent = {"name": "Tina", "email": "Tina@nord.example", "role": "TECHNICAL"}

        admin.post("/account/team/new/", sent)

        member = TeamMember.objects.get(user__email="tina@nord.example")
        assert (member.customer, member.role) == (customer, "TECHNICAL")
        assert "tina@nord.example" in page(admin, "/account/team/")

    @pytest.mark.parametrize(
        ("email", "message"),
        [("taken@sued.example", "use another address"), ("tina", "Enter a valid email address.")],
    )
    def test_refuses_an_email_at_its_field(
        self, admin: Client, customer: Customer, email: str, message: str
    ) -> None:
        make_user("taken@sued.example")

        response = admin.post(
            "/account/team/new/", {"name": "Tina", "email": email, "role": "BILLING"}
        )

        assert message in response.content.decode()
        assert 'value="Tina"' in response.content.decode()
        assert TeamMember.objects.filter(customer=customer).count() == 1

    def test_gives_roles(self, admin: Client, customer: Customer) -> None:
        member = make_team_member(customer, "BILLING").team_member

        admin.post(f"/account/team/{member.pk}/", {"role": "TECHNICAL"})

        member.refresh_from_db()
        assert member.role == "TECHNICAL"

    def test_keeps_its_last_admin(self, admin: Client, customer: Customer) -> None:
        only = TeamMember.objects.get(customer=customer, role="ADMIN")

        response = admin.post(f"/account/team/{only.pk}/", {"role": "BILLING"})

        only.refresh_from_db()
        assert "is the only admin" in response.content.decode()
        assert only.role == "ADMIN"

    def test_is_changed_by_admins_only(self, billing: Client, customer: Customer) -> None:
        member = TeamMember.objects.get(customer=customer)

        answers = [
            billing.post("/account/team/new/", {"name": "T", "email": "t@n.example"}),
            billing.post(f"/account/team/{member.pk}/", {"role": "ADMIN"}),
        ]

        member.refresh_from_db()
        assert {answer.status_code for answer in answers} == {HTTPStatus.FORBIDDEN}
        assert member.role == "BILLING"

    def test_of_a_neighbour_is_not_found(self, admin: Client, customer: Customer) -> None:
        other = make_team_member(make_customer(customer.provider)).team_member

        response = admin.post(f"/account/team/{other.pk}/", {"role": "BILLING"})

        other.refresh_from_db()
        assert response.status_code == HTTPStatus.NOT_FOUND
        assert other.role == "ADMIN"
