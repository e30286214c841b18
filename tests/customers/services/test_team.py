from datetime import UTC, datetime

import pytest

from audit.models import Entry
from common.scope import Scope
from customers.models import TeamMember
from customers.selectors import team
from customers.services.team import (
    LastAdmin,
    add_team_member,
    change_team_role,
    invite_team_member,
    invite_team_member_again,
    remove_team_member,
)
from tenancy import row_security
from tenancy.models import Invitation
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


class TestInviteTeamMember:
    def test_has_a_mail_sent_in_the_customers_name(self) -> None:
        customer = make_customer(make_provider(), organisation="Nord")
        boss = make_team_member(customer)

        member = invite_team_member(
            customer=customer,
            email="nora@nord.example",
            role=Role.BILLING,
            name="Nora",
            at=AT,
            actor_id=boss.pk,
        )

        invitation = Invitation.objects.get()
        assert (invitation.user, invitation.inviter) == (member.user, "Nord")
        assert (member.role, invitation.requested_by) == (Role.BILLING, boss)
        entry = Entry.objects.get(action="team_member.added")
        assert entry.after == {
            "email": "nora@nord.example",
            "role": "BILLING",
            "customer": str(customer.number),
        }

    def test_can_be_mailed_again(self) -> None:
        customer = make_customer(make_provider())
        boss = make_team_member(customer)
        member = invite_team_member(
            customer=customer,
            email="nora@nord.example",
            role=Role.BILLING,
            name="Nora",
            at=AT,
            actor_id=boss.pk,
        )
        Invitation.objects.update(state="SENT", sent_at=AT)

        invite_team_member_again(member=member, at=AT, actor_id=boss.pk)

        assert [row.state for row in Invitation.objects.order_by("pk")] == ["SENT", "QUEUED"]
        assert Entry.objects.filter(action="team_member.invited_again").count() == 1


class TestRemoveTeamMember:
    def test_ends_their_sign_in_and_keeps_what_they_did(self) -> None:
        customer = make_customer(make_provider())
        boss = make_team_member(customer)
        gone = make_team_member(customer, email="gone@nord.example")
        change_team_role(member=boss.team_member, role=Role.BILLING, at=AT, actor_id=gone.pk)
        change_team_role(member=boss.team_member, role=Role.ADMIN, at=AT, actor_id=gone.pk)

        remove_team_member(member=gone.team_member, at=AT, actor_id=boss.pk)

        gone.refresh_from_db()
        assert not gone.is_active
        assert [member.user for member in team(Scope.system(customer.provider_id), customer)] == [
            boss
        ]
        entry = Entry.objects.get(action="team_member.removed")
        assert entry.before is not None
        assert entry.before["email"] == "gone@nord.example"
        with (
            row_security.web_role(),
            row_security.acting_for(provider_id=customer.provider_id, user_id=boss.pk),
        ):
            rows = Entry.objects.filter(action="team_member.role_changed").select_related("actor")
            assert {str(row.actor) for row in rows} == {"gone@nord.example"}

    def test_refuses_the_last_admin(self) -> None:
        customer = make_customer(make_provider())
        boss = make_team_member(customer)
        make_team_member(customer, "BILLING")

        with refused(LastAdmin):
            remove_team_member(member=boss.team_member, at=AT, actor_id=boss.pk)

        boss.refresh_from_db()
        assert boss.is_active
