"""Reading products, rate tables, catalogues and their versions."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from catalogue.models import (
    Catalogue,
    CatalogueItem,
    CatalogueVersion,
    CatalogueVersionItem,
    Product,
    Rate,
    RateTable,
)
from catalogue.rules.differences import ItemDifference, differences
from catalogue.rules.items import Terms
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

RATE_COLUMNS = (
    "rate_table_id",
    "id",
    "prefix",
    "destination",
    "effective_from",
    "effective_to",
    "rate",
    "initial_rate",
    "connection_fee",
    "minimum",
    "increment",
    "grace",
    "steps",
    "min_cost",
    "max_cost",
    "attempt_fee",
    "time_profile__ranges",
    "time_profile__weight",
    "policy",
    "tag",
    "origin_prefix",
    "min_digits",
    "max_digits",
    "status",
)
"""The order of the columns of `rate_rows`."""

_NO_DIGITS_LIMIT = 1000
"""Stands for no bound of a number's length."""


def products(scope: Scope) -> ProviderQuerySet[Product]:
    """What can be sold, by name."""
    return Product.objects.visible_to(scope).order_by("name", "pk")


def rate_tables(scope: Scope) -> ProviderQuerySet[RateTable]:
    """Rate tables with product and parent, by name."""
    rows = RateTable.objects.visible_to(scope).select_related("product", "parent")
    return rows.order_by("name", "pk")


def rate_table(scope: Scope, table_id: int) -> RateTable:
    """One rate table.

    :raises RateTable.DoesNotExist: it is not in the scope.
    """
    return rate_tables(scope).get(pk=table_id)


def rate(scope: Scope, rate_id: int) -> Rate:
    """One rate with its table and time profile.

    :raises Rate.DoesNotExist: it is not in the scope.
    """
    rows = Rate.objects.visible_to(scope).select_related("rate_table__product", "time_profile")
    return rows.get(pk=rate_id)


def in_force(rows: QuerySet[Rate], at: datetime) -> QuerySet[Rate]:
    """Those of the rates that are used at an instant: begun, and neither ended nor followed.

    One without an end is followed by the next of the same table for the same calls: of its prefix,
    tag and time profile, and of its policy, origin prefix and digit bounds.
    """
    profile = Coalesce("time_profile_id", 0)
    following = (
        Rate.objects.filter(
            rate_table_id=OuterRef("rate_table_id"),
            prefix=OuterRef("prefix"),
            tag=OuterRef("tag"),
            policy=OuterRef("policy"),
            origin_prefix=OuterRef("origin_prefix"),
            effective_from__gt=OuterRef("effective_from"),
            effective_from__lte=at,
        )
        .exclude(status=Rate.Status.STASHED)
        .annotate(
            profile=profile,
            least=Coalesce("min_digits", 0),
            most=Coalesce("max_digits", _NO_DIGITS_LIMIT),
        )
        .filter(
            profile=Coalesce(OuterRef("time_profile_id"), 0),
            least=Coalesce(OuterRef("min_digits"), 0),
            most=Coalesce(OuterRef("max_digits"), _NO_DIGITS_LIMIT),
        )
    )
    begun = rows.filter(effective_from__lte=at).exclude(status=Rate.Status.STASHED)
    is_last = Q(effective_to__isnull=True) & ~Exists(following)
    return begun.filter(Q(effective_to__gt=at) | is_last)


def rates(scope: Scope, table: RateTable) -> ProviderQuerySet[Rate]:
    """The rates of a table by prefix, the latest first."""
    rows = Rate.objects.visible_to(scope).filter(rate_table=table)
    return rows.order_by("prefix", "-effective_from", "-pk")


def rate_rows(scope: Scope, table_ids: Collection[int]) -> QuerySet[Rate, tuple[Any, ...]]:
    """All rates of the tables as plain tuples of `RATE_COLUMNS`, by table and id.

    For compiling: no objects are made, and `iterator()` streams them.
    """
    rows = Rate.objects.visible_to(scope).filter(rate_table_id__in=table_ids)
    return rows.order_by("rate_table_id", "pk").values_list(*RATE_COLUMNS)


def catalogues(scope: Scope) -> ProviderQuerySet[Catalogue]:
    """The default catalogue first, then the custom ones by name."""
    return Catalogue.objects.visible_to(scope).order_by("-is_default", "name", "pk")


def default_catalogue(scope: Scope) -> Catalogue | None:
    """The catalogue of every customer without another; None before it was made."""
    return Catalogue.objects.visible_to(scope).filter(is_default=True).first()


def draft_items(scope: Scope, catalogue: Catalogue) -> ProviderQuerySet[CatalogueItem]:
    """The items of a catalogue's draft by group and product."""
    rows = CatalogueItem.objects.visible_to(scope).filter(catalogue=catalogue)
    rows = rows.select_related("product", "rate_table")
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
    """The items of a version, also those switched off, by group and product."""
    rows = CatalogueVersionItem.objects.visible_to(scope).filter(version=version)
    rows = rows.select_related("product", "rate_table")
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
