"""Publishing: the draft of a catalogue becomes an immutable, numbered version."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from audit.services import record
from catalogue.models import (
    Catalogue,
    CatalogueItem,
    CatalogueItemAllowance,
    CatalogueVersion,
    CatalogueVersionItem,
    CatalogueVersionItemAllowance,
)
from common.errors import DomainError


class CatalogueDisabled(DomainError):
    """A disabled catalogue can be neither published nor assigned."""


class CatalogueEmpty(DomainError):
    """A version sells at least one item."""


class EffectiveInThePast(DomainError):
    """A version takes effect when it is published or later: prices never change backwards."""


@transaction.atomic
def publish_catalogue(
    *,
    catalogue: Catalogue,
    effective_at: datetime | None = None,
    at: datetime,
    actor_id: int | None,
) -> CatalogueVersion:
    """Copy the draft into the next version, in effect from `effective_at` (None: now).

    :raises EffectiveInThePast: if that is before `at`.
    :raises CatalogueDisabled: if the catalogue is disabled.
    :raises CatalogueEmpty: if the draft has no item.
    """
    effective_at = effective_at or at
    if effective_at < at:
        raise EffectiveInThePast(f"{effective_at} is over; publish now or at a later time.")
    catalogue = Catalogue.objects.select_for_update(no_key=True).get(pk=catalogue.pk)
    if not catalogue.is_enabled:
        raise CatalogueDisabled(f"{catalogue} is disabled; enable it before publishing.")
    items = list(CatalogueItem.objects.filter(catalogue=catalogue).order_by("pk"))
    if not items:
        raise CatalogueEmpty(f"{catalogue} has no items to publish.")
    version = CatalogueVersion.objects.create(
        provider_id=catalogue.provider_id,
        catalogue=catalogue,
        number=_next_number(catalogue),
        published_at=at,
        effective_at=effective_at,
        published_by_id=actor_id,
    )
    published = CatalogueVersionItem.objects.bulk_create(
        _published(item, version) for item in items
    )
    _publish_allowances(dict(zip((item.pk for item in items), published, strict=True)))
    record(
        provider_id=catalogue.provider_id,
        action="catalogue.published",
        changed=catalogue,
        at=at,
        actor_id=actor_id,
        after={"version": version.number, "effective_at": effective_at, "items": len(items)},
    )
    return version


def _next_number(catalogue: Catalogue) -> int:
    """The catalogue is locked, so that two publications take two numbers."""
    highest = CatalogueVersion.objects.filter(catalogue=catalogue).aggregate(Max("number"))
    return (highest["number__max"] or 0) + 1


def _published(item: CatalogueItem, version: CatalogueVersion) -> CatalogueVersionItem:
    return CatalogueVersionItem(
        provider_id=item.provider_id,
        version=version,
        product_id=item.product_id,
        **asdict(item.terms),
    )


def _publish_allowances(published: Mapping[int, CatalogueVersionItem]) -> None:
    """Copy what the items of the draft include, by whose ids the version's are given."""
    drafted = CatalogueItemAllowance.objects.filter(item_id__in=published).order_by("pk")
    CatalogueVersionItemAllowance.objects.bulk_create(
        CatalogueVersionItemAllowance(
            provider_id=row.provider_id, item=published[row.item_id], **asdict(row.terms)
        )
        for row in drafted
    )
