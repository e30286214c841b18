"""Which allowances customers have: those of the items that they subscribe to."""

from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from django.db import connection

from cdr.rules.allowances import Entitlement, Sharing
from common.scope import Scope
from subscriptions.models import Subscription

# The account of a customer that was terminated ended on that day, and with it all it had.
_ENTITLEMENTS = f"""
    SELECT * FROM (
        SELECT s.id, s.customer_id, a.id, a.usage_product_id, a.name, a.sharing, a.priority,
            a.destinations, a.rolls_over, a.volume, s.quantity, s.start_date,
            least(s.end_date, (c.terminated_at AT TIME ZONE %s)::date) AS last_date,
            i.entry_proration, i.exit_proration
        FROM subscriptions_subscription s
        JOIN catalogue_catalogueversionitemallowance a
            ON a.provider_id = s.provider_id AND a.item_id = s.item_id
        JOIN catalogue_catalogueversionitem i ON i.id = s.item_id
        JOIN customers_customer c ON c.id = s.customer_id
        WHERE s.provider_id = %s AND s.customer_id = ANY(%s) AND a.usage_product_id = %s
            AND s.state <> '{Subscription.State.REQUESTED}'
    ) AS e
    WHERE e.start_date <= %s AND (e.last_date IS NULL OR e.last_date >= %s)
"""  # noqa: S608 - a constant of this project's own


def entitlements(
    scope: Scope,
    *,
    product_id: int,
    customer_ids: Collection[int],
    first_day: date,
    last_day: date,
    zone: ZoneInfo,
) -> list[Entitlement]:
    """The allowances of customers for usage of a product that are in force on some of the days.

    Days are those of the provider's zone.
    """
    with connection.cursor() as cursor:
        # Most providers have none, which is told without a look at any subscription.
        cursor.execute(
            "SELECT FROM catalogue_catalogueversionitemallowance"
            " WHERE provider_id = %s AND usage_product_id = %s LIMIT 1",
            [scope.provider_id, product_id],
        )
        if not cursor.rowcount:
            return []
        cursor.execute(
            _ENTITLEMENTS,
            [
                zone.key,
                scope.provider_id,
                sorted(customer_ids),
                product_id,
                last_day,
                first_day,
            ],
        )
        rows = cursor.fetchall()
    return [
        Entitlement(
            subscription_id=row[0],
            customer_id=row[1],
            allowance_id=row[2],
            product_id=row[3],
            name=row[4],
            sharing=Sharing(row[5]),
            priority=row[6],
            destinations=tuple(row[7]),
            rolls_over=row[8],
            volume=row[9],
            quantity=row[10],
            start_date=row[11],
            last_date=row[12],
            entry_proration=row[13],
            exit_proration=row[14],
        )
        for row in rows
    ]
