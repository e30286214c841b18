"""Reading providers, their staff and their roles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django.db import connection
from django.db.models import Count, F

from common.errors import DomainError
from common.scope import Scope
from tenancy.models import (
    AnsweredCall,
    ApiToken,
    BillerEntity,
    Invitation,
    Logo,
    Membership,
    Provider,
    Role,
    User,
)
from tenancy.owned import ProviderQuerySet
from tenancy.rules.scopes import permissions_of
from tenancy.rules.tokens import hash_of


class UnknownProvider(DomainError):
    """No provider has this slug."""


def provider_by_slug(slug: str) -> Provider:
    """The provider named by `slug`, for commands, which are not bound to one.

    :raises UnknownProvider: if there is none; the message names those there are.
    """
    provider = Provider.objects.filter(slug=slug).first()
    if provider is None:
        slugs = ", ".join(Provider.objects.order_by("slug").values_list("slug", flat=True))
        raise UnknownProvider(f"There is no provider '{slug}'. Providers: {slugs or 'none yet'}.")
    return provider


def providers() -> list[Provider]:
    """Every provider of the installation, by slug, for commands and sweeps."""
    return list(Provider.objects.order_by("slug"))


def own_provider(scope: Scope) -> Provider:
    """The provider that the scope acts inside."""
    return Provider.objects.get(pk=scope.provider_id)


def provider_zone(scope: Scope) -> ZoneInfo:
    """The time zone in which the provider's days begin."""
    return ZoneInfo(own_provider(scope).time_zone)


def staff(scope: Scope) -> ProviderQuerySet[Membership]:
    """Memberships with user and role, by e-mail."""
    rows = Membership.objects.visible_to(scope).select_related("user", "role")
    return rows.order_by("user__email", "pk")


def api_tokens(scope: Scope) -> ProviderQuerySet[ApiToken]:
    """Tokens by which programs act, revoked and expired ones too, the latest first."""
    rows = ApiToken.objects.visible_to(scope)
    related = ("membership__user", "membership__role", "role", "created_by")
    return rows.select_related(*related).order_by("-created_at", "-pk")


@dataclass(frozen=True)
class Grant:
    """What a token that was shown says: whose it is, what it lets do, from where and until when.

    `permissions` are those of its role as they are now; `is_active` is False once its member may
    not sign in any more. `user_id` is None for a service account.
    """

    token_id: int
    provider_id: int
    user_id: int | None
    scopes: Sequence[str]
    permissions: Sequence[str]
    networks: Sequence[str]
    expires_at: datetime
    revoked_at: datetime | None
    is_active: bool
    last_used_at: datetime | None

    def is_valid(self, at: datetime) -> bool:
        """Whether the token still lets do anything."""
        return self.is_active and self.revoked_at is None and at < self.expires_at

    @property
    def held(self) -> frozenset[str]:
        """The permission codes that it passes on: of its scopes, those its role holds."""
        return permissions_of(self.scopes) & frozenset(self.permissions)


def grant_of(secret: str) -> Grant | None:
    """What the token with this secret says; None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tenancy_token(%s)", [hash_of(secret)])
        row = cursor.fetchone()
    return Grant(*row) if row else None


def answered_call(scope: Scope, token_id: int, key: str) -> AnsweredCall | None:
    """What a call of the token was answered that named itself by the key; None if it was not."""
    rows = AnsweredCall.objects.visible_to(scope)
    return rows.filter(token_id=token_id, key=key).order_by("pk").first()


def last_invitation(scope: Scope, user: User) -> Invitation | None:
    """The latest e-mail by which the provider invited somebody; None if it sent none."""
    return Invitation.objects.visible_to(scope).filter(user=user).order_by("-pk").first()


def roles(scope: Scope) -> ProviderQuerySet[Role]:
    """Roles that staff can be given, with their `member_count`, by name."""
    rows = Role.objects.visible_to(scope).annotate(member_count=Count("memberships"))
    return rows.order_by("name", "pk")


def current_logo(scope: Scope) -> bytes | None:
    """The picture (PNG) that pages and documents of the provider wear, if any."""
    rows = Logo.objects.visible_to(scope).filter(sha256=F("provider__logo_sha256"))
    content = rows.values_list("content", flat=True).first()
    return None if content is None else bytes(content)


def biller_entities(scope: Scope) -> ProviderQuerySet[BillerEntity]:
    """The sellers that invoices can name, by name."""
    return BillerEntity.objects.visible_to(scope).order_by("name", "pk")


def has_second_factor(user_id: int) -> bool:
    """Whether somebody proves their sign-in by more than a password."""
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    found: bool = Authenticator.objects.filter(user_id=user_id, type__in=kinds).exists()
    return found


def default_biller_entity(scope: Scope) -> BillerEntity:
    """The seller named on invoices of customers who have no other."""
    return BillerEntity.objects.visible_to(scope).get(is_default=True)
