"""Rate tables: what all their rates share, and which table is searched after them."""

from datetime import datetime

from django.db import transaction

from audit.services import record, record_change
from catalogue.models import CodeDeck, Product, ProductKind, RateTable
from common.currencies import is_currency
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from common.zones import is_time_zone


class RateTableNameTaken(DomainError):
    """Another rate table of the provider has this name, perhaps in another case."""


class RateTableRefused(DomainError):
    """The name, currency, time zone, decimals or product is none that a rate table can have."""


class ParentTableDiffers(DomainError):
    """A table and its parent rate the same product in the same currency."""


class ParentTableCircular(DomainError):
    """A table would be searched after itself."""


@transaction.atomic
def create_rate_table(
    *,
    provider_id: int,
    name: str,
    currency: str,
    product: Product,
    time_zone: str,
    parent: RateTable | None = None,
    code_deck: CodeDeck | None = None,
    rounding: RateTable.RoundingMode = RateTable.RoundingMode.HALF_UP,
    decimals: int = 6,
    increment_base: RateTable.IncrementBase = RateTable.IncrementBase.AFTER_MINIMUM,
    boundary: RateTable.Boundary = RateTable.Boundary.START,
    connection_fee_due: RateTable.FeeDue = RateTable.FeeDue.BEYOND_ALLOWANCE,
    notes: str = "",
    at: datetime,
    actor_id: int | None,
) -> RateTable:
    """Add an empty rate table for a voice or metered product; costs round to `decimals` (0 to 8).

    :raises RateTableRefused: for a bad name, currency, time zone, number of decimals or product.
    :raises ParentTableDiffers: if the parent rates something else or in another currency.
    :raises RateTableNameTaken: if the name is in use.
    """
    check_fields(RateTable(name=name), RateTableRefused, "name")
    _check_table(currency, time_zone, decimals, product)
    table = RateTable(
        provider_id=provider_id,
        name=name,
        currency=currency,
        product=product,
        time_zone=time_zone,
        parent=parent,
        code_deck=code_deck,
        rounding=rounding,
        decimals=decimals,
        increment_base=increment_base,
        boundary=boundary,
        connection_fee_due=connection_fee_due,
        notes=notes,
        created_at=at,
    )
    if parent is not None:
        _check_parent(table, parent)
    _check_name_free(table)
    table.save(force_insert=True)
    record(
        provider_id=provider_id,
        action="rate_table.created",
        changed=table,
        at=at,
        actor_id=actor_id,
        after={"name": name, "currency": currency, "product": product.code, "parent": parent},
    )
    return table


@transaction.atomic
def change_rate_table(
    *,
    table: RateTable,
    name: str,
    notes: str,
    connection_fee_due: str,
    at: datetime,
    actor_id: int | None,
) -> RateTable:
    """Rename a table, note something about it, or have its connection fee due otherwise.

    Workers rate by it from their next chunk on; calls that were rated before keep their cost until
    they are rated again.

    :raises RateTableRefused: for a bad name.
    :raises RateTableNameTaken: if the name is in use.
    """
    check_fields(RateTable(name=name), RateTableRefused, "name")
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    after = {
        "name": name,
        "notes": notes,
        "connection_fee_due": RateTable.FeeDue(connection_fee_due).value,
    }
    before = {column: getattr(table, column) for column in after}
    changed = [column for column in after if before[column] != after[column]]
    if not changed:
        return table
    for column in changed:
        setattr(table, column, after[column])
    if "name" in changed:
        _check_name_free(table)
    table.save(update_fields=changed)
    table.refresh_from_db(fields=["revision"])
    record_change(
        provider_id=table.provider_id,
        action="rate_table.changed",
        changed=table,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return table


@transaction.atomic
def change_parent_table(
    *, table: RateTable, parent: RateTable | None, at: datetime, actor_id: int | None
) -> RateTable:
    """Have `parent`, or nothing, searched for rates after `table`.

    :raises ParentTableDiffers: if the parent rates something else or in another currency.
    :raises ParentTableCircular: if `table` is an ancestor of `parent`, or the parent itself.
    """
    # One change of parents at a time, or two of them could close a circle.
    lock_in_transaction("rate_table_parents", table.provider_id)
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    if parent is not None:
        _check_parent(table, parent)
        _check_not_circular(table, parent)
    before, table.parent = table.parent, parent
    table.save(update_fields=["parent"])
    table.refresh_from_db(fields=["revision"])
    record(
        provider_id=table.provider_id,
        action="rate_table.parent_changed",
        changed=table,
        at=at,
        actor_id=actor_id,
        before={"parent": before},
        after={"parent": parent},
    )
    return table


@transaction.atomic
def change_code_deck(
    *, table: RateTable, code_deck: CodeDeck | None, at: datetime, actor_id: int | None
) -> RateTable:
    """Have `code_deck`, or nothing, name the destinations of rates that are added without one.

    Rates that are there keep their names until they are relabelled.
    """
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    before, table.code_deck = table.code_deck, code_deck
    if before == code_deck:
        return table
    table.save(update_fields=["code_deck"])
    table.refresh_from_db(fields=["revision"])
    record(
        provider_id=table.provider_id,
        action="rate_table.code_deck_changed",
        changed=table,
        at=at,
        actor_id=actor_id,
        before={"code_deck": before},
        after={"code_deck": code_deck},
    )
    return table


def _check_table(currency: str, time_zone: str, decimals: int, product: Product) -> None:
    if not is_currency(currency):
        raise RateTableRefused(f"'{currency}' is not a currency; write it as EUR.")
    if not is_time_zone(time_zone):
        raise RateTableRefused(f"'{time_zone}' is not a time zone; write it as Europe/Berlin.")
    if not 0 <= decimals <= 8:
        raise RateTableRefused(f"Costs round to 0 to 8 decimals, not {decimals}.")
    if product.kind not in (ProductKind.VOICE, ProductKind.METERED):
        raise RateTableRefused(f"{product} is sold at a price; it has no usage to rate.")


def _check_name_free(table: RateTable) -> None:
    lock_in_transaction("rate_table_name", table.provider_id, table.name.lower())
    others = RateTable.objects.filter(provider_id=table.provider_id, name__iexact=table.name)
    if others.exclude(pk=table.pk).exists():
        raise RateTableNameTaken(
            f"There is a rate table '{table.name}' already; choose another name."
        )


def _check_parent(table: RateTable, parent: RateTable) -> None:
    if parent.currency != table.currency or parent.product_id != table.product_id:
        raise ParentTableDiffers(
            f"{parent} rates {parent.product} in {parent.currency}; a parent of {table} must rate"
            f" {table.product} in {table.currency}."
        )


def _check_not_circular(table: RateTable, parent: RateTable) -> None:
    parents = dict(
        RateTable.objects.filter(provider_id=table.provider_id).values_list("pk", "parent_id")
    )
    ancestor: int | None = parent.pk
    while ancestor is not None:
        if ancestor == table.pk:
            raise ParentTableCircular(f"{parent} is searched after {table} already.")
        ancestor = parents[ancestor]
