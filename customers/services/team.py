"""The people who act for a customer in the account centre."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from common.errors import DomainError
from common.locks import lock_in_transaction
from customers.models import Customer, TeamMember
from tenancy.services.people import create_user

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
    member = TeamMember.objects.create(
        provider_id=customer.provider_id, customer=customer, user=user, role=role, created_at=at
    )
    record(
        provider_id=customer.provider_id,
        action="team_member.added",
        changed=member,
        at=at,
        actor_id=actor_id,
        after={"email": email, "role": role, "customer": customer.number},
    )
    return member


@transaction.atomic
def change_team_role(
    *, member: TeamMember, role: TeamMember.TeamRole, at: datetime, actor_id: int | None
) -> TeamMember:
    """Give a member of the team another role.

    :raises LastAdmin: if nobody else of the team is an admin.
    """
    lock_in_transaction("team", member.customer_id)
    member = TeamMember.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.role == role:
        return member
    admins = TeamMember.objects.filter(customer=member.customer_id, role=ADMIN)
    if member.role == ADMIN and not admins.exclude(pk=member.pk).exists():
        raise LastAdmin(f"{member.user} is the only admin; make somebody else one first.")
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
