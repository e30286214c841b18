"""Catalogues: made, cloned, switched off and on again."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from audit.services import record
from catalogue.models import Catalogue, CatalogueItem, CatalogueItemAllowance
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction


class CatalogueNameTaken(DomainError):
    """Another catalogue of the provider has this name, perhaps in another case."""


class CatalogueNameRefused(DomainError):
    """The name is missing or longer than one can be."""


class DefaultCatalogueExists(DomainError):
    """A provider has exactly one default catalogue."""


class DefaultCatalogueNeeded(DomainError):
    """The default catalogue serves every customer without another; it is never disabled."""


class CatalogueStateUnchanged(DomainError):
    """The catalogue is disabled, or enabled, already."""


@transaction.atomic
def create_catalogue(
    *,
    provider_id: int,
    name: str,
    is_default: bool = False,
    at: datetime,
    actor_id: int | None,
) -> Catalogue:
    """Add a catalogue with nothing in it.

    :raises CatalogueNameRefused: if the name is missing or too long.
    :raises CatalogueNameTaken: if the name is in use.
    :raises DefaultCatalogueExists: if there is a default one already.
    """
    check_fields(Catalogue(name=name), CatalogueNameRefused, "name")
    lock_in_transaction("catalogues", provider_id)
    of_provider = Catalogue.objects.filter(provider_id=provider_id)
    if of_provider.filter(name__iexact=name).exists():
        raise CatalogueNameTaken(f"There is a catalogue '{name}' already; choose another name.")
    if is_default and of_provider.filter(is_default=True).exists():
        raise DefaultCatalogueExists("There is a default catalogue already; this can be a custom.")
    catalogue = Catalogue.objects.create(
        provider_id=provider_id, name=name, is_default=is_default, created_at=at
    )
    record(
        provider_id=provider_id,
        action="catalogue.created",
        changed=catalogue,
        at=at,
        actor_id=actor_id,
        after={"name": name, "is_default": is_default},
    )
    return catalogue


@transaction.atomic
def clone_catalogue(
    *, catalogue: Catalogue, name: str, at: datetime, actor_id: int | None
) -> Catalogue:
    """Copy the draft items and prices, not the customers, into a new custom catalogue.

    :raises CatalogueNameRefused: if the name is missing or too long.
    :raises CatalogueNameTaken: if the name is in use.
    """
    clone = create_catalogue(provider_id=catalogue.provider_id, name=name, at=at, actor_id=actor_id)
    items = list(CatalogueItem.objects.filter(catalogue=catalogue).order_by("pk"))
    copies = CatalogueItem.objects.bulk_create(
        CatalogueItem(
            provider_id=item.provider_id,
            catalogue=clone,
            product_id=item.product_id,
            **asdict(item.terms),
        )
        for item in items
    )
    _clone_allowances(dict(zip((item.pk for item in items), copies, strict=True)))
    record(
        provider_id=catalogue.provider_id,
        action="catalogue.cloned",
        changed=clone,
        at=at,
        actor_id=actor_id,
        after={"from": catalogue.name, "items": len(items)},
    )
    return clone


def _clone_allowances(copies: Mapping[int, CatalogueItem]) -> None:
    """Copy what the items include, by whose ids their copies are given."""
    rows = CatalogueItemAllowance.objects.filter(item_id__in=copies).order_by("pk")
    CatalogueItemAllowance.objects.bulk_create(
        CatalogueItemAllowance(
            provider_id=row.provider_id, item=copies[row.item_id], **asdict(row.terms)
        )
        for row in rows
    )


@transaction.atomic
def disable_catalogue(*, catalogue: Catalogue, at: datetime, actor_id: int | None) -> Catalogue:
    """Keep the catalogue from being published or assigned; its customers keep it.

    :raises DefaultCatalogueNeeded: for the default one.
    :raises CatalogueStateUnchanged: if it is disabled.
    """
    return _switch(catalogue, is_enabled=False, at=at, actor_id=actor_id)


@transaction.atomic
def enable_catalogue(*, catalogue: Catalogue, at: datetime, actor_id: int | None) -> Catalogue:
    """Let a disabled catalogue be published and assigned again.

    :raises CatalogueStateUnchanged: if it is enabled.
    """
    return _switch(catalogue, is_enabled=True, at=at, actor_id=actor_id)


def _switch(
    catalogue: Catalogue, *, is_enabled: bool, at: datetime, actor_id: int | None
) -> Catalogue:
    catalogue = Catalogue.objects.select_for_update(no_key=True).get(pk=catalogue.pk)
    state = "enabled" if is_enabled else "disabled"
    if catalogue.is_default and not is_enabled:
        raise DefaultCatalogueNeeded(f"{catalogue} is the default catalogue and stays enabled.")
    if catalogue.is_enabled == is_enabled:
        raise CatalogueStateUnchanged(f"{catalogue} is {state} already.")
    catalogue.is_enabled = is_enabled
    catalogue.save(update_fields=["is_enabled"])
    record(
        provider_id=catalogue.provider_id,
        action=f"catalogue.{state}",
        changed=catalogue,
        at=at,
        actor_id=actor_id,
        before={"is_enabled": not is_enabled},
        after={"is_enabled": is_enabled},
    )
    return catalogue
