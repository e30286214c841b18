"""The SQL by which charges and usage become invoice lines, for many estimates at once.

An estimate takes what no other invoice has (`UNTAKEN_...`); to people that is unbilled which no
issued invoice has (`UNBILLED_...`). Both share one grouping, so that they always agree.
"""
# ruff: noqa: S608 - statements are put together from this module's own constants only

UNTAKEN_CHARGE = """
    NOT EXISTS (SELECT 1 FROM billing_invoiceline l WHERE l.charge_id = c.id)
"""
UNTAKEN_USAGE = """
    NOT EXISTS (SELECT 1 FROM billing_billedusage b WHERE b.usage_charge_id = u.id)
"""
# A charge belongs to a run once it is due: an advance for what begins after the period is, too.
_DUE_CHARGE = """
    (c.kind = 'RECURRING' AND c.period_from <= %(period_to)s
     OR c.kind = 'ONE_TIME' AND c.period_from < %(period_to)s)
"""
# Usage of one payer and currency makes a line per product and destination, late usage apart.
_USAGE_GROUP = "p.id, p.name, p.volume_unit, u.destination, u.day < {period_from}"
_USAGE_COLUMNS = f"""
    {_USAGE_GROUP} AS is_late, sum(u.call_count)::bigint AS call_count,
    sum(u.billed_volume)::bigint AS billed_volume,
    sum(u.included_volume)::bigint AS included_volume, sum(u.amount) AS exact_amount
"""

# Who owes something: payer, whom it is owed to (a reseller, or nobody but the provider), currency.
CUSTOMER_DEMANDS = f"""
    SELECT u.payer_id, NULL::bigint, u.currency
    FROM cdr_usagecharge u
    WHERE u.provider_id = %(provider_id)s AND u.kind = 1 AND u.payer_kind = 2
      AND u.payer_id = ANY(%(payer_ids)s) AND u.day < %(period_to)s AND {UNTAKEN_USAGE}
    GROUP BY 1, 2, 3
    UNION
    SELECT c.customer_id, NULL::bigint, c.currency
    FROM subscriptions_charge c
    WHERE c.provider_id = %(provider_id)s AND c.customer_id = ANY(%(payer_ids)s)
      AND {_DUE_CHARGE} AND {UNTAKEN_CHARGE}
    ORDER BY 1, 2, 3
"""
RESELLER_DEMANDS = f"""
    SELECT u.payer_id, CASE u.payee_kind WHEN 1 THEN u.payee_id END, u.currency
    FROM cdr_usagecharge u
    WHERE u.provider_id = %(provider_id)s AND u.kind = 2 AND u.payer_kind = 1
      AND u.payer_id = ANY(%(payer_ids)s) AND u.day < %(period_to)s AND {UNTAKEN_USAGE}
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
"""

# The estimates being made, with the decimals their lines are rounded to.
_ESTIMATES = """
    estimates AS (
        SELECT i.*, d.digits
        FROM unnest(%(invoice_ids)s::bigint[], %(digits)s::integer[]) AS d (id, digits)
        JOIN billing_invoice i ON i.id = d.id
    )
"""
_LAST_POSITION = """
    LEFT JOIN (
        SELECT invoice_id, max(position) AS position FROM billing_invoiceline
        WHERE invoice_id = ANY(%(invoice_ids)s) GROUP BY invoice_id
    ) last ON last.invoice_id = e.id
"""

# What is billed is settled first: usage that is rated meanwhile then is in no line either.
TAKE_USAGE = f"""
    WITH {_ESTIMATES}
    INSERT INTO billing_billedusage (provider_id, usage_charge_id, invoice_id)
    SELECT u.provider_id, u.id, e.id
    FROM estimates e
    JOIN cdr_usagecharge u
      ON u.provider_id = e.provider_id
     AND u.payer_kind = CASE e.kind WHEN 'CUSTOMER' THEN 2 ELSE 1 END
     AND u.payer_id = coalesce(e.customer_id, e.reseller_id)
     AND u.day < e.period_to
    WHERE u.kind = CASE e.kind WHEN 'CUSTOMER' THEN 1 ELSE 2 END
      AND u.currency = e.currency
      AND (e.kind = 'CUSTOMER'
           OR u.payee_kind = CASE WHEN e.issuing_reseller_id IS NULL THEN 0 ELSE 1 END
           AND u.payee_id = coalesce(e.issuing_reseller_id, 0))
      AND {UNTAKEN_USAGE}
"""

