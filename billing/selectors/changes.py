"""What changed most for a bill run's payers since they were billed before."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Model

from billing.models import BillRun
from common.scope import Scope
from customers.models import Customer
from resellers.models import Reseller

# An item's estimates beside what its payer was last invoiced for an earlier period, by currency.
# Payers who were invoiced and now are not count too: somebody may have been forgotten.
_CHANGES = """
    WITH now AS (
        SELECT i.id AS item_id, e.currency, sum(e.net_amount) AS net
        FROM billing_billrunitem i JOIN billing_invoice e ON e.bill_run_item_id = i.id
        WHERE i.run_id = %(run_id)s AND i.provider_id = %(provider_id)s
        GROUP BY 1, 2
    ), before AS (
        SELECT i.id AS item_id, p.currency, p.net
        FROM billing_billrunitem i CROSS JOIN LATERAL (
            SELECT DISTINCT ON (v.currency) v.currency, sum(v.net_amount) AS net
            FROM billing_invoice v
            WHERE v.provider_id = i.provider_id AND v.state <> 'ESTIMATE'
              AND v.period_to <= %(period_from)s
              AND (v.customer_id = i.customer_id OR v.reseller_id = i.reseller_id)
            GROUP BY v.currency, v.period_to
            ORDER BY v.currency, v.period_to DESC
        ) p
        WHERE i.run_id = %(run_id)s AND i.provider_id = %(provider_id)s AND i.state <> 'WAITING'
    ), compared AS (
        SELECT item_id, currency, coalesce(before.net, 0) AS before, coalesce(now.net, 0) AS now
        FROM now FULL JOIN before USING (item_id, currency)
    ), ranked AS (
        SELECT *, row_number() OVER (
            PARTITION BY currency ORDER BY abs(now - before) DESC, item_id) AS place
        FROM compared WHERE now <> before
    )
    SELECT i.customer_id, i.reseller_id, r.currency, r.before, r.now
    FROM ranked r JOIN billing_billrunitem i ON i.id = r.item_id
    WHERE r.place <= %(most)s
    ORDER BY r.currency, r.place
"""


@dataclass(frozen=True)
class Change:
    """What a payer is to be billed now, and was billed before, both before tax."""

    payer: Model
    currency: str
    before_amount: Decimal
    now_amount: Decimal

    @property
    def difference_amount(self) -> Decimal:
        """How much more it is now."""
        return self.now_amount - self.before_amount


def biggest_changes(scope: Scope, run: BillRun, *, most: int = 10) -> list[Change]:
    """The payers of a run that differ most from their previous invoice, so many per currency."""
    parameters: dict[str, Any] = {
        "run_id": run.pk,
        "provider_id": scope.provider_id,
        "period_from": run.period_from,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, parameters)
        rows = cursor.fetchall()
    customers = Customer.objects.visible_to(scope).in_bulk(_ids([row[0] for row in rows]))
    resellers = Reseller.objects.visible_to(scope).in_bulk(_ids([row[1] for row in rows]))
    return [
        Change(
            customers[customer_id] if customer_id else resellers[reseller_id],
            currency,
            before,
            now,
        )
        for customer_id, reseller_id, currency, before, now in rows
    ]


def _ids(found: Sequence[int | None]) -> list[int]:
    return [pk for pk in found if pk is not None]
