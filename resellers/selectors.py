"""Reading resellers, their tree, codes, vendors and billing mode."""

from datetime import datetime

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Q, Value

from catalogue.models import RateTable
from common.errors import DomainError
from common.scope import Scope
from resellers.models import (
    BillingModeAssignment,
    Reseller,
    ResellerCode,
    ResellerModule,
    ResellerUser,
    Vendor,
)
from resellers.rules.tree import ResellerTree
from tenancy.owned import ProviderQuerySet


class ResellerModuleOff(DomainError):
    """The provider has no resellers at present, hence no codes."""


class UnknownResellerCode(DomainError):
    """The provider has no such code."""


class ResellerCodeNotPublished(DomainError):
    """The code is a draft."""


class ResellerCodeExpired(DomainError):
    """The code was good until some time ago."""


class ResellerDisabled(DomainError):
    """The code belongs to a reseller that is disabled."""


def resellers(scope: Scope) -> ProviderQuerySet[Reseller]:
    """Resellers with parent and, as `code_names`, their codes in a line; by number."""
    names = StringAgg("codes__code", ", ", order_by="codes__code", default=Value(""))
    rows = Reseller.objects.visible_to(scope).select_related("parent")
    return rows.annotate(code_names=names).order_by("number", "pk")


def reseller_tree(scope: Scope) -> ResellerTree:
    """A snapshot of the provider's tree."""
    return ResellerTree(dict(Reseller.objects.visible_to(scope).values_list("pk", "parent_id")))


def codes(scope: Scope, reseller: Reseller) -> ProviderQuerySet[ResellerCode]:
    """The codes of a reseller, alphabetically."""
    return ResellerCode.objects.visible_to(scope).filter(reseller=reseller).order_by("code", "pk")


def possible_default_codes(scope: Scope) -> ProviderQuerySet[ResellerCode]:
    """The codes that every sign-up could use: published, without expiry, of active resellers."""
    rows = ResellerCode.objects.visible_to(scope).filter(
        published_at__isnull=False,
        expires_at__isnull=True,
        reseller__state=Reseller.State.ACTIVE,
    )
    return rows.select_related("reseller").order_by("code", "pk")


def viewers(scope: Scope, reseller: Reseller) -> ProviderQuerySet[ResellerUser]:
    """Who may look at the reseller's portal, by e-mail."""
    rows = ResellerUser.objects.visible_to(scope).filter(reseller=reseller)
    return rows.select_related("user").order_by("user__email", "pk")


def vendors(scope: Scope) -> ProviderQuerySet[Vendor]:
    """Vendors with owner and rate table, by name."""
    rows = Vendor.objects.visible_to(scope).select_related("owner", "rate_table")
    return rows.order_by("name", "pk")


def billing_modes(scope: Scope, reseller: Reseller) -> ProviderQuerySet[BillingModeAssignment]:
    """All billing-mode assignments of a reseller, the latest first."""
    rows = BillingModeAssignment.objects.visible_to(scope).filter(reseller=reseller)
    rows = rows.select_related("product", "rate_table", "internal_rate_table")
    return rows.order_by("-valid_from", "-pk")


def resellers_in_billing_mode(scope: Scope, at: datetime) -> ProviderQuerySet[Reseller]:
    """Resellers that pay their parent at an instant, by number."""
    on = BillingModeAssignment.objects.visible_to(scope).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=at), valid_from__lte=at
    )
    rows = Reseller.objects.visible_to(scope).filter(pk__in=on.values("reseller_id"))
    return rows.order_by("number", "pk")


def billing_modes_by(
    scope: Scope, table: RateTable, at: datetime
) -> list[tuple[Reseller, list[str]]]:
    """The resellers who pay by a rate table at an instant, each with its users' addresses."""
    modes = BillingModeAssignment.objects.visible_to(scope).filter(
        Q(rate_table=table) | Q(internal_rate_table=table),
        Q(valid_to__isnull=True) | Q(valid_to__gt=at),
        valid_from__lte=at,
    )
    rows = resellers(scope).filter(pk__in=modes.values("reseller"), state=Reseller.State.ACTIVE)
    emails: dict[int, list[str]] = {}
    users = ResellerUser.objects.visible_to(scope).filter(reseller__in=rows, user__is_active=True)
    for reseller_id, email in users.order_by("pk").values_list("reseller_id", "user__email"):
        emails.setdefault(reseller_id, []).append(email)
    return [(reseller, emails.get(reseller.pk, [])) for reseller in rows]


def module(scope: Scope) -> ResellerModule:
    """The module's settings; switched off where nobody ever set them."""
    rows = ResellerModule.objects.visible_to(scope).select_related("default_code__reseller")
    return rows.first() or ResellerModule(provider_id=scope.provider_id)


def find_code(scope: Scope, text: str, at: datetime) -> ResellerCode:
    """The code that a new customer gave, in whatever case, with its reseller.

    :raises ResellerModuleOff: if the provider's reseller module is switched off.
    :raises UnknownResellerCode: if there is none.
    :raises ResellerCodeNotPublished: if it is a draft.
    :raises ResellerCodeExpired: if it expired by `at`.
    :raises ResellerDisabled: if its reseller is disabled.
    """
    if not module(scope).is_enabled:
        raise ResellerModuleOff("Reseller codes are not in use here; leave the code out.")
    rows = ResellerCode.objects.visible_to(scope).select_related("reseller")
    code = rows.filter(code__iexact=text.strip()).first()
    if code is None:
        raise UnknownResellerCode(f"There is no reseller code '{text}'; check its spelling.")
    if code.published_at is None or code.published_at > at:
        raise ResellerCodeNotPublished(f"The reseller code '{code}' is not in use yet.")
    if code.expires_at is not None and code.expires_at <= at:
        raise ResellerCodeExpired(f"The reseller code '{code}' has expired.")
    if code.reseller.state != Reseller.State.ACTIVE:
        raise ResellerDisabled(f"The reseller code '{code}' is not accepted at present.")
    return code


def default_code(scope: Scope) -> ResellerCode | None:
    """The code of customers who give none; None: they belong to the provider."""
    settings = module(scope)
    return settings.default_code if settings.is_enabled else None
