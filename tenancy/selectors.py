"""Reading providers, their staff and their roles."""

from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django.db.models import Count, F

from common.errors import DomainError
from common.scope import Scope
from tenancy.models import BillerEntity, Invitation, Logo, Membership, Provider, Role, User
from tenancy.owned import ProviderQuerySet


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
