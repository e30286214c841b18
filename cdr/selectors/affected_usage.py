"""Usage that rates would have priced otherwise which were changed for a time that is past."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from catalogue.models import Rate, RateTable
from catalogue.selectors.rate_edits import chosen_rates
from common.scope import Scope

# Under a changed prefix lie the legs priced by a rate of that very prefix, and those priced by a
# shorter one whose number starts with it: for these alone the xDR is looked up. A longer prefix
# stays chosen, unless what changed goes before the length of prefixes.
_AFFECTED = """
    WITH changed AS MATERIALIZED (
        SELECT prefix, bool_or(outranks) AS outranks
        FROM unnest(%(prefixes)s::text[], %(outranks)s::bool[]) AS c (prefix, outranks)
        GROUP BY prefix
    ), shorter AS MATERIALIZED (
        SELECT DISTINCT left(prefix, length) AS prefix
        FROM changed, generate_series(0, length(prefix) - 1) AS length
    ), used AS MATERIALIZED (
        SELECT r.id, length(r.prefix) AS length, c.prefix IS NOT NULL AS is_changed
        FROM catalogue_rate r
        LEFT JOIN changed c ON c.prefix = r.prefix
        LEFT JOIN shorter s ON s.prefix = r.prefix
        WHERE r.provider_id = %(provider_id)s
            AND (c.prefix IS NOT NULL OR s.prefix IS NOT NULL OR %(any_outranks)s)
    ), legs AS (
        SELECT l.started_at, l.xdr_id, t.currency, l.amount, used.length, used.is_changed
        FROM cdr_leg l JOIN used ON used.id = l.rate_id
        JOIN catalogue_ratetable t ON t.id = l.rate_table_id
        WHERE l.provider_id = %(provider_id)s AND l.started_at >= %(since)s
            AND l.rate_table_id = ANY(%(table_ids)s)
    ), looked_up AS MATERIALIZED (
        SELECT legs.xdr_id, legs.currency, legs.amount, legs.length, x.normalised_number AS number
        FROM legs
        JOIN cdr_xdr x ON x.provider_id = %(provider_id)s AND x.started_at >= %(since)s
            AND x.started_at = legs.started_at AND x.id = legs.xdr_id
        WHERE NOT legs.is_changed
    ), fitting AS MATERIALIZED (
        SELECT number, max(CASE WHEN outranks THEN 99 ELSE length(changed.prefix) END) AS length
        FROM (SELECT DISTINCT number FROM looked_up) AS numbers
        CROSS JOIN (SELECT DISTINCT length(prefix) AS length FROM changed) AS lengths
        JOIN changed ON changed.prefix = left(number, lengths.length)
        GROUP BY number
    ), affected AS (
        SELECT xdr_id, currency, amount FROM legs WHERE is_changed
        UNION ALL
        SELECT xdr_id, currency, amount FROM looked_up
        JOIN fitting USING (number) WHERE fitting.length > looked_up.length
    )
    SELECT currency, count(*), count(DISTINCT xdr_id), sum(amount)
    FROM affected GROUP BY currency ORDER BY currency
"""


@dataclass(frozen=True, slots=True)
class ChangedPrefix:
    """A prefix with a rate that was changed.

    One that `outranks` is for a tag or an origin prefix, or comes on top: it may be used where a
    longer prefix fits the number.
    """

    prefix: str
    outranks: bool = False


@dataclass(frozen=True, slots=True)
class AffectedUsage:
    """Charges of one currency: how many legs of how many xDRs, and what they come to now."""

    currency: str
    leg_count: int
    xdr_count: int
    amount: Decimal


def affected_by_rates(
    scope: Scope, table: RateTable, changed: Collection[ChangedPrefix], *, since: datetime
) -> list[AffectedUsage]:
    """What of stored charges a change of rates from an instant on may make another, by currency.

    Counted are the legs rated at the table, or at one that inherits from it, of xDRs that started
    at `since` or later and whose normalised number falls under a changed prefix, but for those
    that a longer prefix has priced; with the amounts stored. xDRs in suspense are not counted: they
    have no leg. Which of the legs would come to another amount only rating them again can tell.
    """
    if not changed:
        return []
    asked: dict[str, Any] = {
        "prefixes": [each.prefix for each in changed],
        "outranks": [each.outranks for each in changed],
        "any_outranks": any(each.outranks for each in changed),
        "provider_id": scope.provider_id,
        "since": since,
        "table_ids": _with_children(scope, table),
    }
    with connection.cursor() as cursor:
        cursor.execute(_AFFECTED, asked)
        return [AffectedUsage(*row) for row in cursor.fetchall()]


def changed_prefixes(table: RateTable, rate_ids: Collection[int]) -> list[ChangedPrefix]:
    """The prefixes of these rates of the table."""
    rows = chosen_rates(table, rate_ids).values_list("prefix", "tag", "origin_prefix", "policy")
    return [
        ChangedPrefix(prefix, bool(tag or origin or policy == Rate.Policy.ADDITIVE))
        for prefix, tag, origin, policy in rows.distinct()
    ]


def _with_children(scope: Scope, table: RateTable) -> list[int]:
    """The table and all that search it after themselves, over any number of levels."""
    rows = RateTable.objects.visible_to(scope).exclude(parent=None)
    children = list(rows.values_list("pk", "parent_id"))
    found = [table.pk]
    for table_id in found:
        found += [pk for pk, parent_id in children if parent_id == table_id]
    return found
