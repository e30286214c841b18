"""Tokens by which programs act: made, shown once, used and revoked.

Making and revoking are audited by database triggers, like the roles.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from tenancy.models import AnsweredCall, ApiToken, Membership, Role
from tenancy.rules.scopes import SCOPES, permissions_of
from tenancy.rules.tokens import MARK, SHOWN_CHARACTERS, hash_of, normal_networks
from tenancy.services.roles import check_held, held_permissions, introduce_actor

LONGEST_LIFE = timedelta(days=366)
MOST_NETWORKS = 20
ANSWERS_KEPT = timedelta(hours=72)
"""How long the answer to a call that named itself by a key is given again."""

_RANDOM_BYTES = 32
_USE_NOTED_EACH = timedelta(minutes=1)


class TokenNameRefused(DomainError):
    """A token has a name of up to 100 characters."""


class ScopeRefused(DomainError):
    """A token has scopes, of those there are and within what its role holds."""


class ExpiryRefused(DomainError):
    """A token expires, within a year."""


class NetworkRefused(DomainError):
    """A network that a token is bound to is none, or there are too many."""


class NotStaff(DomainError):
    """Only who works for the provider has tokens of their own."""


class TokenRevoked(DomainError):
    """The token was revoked before."""


@transaction.atomic
def create_token(
    *,
    provider_id: int,
    name: str,
    role_id: int | None,
    scopes: Collection[str],
    networks: Collection[str],
    expires_at: datetime,
    at: datetime,
    actor_id: int,
) -> tuple[ApiToken, str]:
    """A token and its secret, which is not kept: the actor's own, or with `role_id` a service's.

    An own token can do what its scopes name and the actor's role holds whenever it is used; a
    service account's goes by the role it stands under.

    :raises NotStaff: if the actor does not work for the provider.
    :raises TokenNameRefused: if there is no name, or too long a one.
    :raises ScopeRefused: if there is no scope, an unknown one, or one beyond the role.
    :raises PermissionNotHeld: if the actor does not hold what the token is to do.
    :raises NetworkRefused: if a network is none, or there are too many.
    :raises ExpiryRefused: if it would not expire within a year.
    """
    lock_in_transaction("staff", provider_id)
    rows = Membership.objects.filter(provider_id=provider_id, user_id=actor_id)
    membership = rows.select_related("role").first()
    if membership is None:
        raise NotStaff("Only who works for the provider has tokens of their own.")
    role = None
    if role_id is not None:
        role = Role.objects.get(provider_id=provider_id, pk=role_id)
    _check_scopes(scopes, role or membership.role)
    check_held(held_permissions(provider_id, actor_id), permissions_of(scopes), f"the token {name}")
    if not at < expires_at <= at + LONGEST_LIFE:
        raise ExpiryRefused(f"A token expires within {LONGEST_LIFE.days} days.")
    secret = MARK + secrets.token_urlsafe(_RANDOM_BYTES)
    token = ApiToken(
        provider_id=provider_id,
        name=name,
        membership=None if role else membership,
        role=role,
        scopes=sorted(set(scopes)),
        networks=_networks(networks),
        shown_start=secret[:SHOWN_CHARACTERS],
        secret_hash=hash_of(secret),
        expires_at=expires_at,
        created_at=at,
        created_by_id=actor_id,
    )
    check_fields(token, TokenNameRefused, "name")
    introduce_actor(actor_id)
    token.save(force_insert=True)
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, at: datetime, actor_id: int) -> None:
    """End a token for good: the next call that shows it is refused.

    :raises TokenRevoked: if it was revoked before.
    """
    token = ApiToken.objects.select_for_update(no_key=True).get(pk=token.pk)
    if token.revoked_at is not None:
        raise TokenRevoked(f"{token} was revoked on {token.revoked_at:%Y-%m-%d %H:%M} UTC.")
    token.revoked_at, token.revoked_by_id = at, actor_id
    introduce_actor(actor_id)
    token.save(update_fields=["revoked_at", "revoked_by"])


def note_use(
    *, token_id: int, last_used_at: datetime | None, address: str | None, at: datetime
) -> None:
    """Put down that a token is used, once a minute: most calls then cost no write.

    Of calls at the same instant one writes; the others do not wait for it.
    """
    if last_used_at is not None and at - last_used_at < _USE_NOTED_EACH:
        return
    free = ApiToken.objects.filter(pk=token_id).select_for_update(no_key=True, skip_locked=True)
    ApiToken.objects.filter(pk__in=free.values("pk")).update(
        last_used_at=at, last_used_from=address
    )


def forget_answers(*, at: datetime) -> int:
    """Drop the answers that nobody will ask for again; returns how many."""
    forgotten, _ = AnsweredCall.objects.filter(answered_at__lt=at - ANSWERS_KEPT).delete()
    return forgotten


def _check_scopes(scopes: Collection[str], role: Role) -> None:
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown or not scopes:
        raise ScopeRefused(f"There is no scope {', '.join(unknown)}." if scopes else "Choose one.")
    beyond = sorted(scope for scope in scopes if SCOPES[scope] not in role.permissions)
    if beyond:
        raise ScopeRefused(f"The role {role} does not hold what {', '.join(beyond)} lets do.")


def _networks(texts: Collection[str]) -> list[str]:
    try:
        networks = normal_networks(texts)
    except ValueError as error:
        raise NetworkRefused(f"{error}. Write it as 192.0.2.7 or 192.0.2.0/24.") from error
    if len(networks) > MOST_NETWORKS:
        raise NetworkRefused(f"A token is bound to {MOST_NETWORKS} networks at most.")
    return networks
