from datetime import UTC, datetime

import pytest

from audit.models import Entry
from common.scope import Scope
from tenancy import row_security, selectors
from tenancy.models import Invitation, Membership, Provider, Role, User
from tenancy.services import people, staff
from tenancy.services.roles import PermissionNotHeld
from tests.factories import (
    make_customer,
    make_provider,
    make_staff,
    make_team_member,
)

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def role_of(provider: Provider, name: str) -> Role:
    return Role.objects.get(provider=provider, name=name)


def membership_of(user: User) -> Membership:
    return Membership.objects.get(user=user)


def add(
    provider: Provider,
    role: str = "Finance",
    actor: User | None = None,
    email: str = "fay@aurora.example",
) -> Membership:
    return staff.add_staff_member(
        provider_id=provider.pk,
        email=email,
        name="Fay",
        role_id=role_of(provider, role).pk,
        at=AT,
        actor_id=actor.pk if actor else None,
    )


class TestAddStaffMember:
    def test_gives_a_new_person_a_role_the_actor_holds_all_of(self) -> None:
        provider = make_provider()
        actor = make_staff(provider)

        membership = add(provider, actor=actor, email="Fay@Aurora.example")

        assert membership in selectors.staff(Scope.system(provider.pk))
        assert (membership.user.email, membership.user.name) == ("fay@aurora.example", "Fay")
        assert membership.role.name == "Finance"
        assert not membership.user.has_usable_password()
        entry = Entry.objects.get(action="membership.created", object_id=str(membership.pk))
        assert (entry.provider, entry.actor) == (provider, actor)

    def test_refuses_a_role_that_holds_more_than_the_actor(self) -> None:
        provider = make_provider()

        with pytest.raises(PermissionNotHeld, match="Admin: you do not hold catalogue"):
            add(provider, "Admin", make_staff(provider, "Finance"))

        assert not User.objects.filter(email="fay@aurora.example").exists()

    def test_refuses_staff_of_another_provider_as_the_actor(self) -> None:
        provider = make_provider()

        with pytest.raises(PermissionNotHeld):
            add(provider, "Read-only", make_staff(make_provider()))

        assert not User.objects.filter(email="fay@aurora.example").exists()

    def test_finds_no_role_of_another_provider(self) -> None:
        provider, other = make_provider(), make_provider()

        with pytest.raises(Role.DoesNotExist):
            staff.add_staff_member(
                provider_id=provider.pk,
                email="fay@aurora.example",
                name="",
                role_id=role_of(other, "Read-only").pk,
                at=AT,
                actor_id=None,
            )

        assert not User.objects.filter(email="fay@aurora.example").exists()

    def test_says_so_where_the_person_works_here_already(self) -> None:
        provider = make_provider()
        make_staff(provider, "Read-only", email="fay@aurora.example")

        with pytest.raises(staff.StaffAlready):
            add(provider, email="FAY@aurora.example")

        assert Membership.objects.get().role.name == "Read-only"

    def test_refuses_the_address_of_somebody_elses_and_does_not_say_whose(self) -> None:
        provider, other = make_provider(), make_provider(name="Borealis")
        make_staff(other, email="bo@borealis.example")
        make_team_member(make_customer(provider), email="carl@example.com")
        said = []

        for email in ("bo@borealis.example", "carl@example.com"):
            with pytest.raises(people.EmailTaken) as refused:
                add(provider, email=email)
            said.append(str(refused.value).replace(email, "…"))

        assert said == ["Somebody signs in as … already; use another address."] * 2
        assert not Membership.objects.filter(provider=provider).exists()

    def test_works_as_a_web_request_does_it_which_sees_its_own_people_only(self) -> None:
        provider = make_provider()
        actor = make_staff(provider)
        make_staff(make_provider(), email="bo@borealis.example")

        with (
            row_security.web_role(),
            row_security.acting_for(provider_id=provider.pk, user_id=actor.pk),
        ):
            add(provider, actor=actor)
            with pytest.raises(people.EmailTaken):
                add(provider, actor=actor, email="bo@borealis.example")
            seen = set(User.objects.values_list("email", flat=True))

        assert seen == {actor.email, "fay@aurora.example"}


class TestAssignRole:
    def assign(self, user: User, role: str, actor: User | None = None) -> Membership:
        membership = membership_of(user)
        return staff.assign_role(
            membership=membership,
            role_id=role_of(membership.provider, role).pk,
            actor_id=actor.pk if actor else None,
        )

    def test_replaces_the_role_they_had_and_records_who_did_it(self) -> None:
        provider = make_provider()
        user, actor = make_staff(provider, "Finance"), make_staff(provider)

        self.assign(user, "Read-only", actor)

        assert membership_of(user).role.name == "Read-only"
        entry = Entry.objects.get(action="membership.changed")
        assert (entry.provider, entry.actor) == (provider, actor)
        assert entry.before is not None
        assert (entry.before["role"], entry.before["user"]) == ("Finance", user.email)
        assert entry.after is not None
        assert entry.after["role_id"] == role_of(provider, "Read-only").pk
        assert entry.after["role"] == "Read-only"

    def test_refuses_what_the_actor_does_not_hold(self) -> None:
        provider = make_provider()
        user = make_staff(provider, "Read-only")

        with pytest.raises(PermissionNotHeld):
            self.assign(user, "Admin", make_staff(provider, "Finance"))

        assert membership_of(user).role.name == "Read-only"

    def test_refuses_to_take_what_the_actor_does_not_hold(self) -> None:
        provider = make_provider()
        user = make_staff(provider, "Admin")

        with pytest.raises(PermissionNotHeld):
            self.assign(user, "Read-only", make_staff(provider, "Read-only"))

        assert membership_of(user).role.name == "Admin"

    def test_finds_no_role_of_another_provider(self) -> None:
        user = make_staff(make_provider(), "Finance")

        with pytest.raises(Role.DoesNotExist):
            staff.assign_role(
                membership=membership_of(user),
                role_id=role_of(make_provider(), "Read-only").pk,
                actor_id=None,
            )

        assert membership_of(user).role.name == "Finance"

    def test_refuses_ones_own_role(self) -> None:
        provider = make_provider()
        user = make_staff(provider)
        make_staff(provider)

        with pytest.raises(staff.OwnAccess):
            self.assign(user, "Read-only", user)

        assert membership_of(user).role.name == "Admin"

    def test_keeps_the_last_admin_who_can_sign_in(self) -> None:
        provider = make_provider()
        user = make_staff(provider)
        make_staff(provider, is_active=False)
        make_staff(make_provider())

        with pytest.raises(staff.LastAdmin):
            self.assign(user, "Read-only")

        assert membership_of(user).role.name == "Admin"

    def test_takes_it_from_an_admin_where_there_is_another(self) -> None:
        provider = make_provider()
        user, other = make_staff(provider), make_staff(provider)

        self.assign(user, "Read-only", other)

        assert membership_of(user).role.name == "Read-only"


