import pytest
from django.test import Client

from customers.models import Customer, TeamMember
from tenancy.models import Invitation, Provider
from tests.factories import make_customer, make_provider, make_staff, make_team_member, make_user
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
TINA = {"name": "Tina", "email": "tina@nord.example", "role": "TECHNICAL"}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def customer(provider: Provider) -> Customer:
    return make_customer(provider, organisation="Nord")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


class TestTheTeamTab:
    def test_lists_the_customers_people(self, staff: Client, customer: Customer) -> None:
        make_team_member(customer, "BILLING", email="money@nord.example")
        make_team_member(make_customer(customer.provider), email="other@sued.example")

        text = page(staff, f"/console/customers/{customer.pk}/team/")

        assert "money@nord.example" in text
        assert "other@sued.example" not in text

    def test_takes_the_same_queries_for_many(self, staff: Client, customer: Customer) -> None:
        address = f"/console/customers/{customer.pk}/team/"
        make_team_member(customer)
        few = query_count(staff, address)
        for _ in range(20):
            make_team_member(customer)

        assert query_count(staff, address) == few

    def test_invites_in_the_customers_name(self, staff: Client, customer: Customer) -> None:
        staff.post(f"/console/customers/{customer.pk}/team/new/", TINA)

        invitation = Invitation.objects.get()
        member = TeamMember.objects.get(customer=customer)
        assert (invitation.inviter, invitation.user) == ("Nord", member.user)
        assert member.role == "TECHNICAL"

    def test_refuses_people_of_elsewhere(self, staff: Client, customer: Customer) -> None:
        make_user("tina@nord.example")

        text = refused(staff, f"/console/customers/{customer.pk}/team/new/", **TINA)

        assert 'id="id_email_error"' in text
        assert 'value="Tina"' in text
        assert not TeamMember.objects.exists()

    def test_changes_roles_and_removes(self, staff: Client, customer: Customer) -> None:
        make_team_member(customer)
        member = make_team_member(customer, "BILLING").team_member

        staff.post(f"/console/customers/team/{member.pk}/", {"role": "ADMIN"})
        member.refresh_from_db()
        back = confirm(staff, f"/console/customers/team/{member.pk}/remove/")

        assert member.role == "ADMIN"
        assert back == f"/console/customers/{customer.pk}/team/"
        assert not TeamMember.objects.filter(pk=member.pk).exists()

    def test_keeps_the_last_admin(self, staff: Client, customer: Customer) -> None:
        member = make_team_member(customer).team_member

        text = refused(staff, f"/console/customers/team/{member.pk}/remove/", _confirmed="1")

        assert "is the only admin" in text
        assert TeamMember.objects.filter(pk=member.pk).exists()

    def test_only_shows_to_who_may_not_change_customers(
        self, provider: Provider, customer: Customer
    ) -> None:
        member = make_team_member(customer).team_member
        reader = as_role(provider, "Read-only")

        text = page(reader, f"/console/customers/{customer.pk}/team/")

        assert f"/console/customers/team/{member.pk}/" not in text
        assert "Invite a member" not in text
        answer = reader.post(f"/console/customers/team/{member.pk}/remove/", {"_confirmed": "1"})
        assert answer.status_code == 403

    def test_of_another_provider_is_not_found(self, staff: Client) -> None:
        member = make_team_member(make_customer(make_provider())).team_member

        answers = [
            staff.get(f"/console/customers/{member.customer_id}/team/"),
            staff.post(f"/console/customers/team/{member.pk}/", {"role": "BILLING"}),
            staff.post(f"/console/customers/team/{member.pk}/again/", {"_confirmed": "1"}),
            staff.post(f"/console/customers/team/{member.pk}/remove/", {"_confirmed": "1"}),
        ]

        member.refresh_from_db()
        assert {answer.status_code for answer in answers} == {404}
        assert member.role == "ADMIN"
