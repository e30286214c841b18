from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from django.test import Client

from customers.models import Customer, TeamMember
from customers.services.accounts import BillingTerms, change_state, edit_billing_terms
from customers.services.team import add_team_member, change_team_role, remove_team_member
from tests.factories import make_customer, make_staff, make_team_member
from tests.web.account_centre.pages import page, words_of
from tests.web.console.pages import query_count

pytestmark = pytest.mark.django_db
AT = datetime(2026, 10, 5, 12, tzinfo=UTC)
Role = TeamMember.TeamRole


def join(customer: Customer, email: str) -> TeamMember:
    return add_team_member(customer=customer, email=email, role=Role.BILLING, at=AT, actor_id=None)


class TestTheActivity:
    def test_names_ones_own_people_and_nobody_of_the_provider(
        self, admin: Client, customer: Customer
    ) -> None:
        boss = TeamMember.objects.get(customer=customer)
        member = join(customer, "money@nord.example")
        change_team_role(member=member, role=Role.TECHNICAL, at=AT, actor_id=boss.user_id)
        staff = make_staff(customer.provider, email="agent@aurora.example")
        change_state(
            customer=customer,
            state=Customer.State.RESTRICTED,
            reason="Smells of fraud.",
            at=AT,
            actor_id=staff.pk,
        )

        text = words_of(admin, "/account/activity/")

        assert f"A member got another role {boss.user.email} technical" in text
        assert "The account's state was changed Aurora restricted" in text
        assert "A member joined the team the system money@nord.example, billing" in text
        assert "agent@aurora.example" not in text
        assert "fraud" not in text

    def test_says_the_same_in_files(self, admin: Client, customer: Customer) -> None:
        staff = make_staff(customer.provider, email="agent@aurora.example")
        change_state(
            customer=customer,
            state=Customer.State.RESTRICTED,
            reason="Smells of fraud.",
            at=AT,
            actor_id=staff.pk,
        )

        text = page(admin, "/account/activity/?format=csv")

        assert "The account's state was changed,Aurora,restricted" in text
        assert "agent@aurora.example" not in text

    def test_still_names_who_left(self, admin: Client, customer: Customer) -> None:
        member = join(customer, "gone@nord.example")
        boss = TeamMember.objects.get(customer=customer, role="ADMIN")
        change_team_role(member=boss, role=Role.ADMIN, at=AT, actor_id=member.user_id)
        remove_team_member(member=member, at=AT, actor_id=boss.user_id)

        text = words_of(admin, "/account/activity/")

        assert f"A member was removed {boss.user.email} gone@nord.example" in text

    def test_keeps_the_providers_own_decisions_to_itself(
        self, admin: Client, customer: Customer
    ) -> None:
        edit_billing_terms(
            customer=customer, terms=BillingTerms(is_billable=False), at=AT, actor_id=None
        )

        assert "Nothing was done yet" in page(admin, "/account/activity/")

    def test_is_nobody_elses(self, admin: Client, customer: Customer) -> None:
        join(make_customer(customer.provider), "other@sued.example")

        assert "other@sued.example" not in page(admin, "/account/activity/")

    def test_is_filtered(self, admin: Client, customer: Customer) -> None:
        join(customer, "money@nord.example")

        there = page(admin, "/account/activity/?action=team_member.added")
        gone = page(admin, "/account/activity/?action=customer.edited")

        assert "money@nord.example" in there
        assert "Nothing matches" in gone

    def test_is_for_admins_only(self, billing: Client, technical: Client) -> None:
        answers = [client.get("/account/activity/") for client in (billing, technical)]

        assert [answer.status_code for answer in answers] == [HTTPStatus.FORBIDDEN] * 2

    def test_takes_the_same_queries_for_many(self, admin: Client, customer: Customer) -> None:
        make_team_member(customer)
        join(customer, "first@nord.example")
        few = query_count(admin, "/account/activity/")
        for serial in range(15):
            join(customer, f"m{serial}@nord.example")

        assert query_count(admin, "/account/activity/") == few
