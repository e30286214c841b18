"""How tiers make up what an invoice charges of a metered product, kept with the invoice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from billing.models import Invoice
from catalogue.models import Product, ProductKind
from catalogue.rules.tier_prices import price_of_total
from catalogue.rules.tier_statements import tier_rows
from catalogue.rules.tier_texts import plain_units
from catalogue.rules.tiers import parse_tiers
from catalogue.rules.units import volume_units_per_rating_unit
from common.money import ZERO

# Usage of a subscription's days in a calendar month: on this invoice, and on those issued before.
# What other estimates hold was not charged yet, and may be discarded.
_BILLED_AT_TIERS = """
    WITH taken AS (
        SELECT b.invoice_id, s.id AS subscription_id, date_trunc('month', u.day)::date AS month,
            sum(u.billed_volume) AS volume, sum(u.amount) AS amount
        FROM billing_billedusage b
        JOIN cdr_usagecharge u ON u.id = b.usage_charge_id AND u.kind = 1 AND u.payer_kind = 2
        JOIN subscriptions_subscription s ON s.provider_id = u.provider_id
            AND s.customer_id = u.payer_id AND s.product_id = u.product_id
            AND s.currency = u.currency AND s.state <> 'REQUESTED'
            AND s.start_date <= u.day AND (s.end_date IS NULL OR s.end_date >= u.day)
        JOIN catalogue_catalogueversionitem i ON i.id = s.item_id AND i.tiers <> ''
        WHERE b.invoice_id = ANY(%s)
        GROUP BY 1, 2, 3
    )
    SELECT t.invoice_id, t.month, t.volume::bigint, t.amount,
        coalesce(before.volume, 0)::bigint, coalesce(before.amount, 0),
        p.name, p.rating_unit, p.volume_unit, i.tier_model, i.tiers, i.package_units
    FROM taken t
    JOIN subscriptions_subscription s ON s.id = t.subscription_id
    JOIN catalogue_catalogueversionitem i ON i.id = s.item_id
    JOIN catalogue_product p ON p.id = s.product_id
    LEFT JOIN LATERAL (
        SELECT sum(u.billed_volume) AS volume, sum(u.amount) AS amount
        FROM cdr_usagecharge u
        JOIN billing_billedusage b ON b.usage_charge_id = u.id AND b.invoice_id <> t.invoice_id
        JOIN billing_invoice o ON o.id = b.invoice_id AND o.state <> 'ESTIMATE'
        WHERE u.provider_id = s.provider_id AND u.kind = 1 AND u.payer_kind = 2
            AND u.payer_id = s.customer_id AND u.product_id = s.product_id
            AND u.currency = s.currency
            AND u.day >= greatest(t.month, s.start_date)
            AND u.day < least(t.month + interval '1 month', s.end_date + 1)
    ) before ON true
    ORDER BY t.invoice_id, p.name, t.month, s.id
"""


def keep_tier_statements(estimates: Sequence[Invoice]) -> None:
    """Write to estimates how tiers make up what they charge, by product and month.

    Once more as they are issued, for other invoices may have been issued in between. A month is
    left out where what was charged of it so far is not the price of what was used of it so far: its
    usage came in another order than it is billed in. The lines stand by themselves.
    """
    provider_ids = {estimate.provider_id for estimate in estimates}
    metered = Product.objects.filter(provider_id__in=provider_ids, kind=ProductKind.METERED)
    if not metered.exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(_BILLED_AT_TIERS, [[estimate.pk for estimate in estimates]])
        rows = cursor.fetchall()
    by_invoice: dict[int, list[dict[str, Any]]] = {}
    for invoice_id, *month in rows:
        if (statement := _statement(*month)) is not None:
            by_invoice.setdefault(invoice_id, []).append(statement)
    changed = []
    for estimate in estimates:
        if estimate.tier_statements != (now := by_invoice.get(estimate.pk, [])):
            estimate.tier_statements = now
            changed.append(estimate)
    Invoice.objects.bulk_update(changed, ["tier_statements"])


def _statement(
    month: Any,
    volume: int,
    amount: Decimal,
    volume_before: int,
    amount_before: Decimal,
    product_name: str,
    unit: str,
    volume_unit: str,
    *terms: Any,
) -> dict[str, Any] | None:
    """As `billing.selectors.details.TierStatement` has it, in texts; None where nothing is due."""
    tiers, total = parse_tiers(*terms), volume_before + volume
    per_unit = volume_units_per_rating_unit(unit, volume_unit)
    if not (volume or amount) or total < 0:
        return None
    if price_of_total(tiers, total, per_unit) != amount_before + amount:
        return None
    was_charged = bool(volume_before or amount_before)
    return {
        "product_name": product_name,
        "month": month.isoformat(),
        "total": plain_units(total, unit, volume_unit),
        "rows": [
            {
                "text": row.text,
                "quantity": row.quantity,
                "price": row.price,
                "amount": str(row.amount),
            }
            for row in tier_rows(tiers, total, unit, volume_unit)
        ],
        "quantity_before": plain_units(volume_before, unit, volume_unit) if was_charged else "",
        "amount_before": str(amount_before if was_charged else ZERO),
        "amount": str(amount),
    }
