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
            DECLARE touched integer;
            BEGIN
                -- Lower id first, so that two transfers between the same accounts cannot deadlock.
                PERFORM 1 FROM ledger_account
                    WHERE id IN (NEW.debit_id, NEW.credit_id) ORDER BY id FOR NO KEY UPDATE;
                IF (SELECT count(DISTINCT currency) FROM ledger_account
                        WHERE id IN (NEW.debit_id, NEW.credit_id)) <> 1 THEN
                    RAISE EXCEPTION 'a transfer joins two accounts of one currency'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                UPDATE ledger_account SET balance = balance
                    + CASE WHEN id = NEW.debit_id THEN NEW.amount ELSE -NEW.amount END
                    WHERE id IN (NEW.debit_id, NEW.credit_id);
                GET DIAGNOSTICS touched = ROW_COUNT;
                IF touched <> 2 THEN
                    RAISE EXCEPTION 'a transfer needs two visible accounts'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
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
            CREATE TRIGGER ledger_transfer_balances AFTER INSERT ON ledger_transfer
                FOR EACH ROW EXECUTE FUNCTION ledger_keep_balances();
            """,
            migrations.RunSQL.noop,
        ),
    ]
