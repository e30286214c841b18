"""Stored rate tables and rates as the engine takes them."""

from collections.abc import Iterable
from typing import Any

from catalogue.models import RateTable as StoredTable
from catalogue.rules.units import volume_units_per_rating_unit
from catalogue.selectors import RATE_COLUMNS
from cdr.rating import Boundary, IncrementBase, Policy, Rate, RateStatus, RateTable, Rounding
from common.scope import Scope


def stored_tables(scope: Scope) -> Any:
    """Rate tables as rows that `rule_table` reads, each with its revision."""
    rows = StoredTable.objects.visible_to(scope).order_by("pk")
    return rows.values_list(
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
