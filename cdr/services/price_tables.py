"""Rate tables compiled for pricing, kept in the worker while their revision stands."""

from collections.abc import Collection
from typing import Any, NamedTuple

from catalogue.rules.units import UnitsRefused
from catalogue.selectors import rate_rows
from cdr.rating import InvalidRate, UnsupportedRate, compile_table
from cdr.rating.prices import PriceTable, price_table
from cdr.selectors.engine_tables import rule_rates, rule_table, stored_tables
from common.scope import Scope

RATES_KEPT = 200_000
"""Rates in a worker's compiled tables; 180 000 of them make it 544 MiB (2026-11-22)."""

_ROWS_FETCHED = 5_000


class _Kept(NamedTuple):
    revision: int
    rate_count: int
    table: PriceTable


_kept: dict[int, _Kept] = {}


def price_tables(provider_id: int, table_ids: Collection[int]) -> dict[int, PriceTable]:
    """The tables by id, as the database has them now; compiled again only if they have changed."""
    stored = list(stored_tables(Scope.system(provider_id)).filter(pk__in=table_ids))
    # The revision was read before the rates: a change in between is compiled twice, never missed.
    stale = [row for row in stored if row.id not in _kept or _kept[row.id].revision != row.revision]
    for row in stale:
        _kept.pop(row.id, None)
        _kept[row.id] = _compile(provider_id, row)
    tables = {}
    for row in stored:
        _kept[row.id] = kept = _kept.pop(row.id)  # the most recently used comes last
        tables[row.id] = kept.table
    _forget(keep=len(tables))
    return tables


def _compile(provider_id: int, row: Any) -> _Kept:
    rows = rate_rows(Scope.system(provider_id), [row.id]).iterator(chunk_size=_ROWS_FETCHED)
    try:
        rates = rule_rates(rows)
        compiled = compile_table(rule_table(row), rates)
    except (UnsupportedRate, InvalidRate, UnitsRefused) as refusal:
        fault = f'rate table "{row.name}": {refusal}'
        faulty = PriceTable(row.id, row.name, row.currency, compiled=None, fault=fault)
        return _Kept(row.revision, 0, faulty)
    table = price_table(row.id, row.name, row.currency, compiled)
    return _Kept(row.revision, len(rates), table)


def _forget(*, keep: int) -> None:
    """Drop the tables not used for longest, but none of the last `keep`."""
    total = sum(kept.rate_count for kept in _kept.values())
    for table_id in list(_kept)[: len(_kept) - keep]:
        if total <= RATES_KEPT:
            return
        total -= _kept.pop(table_id).rate_count
