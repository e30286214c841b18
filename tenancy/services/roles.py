"""The roles a provider defines beside the built-in ones, and who may grant what.

Changes of roles and memberships are audited by a database trigger (of the audit app, which knows
this one): not even hand-written SQL changes a permission without a trace.
"""

from collections.abc import Collection

from django.db import transaction

from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from tenancy import row_security
from tenancy.models import ApiToken, Membership, Role
from tenancy.rules.permissions import ALL_PERMISSIONS


class PermissionNotHeld(DomainError):
    """Nobody can grant what they do not hold."""


class UnknownPermission(DomainError):
    """A permission code does not exist."""


class RoleNameRefused(DomainError):
    """A role has a name of up to 60 characters."""


class RoleNameTaken(DomainError):
    """Another role of the provider has this name, perhaps in another case."""


class RoleBuiltIn(DomainError):
    """The seven roles that every provider has stay as they are."""


class RoleInUse(DomainError):
    """Somebody works under the role, or a service account stands or stood under it."""


@transaction.atomic
def define_role(
    *, provider_id: int, name: str, permissions: Collection[str], actor_id: int | None
) -> Role:
    """Add a role of the provider's own.

    :raises RoleNameRefused: if there is no name, or too long a one.
    :raises UnknownPermission: if a code does not exist.
    :raises PermissionNotHeld: if the actor does not hold one of the codes.
    :raises RoleNameTaken: if the provider has a role of that name.
    """
    role = Role(provider_id=provider_id, name=name, permissions=sorted(set(permissions)))
    _check(role)
    lock_in_transaction("staff", provider_id)
    check_held(held_permissions(provider_id, actor_id), permissions, f"the role {name}")
    _check_free(role)
    introduce_actor(actor_id)
    role.save(force_insert=True)
    return role


@transaction.atomic
def redefine_role(
    *, role: Role, name: str, permissions: Collection[str], actor_id: int | None
) -> Role:
    """Change a role of the provider's own, for all who work under it and from now on.

    :raises RoleBuiltIn: if it is not the provider's own.
    :raises RoleNameRefused: if there is no name, or too long a one.
    :raises UnknownPermission: if a code does not exist.
    :raises PermissionNotHeld: if it held, or is to hold, more than the actor.
    :raises RoleNameTaken: if the provider has another role of that name.
    """
    lock_in_transaction("staff", role.provider_id)
    role = Role.objects.select_for_update(no_key=True).get(pk=role.pk)
    _check_own(role)
    held = held_permissions(role.provider_id, actor_id)
    check_held(held, {*role.permissions, *permissions}, f"the role {role.name}")
    role.name, role.permissions = name, sorted(set(permissions))
    _check(role)
    _check_free(role)
    introduce_actor(actor_id)
    role.save(update_fields=["name", "permissions"])
    return role


@transaction.atomic
def delete_role(*, role: Role, actor_id: int | None) -> None:
    """Remove a role of the provider's own that nobody works under.

    :raises RoleBuiltIn: if it is not the provider's own.
    :raises RoleInUse: if somebody has it, be their access withdrawn or not.
    :raises PermissionNotHeld: if it holds more than the actor.
    """
    lock_in_transaction("staff", role.provider_id)
    role = Role.objects.select_for_update().get(pk=role.pk)
    _check_own(role)
    held = held_permissions(role.provider_id, actor_id)
    check_held(held, role.permissions, f"the role {role.name}")
    if count := Membership.objects.filter(role=role).count():
        raise RoleInUse(f"{count} of your staff have the role {role}; give them another one first.")
    if tokens := ApiToken.objects.filter(role=role).count():
        raise RoleInUse(f"{tokens} service accounts stand under the role {role}, or did.")
    introduce_actor(actor_id)
    role.delete()


def held_permissions(provider_id: int, actor_id: int | None) -> frozenset[str]:
    """What somebody may grant; `actor_id` None is the installation's operator, who holds all."""
    if actor_id is None:
        return ALL_PERMISSIONS
    rows = Membership.objects.filter(
        provider_id=provider_id, user_id=actor_id, user__is_active=True
    )
    membership = rows.select_related("role").first()
    return frozenset(membership.role.permissions) if membership else frozenset()


def check_held(held: frozenset[str], wanted: Collection[str], what: str) -> None:
    """Refuse to grant or take what is not held.

    :raises PermissionNotHeld: naming what is missing.
    """
    missing = sorted(set(wanted) - held)
    if missing:
        raise PermissionNotHeld(
            f"You cannot grant or take {what}: you do not hold {', '.join(missing)}."
        )


def introduce_actor(actor_id: int | None) -> None:
    """Let the audit trigger know who acts."""
    if actor_id is not None:
        row_security.introduce(actor_id)


def _check(role: Role) -> None:
    check_fields(role, RoleNameRefused, "name")
    unknown = sorted(set(role.permissions) - ALL_PERMISSIONS)
    if unknown:
        raise UnknownPermission(f"There is no permission {', '.join(unknown)}.")


def _check_free(role: Role) -> None:
    same = Role.objects.filter(provider_id=role.provider_id, name__iexact=role.name)
    if same.exclude(pk=role.pk).exists():
        raise RoleNameTaken(f"There is a role {role.name} already; choose another name.")


def _check_own(role: Role) -> None:
    if role.is_built_in:
        raise RoleBuiltIn(f"{role} is built in and stays as it is; add a role of your own instead.")
