"""Founding providers, and deciding who may do what for them.

Changes of roles and memberships are audited by a database trigger (of the audit app, which knows
this one): not even hand-written SQL changes a permission without a trace.
"""

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from tenancy import row_security
from tenancy.models import BillerEntity, Membership, Provider, Role, User
from tenancy.rules.permissions import ALL_PERMISSIONS, built_in_roles

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class ProviderRefused(DomainError):
    """A slug, currency, country or time zone is not one, or what the seller needs is missing."""


class SlugTaken(DomainError):
    """Another provider has this slug."""


class EmailTaken(DomainError):
    """Somebody signs in with this e-mail already."""


class EmailRefused(DomainError):
    """The text is no e-mail address."""


class NameRefused(DomainError):
    """The name is longer than one can be."""


class PasswordRefused(DomainError):
    """The password is too easy to guess."""


class PermissionNotHeld(DomainError):
    """Nobody can grant what they do not hold."""


class UnknownPermission(DomainError):
    """A permission code does not exist."""


class RoleNameTaken(DomainError):
    """Another role of the provider has this name, perhaps in another case."""


@dataclass(frozen=True)
class Seller:
    """The legal entity that a provider's invoices name as seller."""

    name: str
    address: str
    country: str
    tax_number: str
    email: str


@transaction.atomic
def create_provider(
    *, slug: str, name: str, currency: str, time_zone: str, seller: Seller, at: datetime
) -> Provider:
    """Found a provider with the built-in roles and its default biller entity.

    :raises ProviderRefused: for a malformed slug, currency (ISO 4217), country (ISO 3166, two
        letters) or an unknown time zone, and where a name, the seller's address, tax number or
        e-mail is missing, too long or no address.
    :raises SlugTaken: if the slug is in use.
    """
    _check_provider(slug, currency, time_zone, seller.country)
    provider = Provider(slug=slug, name=name, currency=currency, time_zone=time_zone, created_at=at)
    check_fields(provider, ProviderRefused, "name")
    check_fields(BillerEntity(**asdict(seller)), ProviderRefused, *asdict(seller))
    lock_in_transaction("provider_slug", slug)
    if Provider.objects.filter(slug=slug).exists():
        raise SlugTaken(f"There is a provider '{slug}' already; choose another slug.")
    provider.save(force_insert=True)
    Role.objects.bulk_create(
        Role(provider=provider, name=role, is_built_in=True, permissions=sorted(codes))
        for role, codes in built_in_roles().items()
    )
    BillerEntity.objects.create(provider=provider, is_default=True, **asdict(seller))
    return provider


@transaction.atomic
def create_user(*, email: str, name: str, password: str | None, at: datetime) -> User:
    """Create someone who can sign in; without a password, only after a password reset.

    :raises EmailRefused: if `email` is none.
    :raises NameRefused: if `name` is too long.
    :raises EmailTaken: if somebody has it, in whatever case.
    :raises PasswordRefused: if the password is too weak by the installation's rules.
    """
    email = email.lower()
    user = User(email=email, name=name, created_at=at)
    check_fields(user, EmailRefused, "email")
    check_fields(user, NameRefused, "name")
    lock_in_transaction("user_email", email)
    with row_security.among_everybody():
        if User.objects.filter(email=email).exists():
            raise EmailTaken(f"Somebody signs in as {email} already; use another address.")
        if password is not None:
            _check_password(password, user)
        user.set_password(password)
        user.save(force_insert=True)
    return user


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


def _check_provider(slug: str, currency: str, time_zone: str, country: str) -> None:
    if not _SLUG.fullmatch(slug) or len(slug) > 40:
        raise ProviderRefused(
            f"'{slug}' is not a slug: up to 40 lower-case letters, digits and single hyphens."
        )
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise ProviderRefused(f"'{currency}' is not a currency; write it as EUR.")
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise ProviderRefused(f"'{country}' is not a country; write it as DE.")
    if time_zone not in available_timezones():
        raise ProviderRefused(f"'{time_zone}' is not a time zone; write it as Europe/Berlin.")


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordRefused(" ".join(error.messages)) from error
