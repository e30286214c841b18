from datetime import UTC, datetime

import pytest

from audit.models import Entry
from common.scope import Scope
from customers.models import TeamMember
from customers.selectors import team
from customers.services.team import add_team_member, change_team_role
from tenancy.services.people import EmailTaken
from tests.factories import make_customer, make_provider, make_team_member, make_user
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
Role = TeamMember.TeamRole

pytestmark = pytest.mark.django_db


class TestAddTeamMember:
    def test_lets_people_act_under_their_roles(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)

        for email, role, password in [
            ("boss@carl.example", Role.ADMIN, "correct horse"),
            ("accounts@carl.example", Role.BILLING, None),
        ]:
            add_team_member(
                customer=customer, email=email, role=role, password=password, at=AT, actor_id=None
            )

        members = team(Scope.system(provider.pk), customer)
        assert [(row.user.email, row.role, row.user.has_usable_password()) for row in members] == [
            ("accounts@carl.example", "BILLING", False),
            ("boss@carl.example", "ADMIN", True),
        ]

    def test_refuses_an_address_that_signs_in_already(self) -> None:
        customer = make_customer(make_provider())
        make_user(email="boss@carl.example")

        with refused(EmailTaken):
            add_team_member(
                customer=customer,
                email="BOSS@carl.example",
                role=Role.TECHNICAL,
                at=AT,
                actor_id=None,
            )


class TestChangeTeamRole:
    def test_is_audited_where_it_changes(self) -> None:
        customer = make_customer(make_provider())
        make_team_member(customer, "ADMIN")
        member = add_team_member(
            customer=customer, email="a@carl.example", role=Role.ADMIN, at=AT, actor_id=None
        )

        for _ in range(2):
            changed = change_team_role(member=member, role=Role.BILLING, at=AT, actor_id=None)

        assert changed.role == Role.BILLING
        entry = Entry.objects.get(action="team_member.role_changed")
        assert (entry.before, entry.after) == ({"role": "ADMIN"}, {"role": "BILLING"})
