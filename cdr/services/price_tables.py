"""Rate tables compiled for pricing, kept in the worker while they stand as they were."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, NamedTuple

from django.db import connection

from catalogue.rules.units import UnitsRefused
from cdr.rating import CompiledTable, InvalidRate, compile_table
from cdr.rating.prices import PriceTable
from cdr.selectors.engine_tables import (
    Chain,
    compile_chain,
    fitting_rates,
    held_tables,
    table_chains,
)
from common.scope import Scope

RATES_KEPT = 1_000_000
"""Rates in a worker's compiled tables; 400 000 take 80 MiB, 290 MiB in the making (2026-11-22)."""


_HOLD = "SELECT FROM catalogue_ratetable WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


class _Kept(NamedTuple):
    chain: Chain
    rate_count: int
    table: PriceTable


_kept: dict[int, _Kept] = {}


def price_tables(provider_id: int, table_ids: Collection[int]) -> dict[int, PriceTable]:
    """The tables by id, as the database has them now; compiled again only if they have changed.

    A change of a table, of its parents or of any of their rates shows in the revisions of the
    chain. They are read before the rates, so that a change in between is compiled twice, never
    missed. Until the transaction ends nobody takes an import of their rates back, which therefore
    sees all that was rated by them.
    """
    scope = Scope.system(provider_id)
    if (kept_tables := _kept_as_they_are(scope, table_ids)) is not None:
        return kept_tables
    chains = table_chains(scope, table_ids)
    if _held_anew({row.id for chain in chains.values() for row in chain}):
        chains = table_chains(scope, table_ids)
    for table_id, chain in chains.items():
        kept = _kept.pop(table_id, None)
        if kept is None or kept.chain != chain:
            kept = _compile(scope, chain)
        _kept[table_id] = kept  # the most recently used comes last
    tables = {table_id: _kept[table_id].table for table_id in chains}
    _forget(keep=len(tables))
    return tables


def _kept_as_they_are(scope: Scope, table_ids: Collection[int]) -> dict[int, PriceTable] | None:
    """The tables, held, where all are kept and none has changed: asked by one statement."""
    if not all(table_id in _kept for table_id in table_ids):
        return None
    wanted = {row.id: row for table_id in table_ids for row in _kept[table_id].chain}
    if {row.id: row for row in held_tables(scope, wanted)} != wanted:
        return None
    for table_id in table_ids:
        _kept[table_id] = _kept.pop(table_id)  # the most recently used comes last
    return {table_id: _kept[table_id].table for table_id in table_ids}


def fitting_price_tables(
    provider_id: int, table_ids: Collection[int], *, numbers: Collection[str]
) -> dict[int, PriceTable]:
    """As `price_tables`, but compiled of the rates that fit some numbers, and not kept.

    A question about a few calls needs no more: reading all rates of a large table takes seconds.
    """
    scope = Scope.system(provider_id)
    tables = {}
    for table_id, chain in table_chains(scope, table_ids).items():
        tables[table_id] = _priced(chain[0], partial(_compile_fitting, scope, chain, numbers))
    return tables


def _compile_fitting(scope: Scope, chain: Chain, numbers: Collection[str]) -> CompiledTable:
    (table, own), *parents = fitting_rates(scope, chain, numbers)
    return compile_table(table, own, parents)


def _held_anew(table_ids: Collection[int]) -> bool:
    """Hold the tables; whether that took waiting, so that they may be others now."""
    ids = sorted(table_ids)
    with connection.cursor() as cursor:
        cursor.execute(_HOLD + " SKIP LOCKED", [ids])
        if cursor.rowcount == len(ids):
            return False
        cursor.execute(_HOLD, [ids])
    return True


def _compile(scope: Scope, chain: Chain) -> _Kept:
    table = _priced(chain[0], partial(compile_chain, scope, chain))
    return _Kept(chain, len(table.compiled.rates) if table.compiled else 0, table)


def _priced(row: Any, compiled: Callable[[], CompiledTable]) -> PriceTable:
    try:
        return PriceTable(row.id, row.name, row.currency, compiled())
    except (InvalidRate, UnitsRefused) as refusal:
        fault = f'rate table "{row.name}": {refusal}'
        return PriceTable(row.id, row.name, row.currency, None, fault)


def _forget(*, keep: int) -> None:
    """Drop the tables not used for longest, but none of the last `keep`."""
    total = sum(kept.rate_count for kept in _kept.values())
    for table_id in list(_kept)[: len(_kept) - keep]:
        if total <= RATES_KEPT:
            return
        total -= _kept.pop(table_id).rate_count
