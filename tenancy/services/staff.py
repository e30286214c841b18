"""Who works for a provider, under which role, and whether they may sign in.

All of it is audited by database triggers, like the roles.
"""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction

from common.errors import DomainError
from common.locks import lock_in_transaction
from tenancy import row_security
from tenancy.models import Invitation, Membership, Role, User
from tenancy.rules.permissions import ADMIN
from tenancy.selectors import has_second_factor
from tenancy.services.invitations import hand_over, invite_again, invite_user
from tenancy.services.people import create_user
from tenancy.services.roles import check_held, held_permissions, introduce_actor


class StaffAlready(DomainError):
    """The e-mail is that of one of the provider's own staff."""


class LastAdmin(DomainError):
    """Without an Admin nobody could grant everything any more."""


class OwnAccess(DomainError):
    """Nobody changes their own role or access."""


class NoSecondFactor(DomainError):
    """There is nothing to remove: they sign in by a password alone."""


class PasswordChosen(DomainError):
    """They have chosen their password before, or their access was withdrawn."""


@transaction.atomic
def add_staff_member(
    *,
    provider_id: int,
    email: str,
    name: str,
    password: str | None = None,
    role_id: int,
    at: datetime,
    actor_id: int | None,
) -> Membership:
    """Let a new person work for the provider; without a password, once they have chosen one.

    A person works for one provider, so that an e-mail in use elsewhere is refused, without a word
    on where. `actor_id` None is the installation's operator, who holds everything.

    :raises StaffAlready: if somebody of the provider's staff has the e-mail.
    :raises EmailTaken: if anybody else has it.
    :raises EmailRefused: if `email` is none.
    :raises NameRefused: if `name` is too long.
    :raises PasswordRefused: if the password is too weak by the installation's rules.
    :raises PermissionNotHeld: if the role holds more than the actor.
    """
    role = _role_of_new(provider_id, email, role_id, actor_id)
    user = create_user(email=email, name=name, password=password, at=at)
    return _join(role, user, at, actor_id)


@transaction.atomic
def invite_staff_member(
    *,
    provider_id: int,
    email: str,
    name: str,
    role_id: int,
    at: datetime,
    actor_id: int | None,
) -> Membership:
    """Mail a new person a link to choose a password, and let them work under a role.

    :raises NobodyCanBeInvited: if the installation sends no mail.
    :raises StaffAlready: if somebody of the provider's staff has the e-mail.
    :raises EmailTaken: if anybody else has it.
    :raises EmailRefused: if `email` is none.
    :raises NameRefused: if `name` is too long.
    :raises PermissionNotHeld: if the role holds more than the actor.
    """
    role = _role_of_new(provider_id, email, role_id, actor_id)
    user = invite_user(
        provider_id=provider_id,
        email=email,
        name=name,
        inviter=role.provider.name,
        at=at,
        actor_id=actor_id,
    )
    return _join(role, user, at, actor_id)


@transaction.atomic
def invite_staff_member_again(
    *, membership: Membership, at: datetime, actor_id: int | None
) -> Invitation:
    """Mail another link to somebody who has not chosen a password yet.

    :raises PermissionNotHeld: if their role holds more than the actor.
    :raises PasswordChosen: if they have one, or can no longer sign in.
    :raises NotInvited: if they were added without an invitation.
    """
    _check_invited(membership, actor_id)
    return invite_again(
        provider_id=membership.provider_id, user=membership.user, at=at, actor_id=actor_id
    )


@transaction.atomic
def link_to_hand_over(*, membership: Membership, at: datetime, actor_id: int | None) -> str:
    """Where somebody chooses their first password, for who added them and can send no mail.

    Who has the link becomes them, hence the same conditions as for giving them their role, and that
    it is recorded like an invitation.

    :raises PermissionNotHeld: if their role holds more than the actor.
    :raises PasswordChosen: if they have one, or can no longer sign in.
    """
    _check_invited(membership, actor_id)
    return hand_over(
        provider_id=membership.provider_id, user=membership.user, at=at, actor_id=actor_id
    )


