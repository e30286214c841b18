"""The people who act for a customer in the account centre."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from common.errors import DomainError
from common.locks import lock_in_transaction
from customers.models import Customer, TeamMember
from tenancy.models import User
from tenancy.services.invitations import invite_again, invite_user
from tenancy.services.people import create_user, release_user

ADMIN = TeamMember.TeamRole.ADMIN


class LastAdmin(DomainError):
    """A team without an admin could change nothing any more."""


@transaction.atomic
def add_team_member(
    *,
    customer: Customer,
    email: str,
    role: TeamMember.TeamRole,
    name: str = "",
    password: str | None = None,
    at: datetime,
    actor_id: int | None,
) -> TeamMember:
    """Let a new person sign in to the customer's account centre under a role.

    Without a password they cannot sign in before they have set one.

    :raises EmailRefused: if `email` is none.
    :raises EmailTaken: if somebody signs in with it already.
    :raises PasswordRefused: if the password is too weak.
    """
    user = create_user(email=email, name=name, password=password, at=at)
    return _join(customer, user, role, at=at, actor_id=actor_id)


@transaction.atomic
def invite_team_member(
    *,
    customer: Customer,
    email: str,
    role: TeamMember.TeamRole,
    name: str,
    at: datetime,
    actor_id: int | None,
) -> TeamMember:
    """Mail a new person a link to choose a password, and make them a member under a role.

    :raises NobodyCanBeInvited: if the installation sends no mail.
    :raises EmailRefused: if `email` is none.
    :raises EmailTaken: if somebody signs in with it already, here or elsewhere.
    """
    user = invite_user(
        provider_id=customer.provider_id,
        email=email,
        name=name,
        inviter=customer.name,
        at=at,
        actor_id=actor_id,
    )
    return _join(customer, user, role, at=at, actor_id=actor_id)


@transaction.atomic
def invite_team_member_again(*, member: TeamMember, at: datetime, actor_id: int | None) -> None:
    """Mail another link to a member who has not signed in yet.

    :raises NotInvited: if they have.
    """
    invite_again(provider_id=member.provider_id, user=member.user, at=at, actor_id=actor_id)
    record(
        provider_id=member.provider_id,
        action="team_member.invited_again",
        changed=member,
        at=at,
        actor_id=actor_id,
    )


@transaction.atomic
def change_team_role(
    *, member: TeamMember, role: TeamMember.TeamRole, at: datetime, actor_id: int | None
) -> TeamMember:
    """Give a member of the team another role.

    :raises LastAdmin: if nobody else of the team is an admin.
    """
    member = _locked(member)
    if member.role == role:
        return member
    _check_others_administrate(member)
    before, member.role = member.role, role
    member.save(update_fields=["role"])
    record(
        provider_id=member.provider_id,
        action="team_member.role_changed",
        changed=member,
        at=at,
        actor_id=actor_id,
        before={"role": before},
        after={"role": role},
    )
    return member


@transaction.atomic
def remove_team_member(*, member: TeamMember, at: datetime, actor_id: int | None) -> None:
    """Take a member out of the team; they can sign in no more, and what they did stays theirs.

    :raises LastAdmin: if nobody else of the team is an admin.
    """
    member = _locked(member)
    _check_others_administrate(member)
    record(
        provider_id=member.provider_id,
        action="team_member.removed",
        changed=member,
        at=at,
        actor_id=actor_id,
        before={"email": member.user, "role": member.role, "customer": member.customer.number},
    )
    member.delete()
    release_user(user_id=member.user_id, at=at)


def _join(
    customer: Customer,
    user: User,
    role: TeamMember.TeamRole,
    *,
    at: datetime,
    actor_id: int | None,
) -> TeamMember:
    member = TeamMember.objects.create(
        provider_id=customer.provider_id, customer=customer, user=user, role=role, created_at=at
    )
    record(
        provider_id=customer.provider_id,
        action="team_member.added",
        changed=member,
        at=at,
        actor_id=actor_id,
        after={"email": user.email, "role": role, "customer": customer.number},
    )
    return member


def _locked(member: TeamMember) -> TeamMember:
    lock_in_transaction("team", member.customer_id)
    return TeamMember.objects.select_for_update(no_key=True).get(pk=member.pk)


def _check_others_administrate(member: TeamMember) -> None:
    admins = TeamMember.objects.filter(customer=member.customer_id, role=ADMIN)
    if member.role == ADMIN and not admins.exclude(pk=member.pk).exists():
        raise LastAdmin(f"{member.user} is the only admin; make somebody else one first.")
