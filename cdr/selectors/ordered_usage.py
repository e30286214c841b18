"""Customers whose usage is rated again by whole months: allowances and tiers go by its order."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from cdr.rules.rerating import OrderedCustomers, Selection, joined
from cdr.selectors.selections import selected
from common.periods import month, start_of_day
from common.scope import Scope
from subscriptions.models import Subscription
from tenancy.selectors import provider_zone

_BY_ORDER = f"""
    SELECT e.customer_id, bool_or(e.rolls_over) FROM (
        SELECT s.customer_id, a.rolls_over FROM subscriptions_subscription s
        JOIN catalogue_catalogueversionitemallowance a
            ON a.provider_id = s.provider_id AND a.item_id = s.item_id
        WHERE s.provider_id = %s AND s.state <> '{Subscription.State.REQUESTED}'
            AND s.start_date <= %s AND (s.end_date IS NULL OR s.end_date >= %s)
        UNION ALL
        SELECT c.customer_id, false FROM cdr_allowancecounter c
        WHERE c.provider_id = %s AND c.used_volume > 0
            AND c.month BETWEEN date_trunc('month', %s::date) AND %s
        UNION ALL
        SELECT s.customer_id, false FROM subscriptions_subscription s
        JOIN catalogue_catalogueversionitem i ON i.id = s.item_id AND i.tiers <> ''
        WHERE s.provider_id = %s AND s.state <> '{Subscription.State.REQUESTED}'
            AND s.start_date <= %s AND (s.end_date IS NULL OR s.end_date >= %s)
        UNION ALL
        SELECT t.customer_id, false FROM cdr_tiertotal t
        WHERE t.provider_id = %s AND t.volume > 0
            AND t.month BETWEEN date_trunc('month', %s::date) AND %s
    ) AS e GROUP BY e.customer_id
"""  # noqa: S608 - a constant of this project's own
_CHOSEN = (
    "SELECT x.customer_id, min(x.started_at), max(x.started_at) FROM cdr_xdr x"
    " WHERE x.provider_id = %s AND x.customer_id = ANY(%s) AND {} GROUP BY x.customer_id"
)
_MOVED = """
    SELECT m.customer_id, min(m.started_at), max(m.started_at), count(*) FROM cdr_reratingmove m
    WHERE m.rerating_id = %s GROUP BY m.customer_id
"""
_LINKS = """
    SELECT DISTINCT x.customer_id, m.customer_id FROM cdr_reratingmove m
    JOIN cdr_xdr x ON x.provider_id = m.provider_id AND x.started_at = m.started_at
        AND x.id = m.xdr_id
    WHERE m.rerating_id = %s AND x.customer_id IS NOT NULL
"""
_LAST_MONTHS = """
    SELECT c.customer_id, max(c.month) FROM cdr_allowancecounter c
    WHERE c.provider_id = %s AND c.customer_id = ANY(%s) GROUP BY c.customer_id
"""
_COUNTS = """
    SELECT w.customer_id, count(*)
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])
        AS w(customer_id, started_from, started_to)
    JOIN cdr_xdr x ON x.provider_id = %s AND x.customer_id = w.customer_id
        AND x.started_at >= w.started_from AND x.started_at < w.started_to
    GROUP BY w.customer_id
"""


def customers_in_order(
    scope: Scope, selection: Selection, *, moved_by: int
) -> list[OrderedCustomers]:
    """The customers of a selection with allowances or tiers, now or then, each with whole months.

    And those to whom the re-rating `moved_by` is known to move xDRs, together with the customers
    that it takes them from. The months are those of the selection that the customer used something
    in and, where volume rolls over, all after them: what they got follows from what these leave.
    """
    zone = provider_zone(scope)
    moved = {row[0]: row[1:] for row in _rows(_MOVED, [moved_by])}
    begin, end = _ends(selection)
    first = min([begin, *(each[0] for each in moved.values())]).astimezone(zone).date()
    last = max([end, *(each[1] for each in moved.values())]).astimezone(zone).date()
    subscribed, counted = [scope.provider_id, last, first], [scope.provider_id, first, last]
    rolls_over = dict(_rows(_BY_ORDER, [*subscribed, *counted] * 2))
    if not rolls_over and not moved:
        return []
    condition = selected(scope, selection)
    chosen = _rows(
        _CHOSEN.format(condition.sql),
        [scope.provider_id, sorted(rolls_over), *condition.parameters],
    )
    used = [*chosen, *((pk, *each[:2]) for pk, each in moved.items())]
    rolling = [customer_id for customer_id, *_ in used if rolls_over.get(customer_id)]
    last_months = dict(_rows(_LAST_MONTHS, [scope.provider_id, rolling]))
    months: dict[int, OrderedCustomers] = {}
    for customer_id, earliest, latest in used:
        from_day, to_day = (each.astimezone(zone).date() for each in (earliest, latest))
        to_day = max(to_day, last_months.get(customer_id, to_day))
        begins, ends = start_of_day(from_day.replace(day=1), zone), _end_of_month(to_day, zone)
        if (known := months.get(customer_id)) is not None:
            begins, ends = min(begins, known.started_from), max(ends, known.started_to)
        months[customer_id] = OrderedCustomers((customer_id,), begins, ends)
    together = joined(months.values(), _rows(_LINKS, [moved_by]))
    return _counted(scope, together, {pk: each[2] for pk, each in moved.items()})


def _counted(
    scope: Scope, customers: list[OrderedCustomers], moved: dict[int, int]
) -> list[OrderedCustomers]:
    """With how many xDRs they are; one that moves between them counts twice."""
    spans = [
        (pk, each.started_from, each.started_to) for each in customers for pk in each.customer_ids
    ]
    if not spans:
        return []
    columns = [list(column) for column in zip(*spans, strict=True)]
    counts = dict(_rows(_COUNTS, [*columns, scope.provider_id]))
    return [
        replace(
            each,
            xdr_count=sum(counts.get(pk, 0) + moved.get(pk, 0) for pk in each.customer_ids),
        )
        for each in customers
    ]


def _ends(selection: Selection) -> tuple[datetime, datetime]:
    """The first and the last instant of its time."""
    return selection.started_from, selection.started_to - timedelta(microseconds=1)


def _end_of_month(day: date, zone: ZoneInfo) -> datetime:
    return start_of_day(month(day.year, day.month).to_date, zone)


def _rows(query: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[Any] = cursor.fetchall()
    return rows