@transaction.atomic
def assign_role(*, membership: Membership, role_id: int, actor_id: int | None) -> Membership:
    """Give somebody of the staff another role of their provider.

    :raises OwnAccess: if it is the actor.
    :raises PermissionNotHeld: if the role, or the one it replaces, holds more than the actor.
    :raises LastAdmin: if no other Admin can sign in.
    """
    membership = _locked(membership, actor_id)
    role = _grantable(membership.provider_id, role_id, actor_id)
    if role != membership.role:
        _check_not_last_admin(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


@transaction.atomic
def withdraw_access(*, membership: Membership, actor_id: int | None) -> User:
    """Let somebody of the staff in no longer; their sessions end with their next request.

    :raises OwnAccess: if it is the actor.
    :raises PermissionNotHeld: if their role holds more than the actor.
    :raises LastAdmin: if no other Admin can sign in.
    """
    membership = _locked(membership, actor_id)
    _check_not_last_admin(membership)
    return _set_active(membership.user, is_active=False)


@transaction.atomic
def remove_second_factors(*, membership: Membership, actor_id: int | None) -> User:
    """Let somebody who lost their second factor sign in by their password alone.

    Where the provider asks one of all staff, they add another before anything else.

    :raises OwnAccess: if it is the actor.
    :raises PermissionNotHeld: if their role holds more than the actor.
    :raises NoSecondFactor: if they have none.
    """
    membership = _locked(membership, actor_id)
    with row_security.among_everybody():
        if not has_second_factor(membership.user_id):
            raise NoSecondFactor(f"{membership.user} has no second factor.")
        Authenticator.objects.filter(user_id=membership.user_id).delete()
    return membership.user


@transaction.atomic
def restore_access(*, membership: Membership, actor_id: int | None) -> User:
    """Let somebody in again whose access was withdrawn, with the password they had.

    :raises PermissionNotHeld: if their role holds more than the actor.
    """
    return _set_active(_locked(membership, actor_id).user, is_active=True)


def _role_of_new(provider_id: int, email: str, role_id: int, actor_id: int | None) -> Role:
    """The role, which the actor may give, for somebody who is none of the staff yet."""
    lock_in_transaction("staff", provider_id)
    role = _grantable(provider_id, role_id, actor_id)
    own = Membership.objects.filter(provider_id=provider_id, user__email=email.lower())
    if own.exists():
        raise StaffAlready(f"{email.lower()} is one of your staff already; change their role.")
    return role


def _join(role: Role, user: User, at: datetime, actor_id: int | None) -> Membership:
    introduce_actor(actor_id)
    return Membership.objects.create(
        provider_id=role.provider_id, user=user, role=role, created_at=at
    )


def _check_invited(membership: Membership, actor_id: int | None) -> None:
    held = held_permissions(membership.provider_id, actor_id)
    check_held(held, membership.role.permissions, f"the role {membership.role}")
    if membership.user.has_usable_password() or not membership.user.is_active:
        raise PasswordChosen(f"{membership.user} needs no invitation.")


def _locked(membership: Membership, actor_id: int | None) -> Membership:
    """The membership as it is now, which the actor may change."""
    lock_in_transaction("staff", membership.provider_id)
    membership = Membership.objects.select_related("role", "user").get(pk=membership.pk)
    if membership.user_id == actor_id:
        raise OwnAccess("Your own role and access are for another administrator to change.")
    held = held_permissions(membership.provider_id, actor_id)
    check_held(held, membership.role.permissions, f"the role {membership.role}")
    introduce_actor(actor_id)
    return membership


def _grantable(provider_id: int, role_id: int, actor_id: int | None) -> Role:
    role = Role.objects.get(provider_id=provider_id, pk=role_id)
    held = held_permissions(provider_id, actor_id)
    check_held(held, role.permissions, f"the role {role}")
    return role


def _check_not_last_admin(membership: Membership) -> None:
    if not (membership.role.is_built_in and membership.role.name == ADMIN):
        return
    admins = Membership.objects.filter(role=membership.role, user__is_active=True)
    if membership.user.is_active and not admins.exclude(pk=membership.pk).exists():
        raise LastAdmin(f"{membership.user} is the only Admin; make somebody else one first.")


def _set_active(user: User, *, is_active: bool) -> User:
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    return user
