"""Customers whose usage is rated again by whole months: allowances and tiers go by its order."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from cdr.rules.rerating import OrderedCustomer, Selection
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


def customers_in_order(scope: Scope, selection: Selection) -> list[OrderedCustomer]:
    """The customers of a selection with allowances or tiers, now or then, each with whole months.

    Those are the months of the selection that the customer used something in and, where volume
    rolls over, all after them: what they got follows from what these leave.
    """
    zone = provider_zone(scope)
    first, last = (each.astimezone(zone).date() for each in _ends(selection))
    subscribed, used = [scope.provider_id, last, first], [scope.provider_id, first, last]
    rolls_over = dict(_rows(_BY_ORDER, [*subscribed, *used] * 2))
    if not rolls_over:
        return []
    condition = selected(scope, selection)
    chosen = _rows(
        _CHOSEN.format(condition.sql),
        [scope.provider_id, sorted(rolls_over), *condition.parameters],
    )
    rolling = [customer_id for customer_id, *_ in chosen if rolls_over[customer_id]]
    last_months = dict(_rows(_LAST_MONTHS, [scope.provider_id, rolling]))
    spans = []
    for customer_id, earliest, latest in chosen:
        from_day, to_day = (each.astimezone(zone).date() for each in (earliest, latest))
        to_day = max(to_day, last_months.get(customer_id, to_day))
        begins = start_of_day(from_day.replace(day=1), zone)
        spans.append((customer_id, begins, _end_of_month(to_day, zone)))
    return _counted(scope, spans)


def _counted(scope: Scope, spans: list[tuple[int, datetime, datetime]]) -> list[OrderedCustomer]:
    if not spans:
        return []
    columns = [list(column) for column in zip(*spans, strict=True)]
    counts = dict(_rows(_COUNTS, [*columns, scope.provider_id]))
    return [OrderedCustomer(*span, counts[span[0]]) for span in spans]


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
