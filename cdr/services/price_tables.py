"""Rate tables compiled for pricing, kept in the worker while they stand as they were."""

from collections.abc import Collection
from typing import NamedTuple

from catalogue.rules.units import UnitsRefused
from cdr.rating import InvalidRate
from cdr.rating.prices import PriceTable
from cdr.selectors.engine_tables import Chain, compile_chain, table_chains
from common.scope import Scope

RATES_KEPT = 1_000_000
"""Rates in a worker's compiled tables; 400 000 take 80 MiB, 290 MiB in the making (2026-11-22)."""


class _Kept(NamedTuple):
    chain: Chain
    rate_count: int
    table: PriceTable


_kept: dict[int, _Kept] = {}


def price_tables(provider_id: int, table_ids: Collection[int]) -> dict[int, PriceTable]:
    """The tables by id, as the database has them now; compiled again only if they have changed.

    A change of a table, of its parents or of any of their rates shows in the revisions of the
    chain. They are read before the rates, so that a change in between is compiled twice, never
    missed.
    """
    scope = Scope.system(provider_id)
    chains = table_chains(scope, table_ids)
    for table_id, chain in chains.items():
        kept = _kept.pop(table_id, None)
        if kept is None or kept.chain != chain:
            kept = _compile(scope, chain)
        _kept[table_id] = kept  # the most recently used comes last
    tables = {table_id: _kept[table_id].table for table_id in chains}
    _forget(keep=len(tables))
    return tables


def _compile(scope: Scope, chain: Chain) -> _Kept:
    row = chain[0]
    try:
        compiled = compile_chain(scope, chain)
    except (InvalidRate, UnitsRefused) as refusal:
        fault = f'rate table "{row.name}": {refusal}'
        return _Kept(chain, 0, PriceTable(row.id, row.name, row.currency, None, fault))
    table = PriceTable(row.id, row.name, row.currency, compiled)
    return _Kept(chain, len(compiled.rates), table)


def _forget(*, keep: int) -> None:
    """Drop the tables not used for longest, but none of the last `keep`."""
    total = sum(kept.rate_count for kept in _kept.values())
    for table_id in list(_kept)[: len(_kept) - keep]:
        if total <= RATES_KEPT:
            return
        total -= _kept.pop(table_id).rate_count
