"""Invoices, credit notes and what is due on them, against the transfers."""

from reports.selectors.comparison import Comparison

INVOICES_POSTED = Comparison(
    "invoice = its transfers",
    "invoices",
    """
    SELECT coalesce(posted.document, stated.document), posted.said, stated.said
    FROM (
        SELECT t.document, format('net %%s, tax %%s, owed by %%s %%s in %%s',
            coalesce(sum(t.amount) FILTER (WHERE t.kind IN ('INVOICE_NET', 'SETTLEMENT_NET')),
                0)::numeric(20, 4),
            coalesce(sum(t.amount) FILTER (WHERE t.kind IN ('INVOICE_TAX', 'SETTLEMENT_TAX')),
                0)::numeric(20, 4),
            string_agg(DISTINCT payer.kind, '+'), string_agg(DISTINCT payer.owner, '+'),
            string_agg(DISTINCT payer.currency, '+')) AS said
        FROM ledger_transfer t JOIN ledger_account payer ON payer.id = t.debit_id
        WHERE t.provider_id = %(provider)s AND t.kind IN
            ('INVOICE_NET', 'INVOICE_TAX', 'SETTLEMENT_NET', 'SETTLEMENT_TAX')
        GROUP BY t.document
    ) AS posted
    FULL JOIN (
        SELECT 'invoice:' || id AS document,
            CASE WHEN state <> 'ESTIMATE' AND gross_amount <> 0 THEN
                format('net %%s, tax %%s, owed by %%s %%s in %%s', net_amount, tax_amount,
                    kind_of_receivable, coalesce(customer_id, reseller_id), currency) END AS said
        FROM billing_invoice, LATERAL (SELECT CASE WHEN customer_id IS NULL
            THEN 'RESELLER_RECEIVABLE' ELSE 'CUSTOMER_RECEIVABLE' END) k (kind_of_receivable)
        WHERE provider_id = %(provider)s
    ) AS stated USING (document)
    """,
)

CREDIT_NOTES_POSTED = Comparison(
    "credit note = its transfers",
    "credit notes",
    """
    SELECT coalesce(posted.document, stated.document), posted.said, stated.said
    FROM (
        SELECT document, format('net %%s, tax %%s, to the wallet %%s',
            coalesce(sum(amount) FILTER (WHERE kind = 'CREDIT_NOTE_NET'), 0)::numeric(20, 4),
            coalesce(sum(amount) FILTER (WHERE kind = 'CREDIT_NOTE_TAX'), 0)::numeric(20, 4),
            coalesce(sum(amount) FILTER (WHERE kind = 'CREDIT_EXCESS'), 0)::numeric(20, 4)) AS said
        FROM ledger_transfer
        WHERE provider_id = %(provider)s
            AND kind IN ('CREDIT_NOTE_NET', 'CREDIT_NOTE_TAX', 'CREDIT_EXCESS')
        GROUP BY document
    ) AS posted
    FULL JOIN (
        SELECT 'credit_note:' || id AS document, format('net %%s, tax %%s, to the wallet %%s',
            net_amount, tax_amount, excess_amount) AS said
        FROM billing_creditnote WHERE provider_id = %(provider)s
    ) AS stated USING (document)
    """,
)

INVOICES_SETTLED = Comparison(
    "settled amount = allocations to the invoice",
    "invoices",
    """
    SELECT 'invoice:' || i.id, coalesce(taken.amount, 0)::numeric(20, 4)::text,
        i.settled_amount::text
    FROM billing_invoice i
    LEFT JOIN (
        SELECT t.document, sum(t.amount) AS amount FROM ledger_transfer t
        WHERE t.provider_id = %(provider)s AND t.kind = 'ALLOCATION'
            AND NOT EXISTS (SELECT 1 FROM ledger_transfer r WHERE r.reverses_id = t.id)
        GROUP BY t.document
    ) AS taken ON taken.document = 'invoice:' || i.id
    WHERE i.provider_id = %(provider)s
    """,
)

INVOICES_CREDITED = Comparison(
    "credited amount = credit notes of the invoice",
    "invoices",
    """
    SELECT 'invoice:' || i.id, coalesce(sum(n.gross_amount - n.excess_amount),
        0)::numeric(20, 4)::text, i.credited_amount::text
    FROM billing_invoice i LEFT JOIN billing_creditnote n ON n.invoice_id = i.id
    WHERE i.provider_id = %(provider)s
    GROUP BY i.id
    """,
)

INVOICE_STATES = Comparison(
    "state follows from the amounts",
    "invoices",
    """
    SELECT 'invoice:' || id, CASE
            WHEN number IS NULL THEN 'ESTIMATE'
            WHEN gross_amount = 0 AND state <> 'ESTIMATE' THEN state
            WHEN settled_amount = 0 AND credited_amount = gross_amount THEN 'CANCELLED'
            WHEN settled_amount + credited_amount = gross_amount THEN 'PAID'
            WHEN settled_amount > 0 THEN 'PART_PAID'
            ELSE 'ISSUED'
        END, state
    FROM billing_invoice WHERE provider_id = %(provider)s
    """,
)

RECEIVABLES = Comparison(
    "receivable = what is due on invoices",
    "payers",
    """
    SELECT format('%%s %%s %%s', kind, owner, currency),
        coalesce(account.balance, 0)::numeric(20, 4)::text,
        coalesce(due.amount, 0)::numeric(20, 4)::text
    FROM (
        SELECT kind, owner, currency, balance FROM ledger_account
        WHERE provider_id = %(provider)s AND kind IN ('CUSTOMER_RECEIVABLE', 'RESELLER_RECEIVABLE')
    ) AS account
    FULL JOIN (
        SELECT CASE WHEN customer_id IS NULL THEN 'RESELLER_RECEIVABLE'
                ELSE 'CUSTOMER_RECEIVABLE' END AS kind,
            coalesce(customer_id, reseller_id)::text AS owner, currency,
            sum(gross_amount - settled_amount - credited_amount) AS amount
        FROM billing_invoice WHERE provider_id = %(provider)s AND state <> 'ESTIMATE'
        GROUP BY 1, 2, 3
    ) AS due USING (kind, owner, currency)
    """,
)

ALL = (
    INVOICES_POSTED,
    CREDIT_NOTES_POSTED,
    INVOICES_SETTLED,
    INVOICES_CREDITED,
    INVOICE_STATES,
    RECEIVABLES,
)