class TestAccess:
    def test_is_withdrawn_and_restored_with_a_trace(self) -> None:
        provider = make_provider()
        user, actor = make_staff(provider, "Finance"), make_staff(provider)

        staff.withdraw_access(membership=membership_of(user), actor_id=actor.pk)
        user.refresh_from_db()
        was_active = user.is_active
        staff.restore_access(membership=membership_of(user), actor_id=actor.pk)

        user.refresh_from_db()
        assert (was_active, user.is_active) == (False, True)
        entries = Entry.objects.filter(object_id=str(membership_of(user).pk)).order_by("pk")
        assert [(entry.action, entry.actor, entry.provider) for entry in entries][1:] == [
            ("membership.access_withdrawn", actor, provider),
            ("membership.access_restored", actor, provider),
        ]

    def test_is_not_withdrawn_from_oneself(self) -> None:
        provider = make_provider()
        user = make_staff(provider)
        make_staff(provider)

        with pytest.raises(staff.OwnAccess):
            staff.withdraw_access(membership=membership_of(user), actor_id=user.pk)

        assert User.objects.get(pk=user.pk).is_active

    def test_is_not_withdrawn_from_the_last_admin(self) -> None:
        user = make_staff(make_provider())

        with pytest.raises(staff.LastAdmin):
            staff.withdraw_access(membership=membership_of(user), actor_id=None)

        assert User.objects.get(pk=user.pk).is_active

    def test_is_not_withdrawn_by_who_holds_less(self) -> None:
        provider = make_provider()
        user = make_staff(provider)
        make_staff(provider)

        with pytest.raises(PermissionNotHeld):
            staff.withdraw_access(
                membership=membership_of(user), actor_id=make_staff(provider, "Finance").pk
            )

        assert User.objects.get(pk=user.pk).is_active


class TestInviteStaffMember:
    def invite(self, provider: Provider, role: str, actor: User | None = None) -> Membership:
        return staff.invite_staff_member(
            provider_id=provider.pk,
            email="fay@aurora.example",
            name="Fay",
            role_id=role_of(provider, role).pk,
            at=AT,
            actor_id=actor.pk if actor else None,
        )

    def test_queues_a_link_for_a_new_person_with_a_role(self) -> None:
        provider = make_provider(name="Aurora")
        actor = make_staff(provider)

        membership = self.invite(provider, "Finance", actor)

        invitation = Invitation.objects.get(user=membership.user)
        assert (invitation.provider, invitation.inviter, invitation.requested_by) == (
            provider,
            "Aurora",
            actor,
        )
        assert membership.role.name == "Finance"

    def test_invites_nobody_to_more_than_the_actor_holds(self) -> None:
        provider = make_provider()

        with pytest.raises(PermissionNotHeld):
            self.invite(provider, "Admin", make_staff(provider, "Finance"))

        assert not Invitation.objects.exists()

    def test_says_so_where_the_person_works_here_already(self) -> None:
        provider = make_provider()
        make_staff(provider, email="fay@aurora.example")

        with pytest.raises(staff.StaffAlready):
            self.invite(provider, "Finance")

        assert not Invitation.objects.exists()


class TestInvitingAgain:
    def test_is_for_who_has_no_password_yet(self) -> None:
        provider = make_provider()
        membership = TestInviteStaffMember().invite(provider, "Finance")
        actor = make_staff(provider, password="correct horse battery")
        Invitation.objects.update(state=Invitation.State.SENT, sent_at=AT)

        staff.invite_staff_member_again(membership=membership, at=AT, actor_id=actor.pk)

        assert Invitation.objects.filter(user=membership.user).count() == 2
        with pytest.raises(staff.PasswordChosen):
            staff.invite_staff_member_again(
                membership=membership_of(actor), at=AT, actor_id=actor.pk
            )

    def test_hands_no_link_to_who_holds_less_than_they(self) -> None:
        provider = make_provider()
        membership = membership_of(make_staff(provider, "Admin"))
        actor = make_staff(provider, "Finance")

        with pytest.raises(PermissionNotHeld):
            staff.link_to_hand_over(membership=membership, at=AT, actor_id=actor.pk)
        with pytest.raises(PermissionNotHeld):
            staff.invite_staff_member_again(membership=membership, at=AT, actor_id=actor.pk)

        assert not Invitation.objects.exists()
