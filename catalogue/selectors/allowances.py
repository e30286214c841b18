"""Reading what items include of usage."""

from django.db.models import Prefetch

from catalogue.models import (
    Catalogue,
    CatalogueItem,
    CatalogueItemAllowance,
    CatalogueVersion,
    CatalogueVersionItemAllowance,
)
from catalogue.rules.allowance_differences import (
    AllowanceDifference,
    AllowanceKey,
    allowance_differences,
)
from catalogue.rules.allowances import Allowance
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

_ORDER = ("priority", "name", "pk")


def item_allowances(scope: Scope, item: CatalogueItem) -> ProviderQuerySet[CatalogueItemAllowance]:
    """What an item of a draft includes, by priority and name."""
    rows = CatalogueItemAllowance.objects.visible_to(scope).filter(item=item)
    return rows.select_related("usage_product", "item").order_by(*_ORDER)


def version_allowances(
    scope: Scope, version: CatalogueVersion
) -> ProviderQuerySet[CatalogueVersionItemAllowance]:
    """What the items of a version include, by item, priority and name."""
    rows = CatalogueVersionItemAllowance.objects.visible_to(scope).filter(item__version=version)
    rows = rows.select_related("usage_product", "item__product")
    return rows.order_by("item__product__name", "item__currency", *_ORDER)


def draft_includes(scope: Scope) -> "Prefetch[str]":
    """With the items of a draft: what each includes, by priority and name."""
    rows = CatalogueItemAllowance.objects.visible_to(scope).select_related("usage_product")
    return Prefetch("allowances", rows.order_by(*_ORDER))


def version_includes(scope: Scope, path: str = "allowances") -> "Prefetch[str]":
    """With the items of versions, to which `path` may lead: what each includes."""
    rows = CatalogueVersionItemAllowance.objects.visible_to(scope).select_related("usage_product")
    return Prefetch(path, rows.order_by(*_ORDER))


def version_allowance_differences(
    scope: Scope, older: CatalogueVersion, newer: CatalogueVersion
) -> tuple[AllowanceDifference, ...]:
    """What leads from what one version of a catalogue includes to what another does."""
    return allowance_differences(_published(scope, older), _published(scope, newer))


def unpublished_allowance_differences(
    scope: Scope, catalogue: Catalogue
) -> tuple[AllowanceDifference, ...]:
    """What publishing the draft would change of what the version published last includes."""
    versions = CatalogueVersion.objects.visible_to(scope).filter(catalogue=catalogue)
    last = versions.order_by("-number", "pk").first()
    rows = CatalogueItemAllowance.objects.visible_to(scope).filter(item__catalogue=catalogue)
    return allowance_differences(
        {} if last is None else _published(scope, last), _by_key(rows.select_related("item"))
    )


def _published(scope: Scope, version: CatalogueVersion) -> dict[AllowanceKey, Allowance]:
    return _by_key(version_allowances(scope, version))


def _by_key(
    rows: ProviderQuerySet[CatalogueItemAllowance]
    | ProviderQuerySet[CatalogueVersionItemAllowance],
) -> dict[AllowanceKey, Allowance]:
    return {
        AllowanceKey(row.item.product_id, row.item.currency, row.name.lower()): row.terms
        for row in rows
    }
