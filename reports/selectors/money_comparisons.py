"""Payments, allocations, wallets and payouts, against the transfers."""

from reports.selectors.comparison import Comparison

PAYMENTS_POSTED = Comparison(
    "payment = its transfers",
    "payments",
    """
    SELECT coalesce(posted.document, stated.document), posted.said, stated.said
    FROM (
        SELECT t.document, format('%%s %%s for customer %%s%%s', sum(t.amount),
            string_agg(DISTINCT wallet.currency, '+'), string_agg(DISTINCT wallet.owner, '+'),
            CASE WHEN bool_and(r.id IS NOT NULL) THEN ', reversed' END) AS said
        FROM ledger_transfer t
        JOIN ledger_account wallet ON wallet.id = t.credit_id
        LEFT JOIN ledger_transfer r ON r.reverses_id = t.id
        WHERE t.provider_id = %(provider)s AND t.kind = 'PAYMENT'
        GROUP BY t.document
    ) AS posted
    FULL JOIN (
        SELECT 'payment:' || p.id AS document,
            CASE WHEN p.state IN ('SUCCEEDED', 'REVERSED') OR u.id IS NOT NULL THEN
                format('%%s %%s for customer %%s%%s', p.amount, p.currency, p.customer_id,
                    CASE WHEN p.state = 'REVERSED' OR u.id IS NOT NULL THEN ', reversed' END)
            END AS said
        FROM payments_payment p LEFT JOIN payments_reversal u ON u.payment_id = p.id
        WHERE p.provider_id = %(provider)s
    ) AS stated USING (document)
    """,
)

ALLOCATIONS_POSTED = Comparison(
    "allocation = its transfer",
    "allocations",
    """
    SELECT coalesce('allocation:' || stated.id, 'transfer:' || posted.id), posted.said, stated.said
    FROM (
        SELECT t.id, format('%%s to %%s of customer %%s%%s', t.amount, t.document, wallet.owner,
            CASE WHEN r.id IS NOT NULL THEN ', undone' END) AS said
        FROM ledger_transfer t
        JOIN ledger_account wallet ON wallet.id = t.debit_id
        LEFT JOIN ledger_transfer r ON r.reverses_id = t.id
        WHERE t.provider_id = %(provider)s AND t.kind = 'ALLOCATION'
    ) AS posted
    FULL JOIN (
        SELECT a.id, a.transfer_id, format('%%s to invoice:%%s of customer %%s%%s', a.amount,
            a.invoice_id, i.customer_id,
            CASE WHEN a.undone_at IS NOT NULL THEN ', undone' END) AS said
        FROM payments_allocation a JOIN billing_invoice i ON i.id = a.invoice_id
        WHERE a.provider_id = %(provider)s
    ) AS stated ON stated.transfer_id = posted.id
    """,
)

PAYMENTS_NOT_OVERSPENT = Comparison(
    "allocations of a payment never exceed it",
    "payments",
    """
    SELECT 'payment:' || p.id, least(a.amount, money.amount)::text, a.amount::text
    FROM payments_payment p
    JOIN LATERAL (SELECT CASE WHEN p.state = 'SUCCEEDED' THEN p.amount ELSE 0 END::numeric(20, 4))
        AS money (amount) ON true
    JOIN LATERAL (SELECT coalesce(sum(amount), 0)::numeric(20, 4) FROM payments_allocation
        WHERE payment_id = p.id AND undone_at IS NULL) AS a (amount) ON true
    WHERE p.provider_id = %(provider)s
    """,
)

WALLETS = Comparison(
    "wallet + allocations = payments + credit",
    "wallets",
    """
    SELECT format('CUSTOMER_WALLET %%s %%s', owner, currency),
        coalesce(sum(amount) FILTER (WHERE source = 'money'), 0)::numeric(20, 4)::text,
        coalesce(sum(amount) FILTER (WHERE source = 'use'), 0)::numeric(20, 4)::text
    FROM (
        SELECT 'money', customer_id::text, currency, amount FROM payments_payment
        WHERE provider_id = %(provider)s AND state = 'SUCCEEDED'
        UNION ALL
        SELECT 'money', customer_id::text, currency, excess_amount FROM billing_creditnote
        WHERE provider_id = %(provider)s AND customer_id IS NOT NULL
        UNION ALL
        SELECT 'use', owner, currency, -balance FROM ledger_account
        WHERE provider_id = %(provider)s AND kind = 'CUSTOMER_WALLET'
        UNION ALL
        SELECT 'use', i.customer_id::text, i.currency, a.amount
        FROM payments_allocation a JOIN billing_invoice i ON i.id = a.invoice_id
        WHERE a.provider_id = %(provider)s AND a.undone_at IS NULL
    ) AS moved (source, owner, currency, amount)
    GROUP BY owner, currency
    """,
)

