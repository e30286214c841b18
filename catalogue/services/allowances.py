"""What the items of a catalogue's draft include of usage."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from audit.services import record, record_change
from catalogue.models import Catalogue, CatalogueItem, CatalogueItemAllowance, Product
from catalogue.rules.allowances import (
    Allowance,
    AllowanceRefused,
    check_allowance,
    written_destinations,
)
from catalogue.rules.units import in_largest_unit
from catalogue.services.seen import check_seen, written
from common.errors import DomainError
from common.fields import check_fields


class AllowanceNameTaken(DomainError):
    """The item includes something of this name already, perhaps in another case."""


@transaction.atomic
def add_allowance(
    *, item: CatalogueItem, allowance: Allowance, at: datetime, actor_id: int | None
) -> CatalogueItemAllowance:
    """Have an item of the draft include usage; its next version will.

    :raises AllowanceRefused: if the terms fit the item or the usage product not, or nothing.
    :raises AllowanceNameTaken: if the item includes something of that name.
    """
    item = _locked(item)
    row = _checked(CatalogueItemAllowance(provider_id=item.provider_id, item=item), allowance)
    row.save()
    record(
        provider_id=row.provider_id,
        action="allowance.added",
        changed=row,
        at=at,
        actor_id=actor_id,
        after={"item": item.product.code, "currency": item.currency, **recorded(allowance)},
    )
    return row


@transaction.atomic
def change_allowance(
    *,
    row: CatalogueItemAllowance,
    allowance: Allowance,
    seen: Mapping[str, str] | None = None,
    at: datetime,
    actor_id: int | None,
) -> CatalogueItemAllowance:
    """Replace what an item of the draft includes; published versions keep theirs.

    `seen` is what somebody has decided by, as `written_allowance`.

    :raises ChangedMeanwhile: unless the allowance is as it was `seen`.
    :raises AllowanceRefused: if the terms fit the item or the usage product not, or nothing.
    :raises AllowanceNameTaken: if the item includes something else of that name.
    """
    _locked(row.item)
    row = CatalogueItemAllowance.objects.select_related("item__product").get(pk=row.pk)
    before = recorded(row.terms)
    if seen is not None:
        check_seen("allowance", seen, written_allowance(row.terms), written_allowance(allowance))
    row = _checked(row, allowance)
    after = recorded(allowance)
    if before == after:
        return row
    row.save()
    record_change(
        provider_id=row.provider_id,
        action="allowance.changed",
        changed=row,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return row


@transaction.atomic
def remove_allowance(*, row: CatalogueItemAllowance, at: datetime, actor_id: int | None) -> None:
    """Have an item of the draft include this no more: its next version will not."""
    item = _locked(row.item)
    row = CatalogueItemAllowance.objects.get(pk=row.pk)
    record(
        provider_id=row.provider_id,
        action="allowance.removed",
        changed=row,
        at=at,
        actor_id=actor_id,
        before={"item": item.product.code, "currency": item.currency, **recorded(row.terms)},
    )
    row.delete()


def written_allowance(allowance: Allowance) -> dict[str, str]:
    """The terms as texts, with the name of the usage product and the volume in its units."""
    values = recorded(allowance)
    del values["usage_product_id"]
    product = Product.objects.filter(pk=allowance.usage_product_id).first()
    if product is not None:
        volume, unit = in_largest_unit(allowance.volume, product.volume_unit)
        values["volume"] = f"{volume} {unit}"
    return written(values | {"usage_product": product})


def recorded(allowance: Allowance) -> dict[str, object]:
    """What the audit log keeps of the terms."""
    return asdict(allowance) | {"destinations": written_destinations(allowance.destinations)}


def _locked(item: CatalogueItem) -> CatalogueItem:
    """Nobody else changes or publishes the draft before this is done."""
    Catalogue.objects.select_for_update(no_key=True).get(pk=item.catalogue_id)
    return CatalogueItem.objects.select_related("product").get(pk=item.pk)


def _checked(row: CatalogueItemAllowance, allowance: Allowance) -> CatalogueItemAllowance:
    """The row with these terms, not saved."""
    usage = Product.objects.filter(
        provider_id=row.provider_id, pk=allowance.usage_product_id
    ).first()
    check_allowance(row.item.product.kind, usage.kind if usage else "", allowance)
    for field, value in asdict(allowance).items():
        setattr(row, field, value)
    row.destinations = list(allowance.destinations)
    check_fields(row, AllowanceRefused, "name", "sharing")
    others = CatalogueItemAllowance.objects.filter(item=row.item, name__iexact=row.name)
    if others.exclude(pk=row.pk).exists():
        raise AllowanceNameTaken(
            f"{row.item.product} includes '{row.name}' already; choose another name."
        )
    return row
