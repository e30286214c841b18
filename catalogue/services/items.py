"""The draft of a catalogue: what the next version will sell, and at what price."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from audit.services import record, record_change
from catalogue.models import Catalogue, CatalogueItem, Product, RateTable
from catalogue.rules.items import ItemRefused, Terms, check_terms, multiplied, multiplied_tiers
from catalogue.rules.tiers import parse_tiers
from catalogue.services.seen import check_seen, written
from common.errors import DomainError
from tenancy.owned import ProviderQuerySet


class ItemExists(DomainError):
    """The draft has this product in this currency already."""


class RateTableDiffers(ItemRefused):
    """The rate table rates another product, or in another currency than the item's."""


class NothingToMultiply(DomainError):
    """No item of the draft, or of the group, has a price."""


@transaction.atomic
def add_item(
    *, catalogue: Catalogue, product: Product, terms: Terms, at: datetime, actor_id: int | None
) -> CatalogueItem:
    """Put a product into the draft on `terms`; another currency of it is another item.

    :raises ItemRefused: if the terms do not fit the product.
    :raises TiersRefused: if it is sold at tiers that are none.
    :raises ItemExists: if the draft has the product in that currency.
    """
    catalogue = _locked(catalogue)
    terms = _checked(product, terms)
    if _same_item(catalogue, product, terms.currency).exists():
        raise ItemExists(f"{catalogue} has {product} in {terms.currency} already; change that.")
    item = CatalogueItem.objects.create(
        provider_id=catalogue.provider_id, catalogue=catalogue, product=product, **asdict(terms)
    )
    record(
        provider_id=catalogue.provider_id,
        action="catalogue_item.added",
        changed=item,
        at=at,
        actor_id=actor_id,
        after={"product": product.code, **asdict(terms)},
    )
    return item


@transaction.atomic
def change_item(
    *,
    item: CatalogueItem,
    terms: Terms,
    seen: Mapping[str, str] | None = None,
    at: datetime,
    actor_id: int | None,
) -> CatalogueItem:
    """Replace the terms of an item of the draft; published versions keep theirs.

    `seen` are those that somebody has decided by, as `written_terms`.

    :raises ChangedMeanwhile: unless the item is as it was `seen`.
    :raises ItemRefused: if the terms do not fit the product.
    :raises TiersRefused: if it is sold at tiers that are none.
    :raises ItemExists: if the draft has the product in the new currency.
    """
    catalogue = _locked(item.catalogue)
    item = CatalogueItem.objects.select_related("product").get(pk=item.pk)
    if seen is not None:
        check_seen("item", seen, written_terms(item.terms), written_terms(terms))
    terms = _checked(item.product, terms)
    others = _same_item(catalogue, item.product, terms.currency).exclude(pk=item.pk)
    if others.exists():
        raise ItemExists(f"{catalogue} has {item.product} in {terms.currency} already.")
    return _change(item, terms, at=at, actor_id=actor_id)


def written_terms(terms: Terms) -> dict[str, str]:
    """The terms of an item as texts, with the name of the rate table."""
    values = asdict(terms)
    table = RateTable.objects.filter(pk=values.pop("rate_table_id")).first()
    return written(values | {"rate_table": table})


@transaction.atomic
def remove_item(*, item: CatalogueItem, at: datetime, actor_id: int | None) -> None:
    """Take an item with its allowances out of the draft: the next version will not have it."""
    catalogue = _locked(item.catalogue)
    item = CatalogueItem.objects.select_related("product").get(pk=item.pk)
    names = item.allowances.order_by("name").values_list("name", flat=True)
    record(
        provider_id=catalogue.provider_id,
        action="catalogue_item.removed",
        changed=item,
        at=at,
        actor_id=actor_id,
        before={
            "product": item.product.code,
            **asdict(item.terms),
            "allowances": ", ".join(names),
        },
    )
    item.delete()


@transaction.atomic
def multiply_prices(
    *,
    catalogue: Catalogue,
    factor: Decimal,
    group: str | None = None,
    at: datetime,
    actor_id: int | None,
) -> list[CatalogueItem]:
    """Multiply the draft prices of a group, or of the whole catalogue, exactly: 0.9 or 1.15.

    Prices and flat amounts of tiers are multiplied too.

    :raises FactorRefused: if the factor is not positive.
    :raises PriceNotExact: if one of the prices would need more than 8 decimals.
    :raises NothingToMultiply: if no item has a price.
    """
    catalogue = _locked(catalogue)
    has_price = Q(price__isnull=False) | ~Q(tiers="")
    items = CatalogueItem.objects.filter(has_price, catalogue=catalogue).order_by("pk")
    if group is not None:
        items = items.filter(group=group)
    # All of them before the first is written.
    raised = [(item, _multiplied_terms(item, factor)) for item in items]
    if not raised:
        raise NothingToMultiply(f"No item of {group or catalogue} has a price.")
    return [_change(item, terms, at=at, actor_id=actor_id) for item, terms in raised]


def _multiplied_terms(item: CatalogueItem, factor: Decimal) -> Terms:
    if item.price is not None:
        return replace(item.terms, price=multiplied(item.price, factor))
    assert item.metered_tiers is not None
    return replace(item.terms, tiers=str(multiplied_tiers(item.metered_tiers, factor)))


def _locked(catalogue: Catalogue) -> Catalogue:
    return Catalogue.objects.select_for_update(no_key=True).get(pk=catalogue.pk)


def _same_item(
    catalogue: Catalogue, product: Product, currency: str
) -> ProviderQuerySet[CatalogueItem]:
    return CatalogueItem.objects.filter(catalogue=catalogue, product=product, currency=currency)


def _checked(product: Product, terms: Terms) -> Terms:
    """The terms, with tiers as they are written everywhere."""
    check_terms(product.kind, terms)
    if terms.tiers:
        written = str(parse_tiers(terms.tier_model, terms.tiers, terms.package_units))
        return replace(terms, tiers=written)
    if terms.rate_table_id is not None:
        _check_table(product, terms.rate_table_id, terms.currency)
    return terms


def _check_table(product: Product, table_id: int, currency: str) -> None:
    table = RateTable.objects.filter(provider_id=product.provider_id, pk=table_id).first()
    if table is None or (table.product_id, table.currency) != (product.pk, currency):
        raise RateTableDiffers(
            f"The rate table must rate {product} in {currency}; choose one that does."
        )


def _change(
    item: CatalogueItem, terms: Terms, *, at: datetime, actor_id: int | None
) -> CatalogueItem:
    before, after = asdict(item.terms), asdict(terms)
    changed = [field for field in after if before[field] != after[field]]
    if not changed:
        return item
    for field in changed:
        setattr(item, field, after[field])
    item.save(update_fields=changed)
    record_change(
        provider_id=item.provider_id,
        action="catalogue_item.changed",
        changed=item,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return item