ACCRUALS_POSTED = Comparison(
    "commission = its transfer",
    "accruals",
    """
    SELECT coalesce('commission:' || stated.event_key, posted.document), posted.said, stated.said
    FROM (
        SELECT t.id, t.document, CASE WHEN t.kind = 'COMMISSION'
            THEN format('%%s %%s for reseller %%s', t.amount, earner.currency, earner.owner)
            ELSE format('%%s %%s for reseller %%s', -t.amount, loser.currency, loser.owner)
            END AS said
        FROM ledger_transfer t
        JOIN ledger_account earner ON earner.id = t.credit_id
        JOIN ledger_account loser ON loser.id = t.debit_id
        WHERE t.provider_id = %(provider)s AND t.kind IN ('COMMISSION', 'COMMISSION_CLAWBACK')
    ) AS posted
    FULL JOIN (
        SELECT event_key, transfer_id, CASE WHEN amount <> 0 THEN
            format('%%s %%s for reseller %%s', amount, currency, reseller_id) END AS said
        FROM payouts_accrual WHERE provider_id = %(provider)s
    ) AS stated ON stated.transfer_id = posted.id
    """,
)

STATEMENTS_SETTLED = Comparison(
    "settled statement = its transfer",
    "payout statements",
    """
    SELECT coalesce('payout_statement:' || stated.id, posted.document), posted.said, stated.said
    FROM (
        SELECT t.id, t.document,
            format('%%s %%s to reseller %%s', t.amount, payable.currency, payable.owner) AS said
        FROM ledger_transfer t JOIN ledger_account payable ON payable.id = t.debit_id
        WHERE t.provider_id = %(provider)s AND t.kind = 'PAYOUT'
    ) AS posted
    FULL JOIN (
        SELECT id, transfer_id, CASE WHEN state = 'SETTLED' THEN
            format('%%s %%s to reseller %%s', closing_amount, currency, reseller_id) END AS said
        FROM payouts_payoutstatement WHERE provider_id = %(provider)s
    ) AS stated ON stated.transfer_id = posted.id
    """,
)

PAYABLES = Comparison(
    "payable = commission + collected for the reseller - payouts",
    "payables",
    """
    SELECT format('RESELLER_PAYABLE %%s %%s', owner, currency),
        coalesce(sum(amount) FILTER (WHERE source = 'account'), 0)::numeric(20, 4)::text,
        coalesce(sum(amount) FILTER (WHERE source = 'documents'), 0)::numeric(20, 4)::text
    FROM (
        SELECT 'account', owner, currency, -balance FROM ledger_account
        WHERE provider_id = %(provider)s AND kind = 'RESELLER_PAYABLE'
        UNION ALL
        SELECT 'documents', reseller_id::text, currency, amount FROM payouts_accrual
        WHERE provider_id = %(provider)s
        UNION ALL
        SELECT 'documents', issuing_reseller_id::text, currency, gross_amount FROM billing_invoice
        WHERE provider_id = %(provider)s AND issuing_reseller_id IS NOT NULL
            AND state <> 'ESTIMATE'
        UNION ALL
        SELECT 'documents', issuing_reseller_id::text, currency, -gross_amount
        FROM billing_creditnote
        WHERE provider_id = %(provider)s AND issuing_reseller_id IS NOT NULL
        UNION ALL
        SELECT 'documents', reseller_id::text, currency, -closing_amount
        FROM payouts_payoutstatement WHERE provider_id = %(provider)s AND state = 'SETTLED'
    ) AS moved (source, owner, currency, amount)
    GROUP BY owner, currency
    """,
)

ALL = (
    PAYMENTS_POSTED,
    ALLOCATIONS_POSTED,
    PAYMENTS_NOT_OVERSPENT,
    WALLETS,
    ACCRUALS_POSTED,
    STATEMENTS_SETTLED,
    PAYABLES,
)