INSERT_CHARGE_LINES = f"""
    WITH {_ESTIMATES}
    INSERT INTO billing_invoiceline (
        provider_id, invoice_id, position, "group", product_id, product_name, description,
        charge_id, period_from, period_to, is_late, quantity, unit_price, volume_unit, net_amount)
    SELECT e.provider_id, e.id,
        coalesce(last.position, 0)
            + row_number() OVER (PARTITION BY e.id ORDER BY c.period_from, c.description, c.id),
        c.kind, c.product_id, coalesce(p.name, ''), c.description,
        c.id, c.period_from, c.period_to, false, c.quantity, c.unit_price, '',
        billing_round(c.net_amount, e.digits, e.rounding)
    FROM estimates e
    JOIN subscriptions_charge c
      ON c.provider_id = e.provider_id AND c.customer_id = e.customer_id
     AND c.currency = e.currency
    LEFT JOIN catalogue_product p ON p.id = c.product_id
    {_LAST_POSITION}
    WHERE c.kind = %(charge_kind)s AND {_DUE_CHARGE} AND {UNTAKEN_CHARGE}
"""

_LINE_GROUP = _USAGE_GROUP.format(period_from="e.period_from")
INSERT_USAGE_LINES = f"""
    WITH {_ESTIMATES}, usage AS (
        SELECT e.id, e.provider_id, e.digits, e.rounding,
            {_USAGE_COLUMNS.format(period_from="e.period_from")}
        FROM estimates e
        JOIN billing_billedusage b ON b.invoice_id = e.id
        JOIN cdr_usagecharge u ON u.id = b.usage_charge_id
        JOIN catalogue_product p ON p.id = u.product_id
        GROUP BY e.id, e.provider_id, e.digits, e.rounding, {_LINE_GROUP}
    )
    INSERT INTO billing_invoiceline (
        provider_id, invoice_id, position, "group", product_id, product_name, description,
        is_late, call_count, billed_volume, included_volume, volume_unit, net_amount)
    SELECT e.provider_id, e.id,
        coalesce(last.position, 0)
            + row_number() OVER (PARTITION BY e.id ORDER BY is_late, name, destination, product_id),
        'USAGE', product_id, name, destination,
        is_late, call_count, billed_volume, included_volume, volume_unit,
        billing_round(exact_amount, digits, rounding)
    FROM usage e (id, provider_id, digits, rounding, product_id, name, volume_unit, destination,
                  is_late, call_count, billed_volume, included_volume, exact_amount)
    {_LAST_POSITION}
"""

# That the invoice is the customer's own follows; said, PostgreSQL reads its few and not all that is
# billed (345 ms with a million usage charges against 12 ms so, 2026-11-22).
_IN_ISSUED = """
    JOIN billing_invoice i ON i.id = {}.invoice_id AND i.state <> 'ESTIMATE'
     AND i.customer_id = %(customer_id)s
"""
UNBILLED_USAGE_LINES = f"""
    SELECT u.currency, {_USAGE_COLUMNS.format(period_from="%(period_from)s")}
    FROM cdr_usagecharge u
    JOIN catalogue_product p ON p.id = u.product_id
    WHERE u.provider_id = %(provider_id)s AND u.kind = 1 AND u.payer_kind = 2
      AND u.payer_id = %(customer_id)s
      AND NOT EXISTS (SELECT 1 FROM billing_billedusage b {_IN_ISSUED.format("b")}
                      WHERE b.usage_charge_id = u.id)
    GROUP BY u.currency, {_USAGE_GROUP.format(period_from="%(period_from)s")}
    ORDER BY u.currency, is_late, p.name, u.destination, p.id
"""
UNBILLED_CHARGES = f"""
    SELECT c.id
    FROM subscriptions_charge c
    WHERE c.provider_id = %(provider_id)s AND c.customer_id = %(customer_id)s
      AND NOT EXISTS (SELECT 1 FROM billing_invoiceline l {_IN_ISSUED.format("l")}
                      WHERE l.charge_id = c.id)
"""
