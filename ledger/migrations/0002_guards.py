from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables, append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("ledger", "0001_initial"),
        ("tenancy", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("Account", "Transfer"),
        append_only("ledger_transfer"),
        migrations.RunSQL(
            """
            CREATE FUNCTION ledger_keep_balances() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                -- Lower id first, so that two statements on the same accounts cannot deadlock.
                PERFORM 1 FROM ledger_account
                    WHERE id IN (SELECT debit_id FROM added UNION SELECT credit_id FROM added)
                    ORDER BY id FOR NO KEY UPDATE;
                IF EXISTS (SELECT 1 FROM added a
                           LEFT JOIN ledger_account d ON d.id = a.debit_id
                           LEFT JOIN ledger_account c ON c.id = a.credit_id
                           WHERE d.id IS NULL OR c.id IS NULL) THEN
                    RAISE EXCEPTION 'a transfer needs two visible accounts'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                IF EXISTS (SELECT 1 FROM added a
                           JOIN ledger_account d ON d.id = a.debit_id
                           JOIN ledger_account c ON c.id = a.credit_id
                           WHERE d.currency <> c.currency) THEN
                    RAISE EXCEPTION 'a transfer joins two accounts of one currency'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                UPDATE ledger_account SET balance = balance + moved.amount
                    FROM (SELECT account_id, sum(amount) AS amount
                          FROM (SELECT debit_id AS account_id, amount FROM added
                                UNION ALL SELECT credit_id, -amount FROM added) ends
                          GROUP BY account_id) moved
                    WHERE id = moved.account_id;
                RETURN NULL;
            END $$;
            CREATE FUNCTION ledger_refuse_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    IF NEW.balance = 0 THEN RETURN NEW; END IF;
                -- Depth 2 is an update by the trigger of a transfer.
                ELSIF TG_OP = 'UPDATE' AND pg_trigger_depth() = 2
                    AND to_jsonb(OLD) - 'balance' = to_jsonb(NEW) - 'balance' THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION 'ledger_account changes by transfers only: % refused', TG_OP
                    USING ERRCODE = 'integrity_constraint_violation';
            END $$;
            CREATE TRIGGER ledger_account_kept BEFORE INSERT OR UPDATE OR DELETE ON ledger_account
                FOR EACH ROW EXECUTE FUNCTION ledger_refuse_account_change();
            -- Once per statement: a bill run inserts hundreds that share the revenue account.
            CREATE TRIGGER ledger_transfer_balances AFTER INSERT ON ledger_transfer
                REFERENCING NEW TABLE AS added
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep_balances();
            """,
            migrations.RunSQL.noop,
        ),
    ]
