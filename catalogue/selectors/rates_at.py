"""The rates that a table with its parents uses at an instant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from catalogue.models import Rate, RateTable
from catalogue.selectors.rate_tables import NO_DIGITS_LIMIT, in_force
from common.scope import Scope

SAME_CALLS = ("prefix", "tag", "profile", "origin_prefix", "policy", "least", "most")
"""For which calls a rate is meant: of several for the same, one is used."""

_CALLS = {
    "profile": Coalesce("time_profile_id", 0),
    "least": Coalesce("min_digits", 0),
    "most": Coalesce("max_digits", NO_DIGITS_LIMIT),
}
_COLUMNS = ("id", "prefix", "tag", "origin_prefix", "policy", "effective_from")
_CHOSEN = """
    SELECT DISTINCT ON ({same_calls}) {columns} FROM ({found}) AS found
    ORDER BY {same_calls}, depth, effective_from DESC, id DESC
"""
_NOT_HIDDEN = """
    SELECT * FROM (
        SELECT found.*, min(depth) FILTER (WHERE profile = 0 AND least = 0 AND most = {no_limit})
            OVER (PARTITION BY prefix, tag, origin_prefix, policy) AS always_from_depth
        FROM ({found}) AS found
    ) AS found
    WHERE always_from_depth IS NULL OR depth <= always_from_depth
"""


def table_chain(scope: Scope, table: RateTable) -> list[int]:
    """The ids of a table, its parent, the parent's parent and so on."""
    rows = RateTable.objects.visible_to(scope).exclude(parent=None)
    parents = dict(rows.values_list("pk", "parent_id"))
    chain = [table.pk]
    while (parent_id := parents.get(chain[-1])) is not None:
        chain.append(parent_id)
    return chain


def used_rates(
    scope: Scope, table: RateTable, at: datetime, *, columns: Sequence[str] = (), prefix: str = ""
) -> tuple[str, tuple[Any, ...]]:
    """A statement for the rates used at an instant: id, `SAME_CALLS` and what `columns` names.

    Of the rates in force for the same calls in the table and its parents that is the one chosen:
    the nearest table's, then the one begun last, then the highest id. A parent's is hidden as well
    by a nearer one that is for the same prefix, tag, origin and policy at all times. `prefix`
    leaves out those that do not start with it.
    """
    chain = table_chain(scope, table)
    rows = Rate.objects.visible_to(scope).filter(rate_table_id__in=chain, prefix__startswith=prefix)
    found = (
        in_force(rows, at)
        .order_by()
        .annotate(depth=_depth_in(chain), **_CALLS)
        .values_list(*dict.fromkeys((*_COLUMNS, *columns)), "depth", "profile", "least", "most")
    )
    sql, params = found.query.sql_with_params()
    if len(chain) > 1:
        sql = _NOT_HIDDEN.format(found=sql, no_limit=NO_DIGITS_LIMIT)
    chosen = _CHOSEN.format(
        columns=", ".join(dict.fromkeys(("id", *SAME_CALLS, *columns))),
        same_calls=", ".join(SAME_CALLS),
        found=sql,
    )
    return chosen, params


def rates_at(scope: Scope, table: RateTable, at: datetime) -> QuerySet[Rate]:
    """The rates used at an instant, those of the parents included, by prefix.

    `is_inherited` says whether a rate is a parent's. Those of `used_rates`, asked rate by rate: so
    a page reads what it shows, and not whole tables (1.5 s with 20,000 rates, 2026-11-22).
    """
    chain = table_chain(scope, table)
    rows = Rate.objects.visible_to(scope).filter(rate_table_id__in=chain)
    found = in_force(rows, at).annotate(depth=_depth_in(chain), **_CALLS)
    used = found.filter(~Exists(found.filter(_replaces())))
    used = used.select_related("rate_table", "time_profile")
    return used.annotate(is_inherited=~Q(rate_table=table)).order_by("prefix", "pk")


def _replaces() -> Q:
    """In a subquery, the rates because of which the outer one is not used."""
    same_number = {name: OuterRef(name) for name in ("prefix", "tag", "origin_prefix", "policy")}
    same_calls = Q(**{name: OuterRef(name) for name in _CALLS})
    is_nearer = Q(depth__lt=OuterRef("depth"))
    is_later = Q(effective_from__gt=OuterRef("effective_from")) | Q(
        effective_from=OuterRef("effective_from"), pk__gt=OuterRef("pk")
    )
    is_in_same_table = Q(depth=OuterRef("depth"))
    is_for_always = Q(profile=0, least=0, most=NO_DIGITS_LIMIT)
    return Q(**same_number) & (
        (is_for_always & is_nearer) | (same_calls & (is_nearer | (is_in_same_table & is_later)))
    )


def _depth_in(chain: Sequence[int]) -> Case:
    whens = [When(rate_table_id=table_id, then=Value(at)) for at, table_id in enumerate(chain)]
    return Case(*whens, output_field=IntegerField())
