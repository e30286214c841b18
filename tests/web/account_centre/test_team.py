from http import HTTPStatus

import pytest
from django.test import Client

from customers.models import Customer, TeamMember
from tenancy.models import Invitation
from tests.factories import make_customer, make_team_member, make_user
from tests.web.account_centre.pages import IN_OCTOBER, page

pytestmark = pytest.mark.django_db
TINA = {"name": "Tina", "email": "Tina@nord.example", "role": "TECHNICAL"}


class TestTheTeam:
    def test_lists_ones_own_people(self, admin: Client, customer: Customer) -> None:
        make_team_member(customer, "BILLING", email="money@nord.example")
        make_team_member(make_customer(customer.provider), email="other@sued.example")

        text = page(admin, "/account/team/")

        assert "money@nord.example" in text
        assert "other@sued.example" not in text

    def test_invites_new_members(self, admin: Client, customer: Customer) -> None:
        admin.post("/account/team/new/", TINA)

        member = TeamMember.objects.get(user__email="tina@nord.example")
        invitation = Invitation.objects.get()
        assert (member.customer, member.role) == (customer, "TECHNICAL")
        assert (invitation.user, invitation.inviter) == (member.user, customer.name)
        assert "tina@nord.example" in page(admin, "/account/team/")

    def test_invites_nobody_twice_in_a_row(self, admin: Client, customer: Customer) -> None:
        admin.post("/account/team/new/", TINA)
        member = TeamMember.objects.get(user__email="tina@nord.example")
        Invitation.objects.update(state="SENT", sent_at=IN_OCTOBER)
        assert "Invite again" in page(admin, f"/account/team/{member.pk}/")

        for _ in range(2):
            admin.post(f"/account/team/{member.pk}/again/", {"_confirmed": "1"})

        assert [row.state for row in Invitation.objects.order_by("pk")] == ["SENT", "QUEUED"]

    def test_invites_nobody_again_who_has_been_there(
        self, admin: Client, customer: Customer
    ) -> None:
        user = make_team_member(customer, "BILLING", last_login=IN_OCTOBER)
        address = f"/account/team/{user.team_member.pk}/"

        response = admin.post(f"{address}again/", {"_confirmed": "1"})

        assert "Invite again" not in page(admin, address)
        assert "has signed in already" in response.content.decode()
        assert not Invitation.objects.exists()

    def test_invites_no_more_than_thirty_people_an_hour(
        self, admin: Client, customer: Customer
    ) -> None:
        bad = {"name": "", "email": "", "role": ""}
        for _ in range(30):
            admin.post("/account/team/new/", bad)

        response = admin.post("/account/team/new/", TINA)

        assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert not Invitation.objects.exists()

    def test_lets_members_go(self, admin: Client, customer: Customer) -> None:
        user = make_team_member(customer, "BILLING", email="gone@nord.example")
        theirs = Client()
        theirs.force_login(user)
        address = f"/account/team/{user.team_member.pk}/remove/"

        asked = page(admin, address)
        left = TeamMember.objects.filter(user=user).exists()
        admin.post(address, {"_confirmed": "1"})

        assert "Remove gone@nord.example?" in asked
        assert left
        assert not TeamMember.objects.filter(user=user).exists()
        assert theirs.get("/account/").status_code == HTTPStatus.FOUND

    def test_lets_its_last_admin_not_go(self, admin: Client, customer: Customer) -> None:
        only = TeamMember.objects.get(customer=customer, role="ADMIN")

        response = admin.post(f"/account/team/{only.pk}/remove/", {"_confirmed": "1"})

        assert "is the only admin" in response.content.decode()
        assert TeamMember.objects.filter(pk=only.pk).exists()

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
            billing.post(f"/account/team/{member.pk}/again/", {"_confirmed": "1"}),
            billing.post(f"/account/team/{member.pk}/remove/", {"_confirmed": "1"}),
        ]

        member.refresh_from_db()
        assert {answer.status_code for answer in answers} == {HTTPStatus.FORBIDDEN}
        assert member.role == "BILLING"

    def test_of_a_neighbour_is_not_found(self, admin: Client, customer: Customer) -> None:
        other = make_team_member(make_customer(customer.provider)).team_member

        answers = [
            admin.post(f"/account/team/{other.pk}/", {"role": "BILLING"}),
            admin.post(f"/account/team/{other.pk}/again/", {"_confirmed": "1"}),
            admin.post(f"/account/team/{other.pk}/remove/", {"_confirmed": "1"}),
        ]

        other.refresh_from_db()
        assert {answer.status_code for answer in answers} == {HTTPStatus.NOT_FOUND}
        assert other.role == "ADMIN"
