"""Rate tables compiled for pricing, kept in the worker while their revision stands."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from catalogue.models import RateTable as StoredTable
from catalogue.rules.units import UnitsRefused, volume_units_per_rating_unit
from catalogue.selectors import RATE_COLUMNS, rate_rows
from cdr.rating import (
    Boundary,
    IncrementBase,
    InvalidRate,
    Policy,
    Rate,
    RateStatus,
    RateTable,
    Rounding,
    UnsupportedRate,
    compile_table,
)
from cdr.rating.prices import PriceTable
from common.scope import Scope

RATES_KEPT = 250_000
"""Rates in a worker's compiled tables, of about 1 kB each: they stay far below its 600 MiB."""

_ROWS_FETCHED = 5_000


class _Kept(NamedTuple):
    revision: int
    rate_count: int
    table: PriceTable


_kept: dict[int, _Kept] = {}


def price_tables(provider_id: int, table_ids: Collection[int]) -> dict[int, PriceTable]:
    """The tables by id, as the database has them now; compiled again only if they have changed."""
    stored = list(_stored_tables(provider_id, table_ids))
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


def rule_table(row: Any) -> RateTable:
    """The engine's table of a stored one, by the names of its columns and of its product's.

    :raises InvalidRate: the engine refuses a value.
    :raises UnitsRefused: the product's units do not fit each other.
    """
    return RateTable(
        name=row.name,
        currency=row.currency,
        timezone=row.time_zone,
        parent=str(row.parent_id or ""),
        rounding=Rounding(row.rounding),
        decimals=row.decimals,
        increment_base=IncrementBase(row.increment_base),
        boundary=Boundary(row.boundary),
        volume_units_per_rating_unit=volume_units_per_rating_unit(
            row.product__rating_unit, row.product__volume_unit
        ),
    )


def rule_rates(rows: Iterable[tuple[Any, ...]]) -> list[Rate]:
    """The engine's rates of rows of `RATE_COLUMNS`."""
    return [_rule_rate(dict(zip(RATE_COLUMNS, row, strict=True))) for row in rows]


def _stored_tables(provider_id: int, table_ids: Collection[int]) -> Any:
    rows = StoredTable.objects.visible_to(Scope.system(provider_id)).filter(pk__in=table_ids)
    return rows.order_by("pk").values_list(
        "id",
        "revision",
        "name",
        "currency",
        "time_zone",
        "parent_id",
        "rounding",
        "decimals",
        "increment_base",
        "boundary",
        "product__rating_unit",
        "product__volume_unit",
        named=True,
    )


def _compile(provider_id: int, row: Any) -> _Kept:
    rows = rate_rows(Scope.system(provider_id), [row.id]).iterator(chunk_size=_ROWS_FETCHED)
    try:
        rates = rule_rates(rows)
        compiled = compile_table(rule_table(row), rates)
    except (UnsupportedRate, InvalidRate, UnitsRefused) as refusal:
        fault = f'rate table "{row.name}": {refusal}'
        return _Kept(row.revision, 0, PriceTable(row.id, row.name, row.currency, None, fault))
    table = PriceTable(row.id, row.name, row.currency, compiled)
    return _Kept(row.revision, len(rates), table)


def _rule_rate(columns: dict[str, Any]) -> Rate:
    return Rate(
        id=columns["id"],
        prefix=columns["prefix"],
        destination=columns["destination"],
        effective_from=columns["effective_from"],
        effective_to=columns["effective_to"],
        rate=columns["rate"],
        initial_rate=columns["initial_rate"],
        connection_fee=columns["connection_fee"],
        minimum=columns["minimum"],
        increment=columns["increment"],
        grace=columns["grace"],
        steps=columns["steps"],
        min_cost=columns["min_cost"],
        max_cost=columns["max_cost"],
        attempt_fee=columns["attempt_fee"],
        time_profile=columns["time_profile__ranges"] or "",
        policy=Policy(columns["policy"]),
        tag=columns["tag"],
        origin_prefix=columns["origin_prefix"],
        min_digits=columns["min_digits"],
        max_digits=columns["max_digits"],
        status=RateStatus(columns["status"]),
    )


def _forget(*, keep: int) -> None:
    """Drop the tables not used for longest, but none of the last `keep`."""
    total = sum(kept.rate_count for kept in _kept.values())
    for table_id in list(_kept)[: len(_kept) - keep]:
        if total <= RATES_KEPT:
            return
        total -= _kept.pop(table_id).rate_count
