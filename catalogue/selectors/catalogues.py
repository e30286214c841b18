"""Reading catalogues and their versions."""

from datetime import datetime

from catalogue.models import Catalogue, CatalogueItem, CatalogueVersion, CatalogueVersionItem
from catalogue.rules.differences import ItemDifference, differences
from catalogue.rules.items import Terms
from catalogue.selectors.allowances import draft_includes, version_includes
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def catalogues(scope: Scope) -> ProviderQuerySet[Catalogue]:
    """The default catalogue first, then the custom ones by name."""
    return Catalogue.objects.visible_to(scope).order_by("-is_default", "name", "pk")


def default_catalogue(scope: Scope) -> Catalogue | None:
    """The catalogue of every customer without another; None before it was made."""
    return Catalogue.objects.visible_to(scope).filter(is_default=True).first()


def draft_items(scope: Scope, catalogue: Catalogue) -> ProviderQuerySet[CatalogueItem]:
    """The items of a catalogue's draft, with what each includes, by group and product."""
    rows = CatalogueItem.objects.visible_to(scope).filter(catalogue=catalogue)
    rows = rows.select_related("product", "rate_table").prefetch_related(draft_includes(scope))
    return rows.order_by("group", "product__name", "currency", "pk")


def versions(scope: Scope, catalogue: Catalogue) -> ProviderQuerySet[CatalogueVersion]:
    """The versions of a catalogue, the newest first."""
    rows = CatalogueVersion.objects.visible_to(scope).filter(catalogue=catalogue)
    return rows.select_related("published_by").order_by("-number", "pk")


def version(scope: Scope, version_id: int) -> CatalogueVersion:
    """One version with its catalogue.

    :raises CatalogueVersion.DoesNotExist: for one that the scope does not see.
    """
    rows = CatalogueVersion.objects.visible_to(scope).select_related("catalogue", "published_by")
    return rows.get(pk=version_id)


def version_at(scope: Scope, catalogue_id: int, at: datetime) -> CatalogueVersion | None:
    """The version in effect at an instant: the last to take effect until then.

    Of versions that take effect at the same instant it is the one published last.
    """
    rows = CatalogueVersion.objects.visible_to(scope).filter(
        catalogue_id=catalogue_id, effective_at__lte=at
    )
    return rows.order_by("-effective_at", "-number").first()


def version_items(
    scope: Scope, version: CatalogueVersion
) -> ProviderQuerySet[CatalogueVersionItem]:
    """The items of a version with what each includes, also those switched off, by group."""
    rows = CatalogueVersionItem.objects.visible_to(scope).filter(version=version)
    rows = rows.select_related("product", "rate_table").prefetch_related(version_includes(scope))
    return rows.order_by("group", "product__name", "currency", "pk")


def version_differences(
    scope: Scope, older: CatalogueVersion, newer: CatalogueVersion
) -> tuple[ItemDifference, ...]:
    """What leads from one version of a catalogue to another."""
    return differences(_terms_by_item(scope, older), _terms_by_item(scope, newer))


def unpublished_differences(scope: Scope, catalogue: Catalogue) -> tuple[ItemDifference, ...]:
    """What publishing the draft would change against the version published last."""
    last = versions(scope, catalogue).first()
    published = {} if last is None else _terms_by_item(scope, last)
    draft = {(row.product_id, row.currency): row.terms for row in draft_items(scope, catalogue)}
    return differences(published, draft)


def _terms_by_item(scope: Scope, version: CatalogueVersion) -> dict[tuple[int, str], Terms]:
    rows = CatalogueVersionItem.objects.visible_to(scope).filter(version=version)
    return {(row.product_id, row.currency): row.terms for row in rows}
