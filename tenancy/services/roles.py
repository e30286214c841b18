"""Deciding who may do what for a provider.

Changes of roles and memberships are audited by a database trigger (of the audit app, which knows
this one): not even hand-written SQL changes a permission without a trace.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from common.errors import DomainError
from common.locks import lock_in_transaction
from tenancy import row_security
from tenancy.models import Membership, Role
from tenancy.rules.permissions import ALL_PERMISSIONS


class PermissionNotHeld(DomainError):
    """Nobody can grant what they do not hold."""


class UnknownPermission(DomainError):
    """A permission code does not exist."""


class RoleNameTaken(DomainError):
    """Another role of the provider has this name, perhaps in another case."""


@transaction.atomic
def grant_role(
    *, provider_id: int, user_id: int, role_id: int, at: datetime, actor_id: int | None
) -> Membership:
    """Give a user a role in the provider, instead of the one they had there.

    `actor_id` None is the installation's operator, who holds everything.

    :raises PermissionNotHeld: if the role, or the one it replaces, holds more than the actor.
    """
    lock_in_transaction("staff", provider_id)
    role = Role.objects.get(provider_id=provider_id, pk=role_id)
    held = _held(provider_id, actor_id)
    _check_held(held, role.permissions, f"the role {role.name}")
    former = Membership.objects.filter(provider_id=provider_id, user_id=user_id)
    membership = former.select_related("role").first()
    _introduce(actor_id)
    if membership is None:
        return Membership.objects.create(
            provider_id=provider_id, user_id=user_id, role=role, created_at=at
        )
    _check_held(held, membership.role.permissions, f"the role {membership.role.name}")
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


@transaction.atomic
def define_role(
    *, provider_id: int, name: str, permissions: Collection[str], actor_id: int | None
) -> Role:
    """Add a role of the provider's own.

    :raises UnknownPermission: if a code does not exist.
    :raises PermissionNotHeld: if the actor does not hold one of the codes.
    :raises RoleNameTaken: if the provider has a role of that name.
    """
    unknown = sorted(set(permissions) - ALL_PERMISSIONS)
    if unknown:
        raise UnknownPermission(f"There is no permission {', '.join(unknown)}.")
    lock_in_transaction("staff", provider_id)
    _check_held(_held(provider_id, actor_id), permissions, f"the role {name}")
    if Role.objects.filter(provider_id=provider_id, name__iexact=name).exists():
        raise RoleNameTaken(f"There is a role {name} already; choose another name.")
    _introduce(actor_id)
    return Role.objects.create(
        provider_id=provider_id, name=name, permissions=sorted(set(permissions))
    )


def _held(provider_id: int, actor_id: int | None) -> frozenset[str]:
    if actor_id is None:
        return ALL_PERMISSIONS
    membership = (
        Membership.objects.filter(provider_id=provider_id, user_id=actor_id)
        .select_related("role")
        .first()
    )
    return frozenset(membership.role.permissions) if membership else frozenset()


def _check_held(held: frozenset[str], wanted: Collection[str], what: str) -> None:
    missing = sorted(set(wanted) - held)
    if missing:
        raise PermissionNotHeld(
            f"You cannot grant or take {what}: you do not hold {', '.join(missing)}."
        )


def _introduce(actor_id: int | None) -> None:
    """Let the audit trigger know who acts."""
    if actor_id is not None:
        row_security.introduce(actor_id)
