from typing import ClassVar

from django.db import migrations

from common.postgres import (
    ProviderTables,
    counted_in_metrics,
    fixed_once,
    kept_once_done,
    owner_function,
    shown_to_reseller,
)

# An accrual moves on to a draft and off it again; approval ends that, in both directions.
STATED_ACCRUALS = """
CREATE FUNCTION payouts_refuse_stated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE earlier bigint := CASE WHEN TG_OP = 'UPDATE' THEN OLD.statement_id END;
BEGIN
    IF NEW.statement_id IS DISTINCT FROM earlier AND EXISTS (
        SELECT 1 FROM payouts_payoutstatement
        WHERE id IN (earlier, NEW.statement_id) AND state <> 'DRAFT') THEN
        RAISE EXCEPTION 'accrual % is, or would be, on an approved statement', NEW.event_key
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payouts_accrual_stated BEFORE INSERT OR UPDATE ON payouts_accrual
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_stated();
"""

# Draft, approved, settled: never back, and nothing after that.
ONWARD_STATEMENTS = """
CREATE TRIGGER payouts_payoutstatement_onward BEFORE UPDATE ON payouts_payoutstatement
    FOR EACH ROW WHEN (OLD.state = 'SETTLED' OR OLD.state = 'APPROVED' AND NEW.state = 'DRAFT')
    EXECUTE FUNCTION refuse_change();
"""
# What a statement names -> the reference of the accrual that leads to it.
STATED = {
    "customers_customer": "customer",
    "billing_invoice": "invoice",
    "billing_creditnote": "credit_note",
    "payments_allocation": "allocation",
}
SETTLEMENT_COLUMNS = (
    "state",
    "settled_date",
    "settlement_mode",
    "settlement_reference",
    "transfer_id",
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("payouts", "0001_initial"),
        ("payments", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("CommissionPlan", "PayoutStatement", "Accrual", "StatementDocument"),
        owner_function(
            "payouts_seen_statements()",
            "SETOF bigint",
            "SELECT id FROM payouts_payoutstatement WHERE provider_id = {provider}"
            " AND reseller_id = {reseller} AND state <> 'DRAFT'"
            " AND resellers_opens('sees_commission')",
        ),
        # What stands on the statements seen, also of customers that have left the reseller since.
        *(
            owner_function(
                f"payouts_stated_{column}s()",
                "SETOF bigint",
                f"SELECT {column}_id FROM payouts_accrual"
                " WHERE statement_id IN (SELECT payouts_seen_statements())",
            )
            for column in STATED.values()
        ),
        shown_to_reseller("payouts_payoutstatement", "id IN (SELECT payouts_seen_statements())"),
        *(
            shown_to_reseller(table, "statement_id IN (SELECT payouts_seen_statements())")
            for table in ("payouts_accrual", "payouts_statementdocument")
        ),
        *(
            shown_to_reseller(
                table, f"id IN (SELECT payouts_stated_{column}s())", name="on_statement"
            )
            for table, column in STATED.items()
        ),
        fixed_once(
            "payouts_commissionplan",
            "EXISTS (SELECT 1 FROM payouts_accrual WHERE plan_id = OLD.id)",
            except_columns=["valid_to"],
        ),
        fixed_once(
            "payouts_payoutstatement",
            "OLD.state <> 'DRAFT'",
            except_columns=SETTLEMENT_COLUMNS,
        ),
        migrations.RunSQL(
            ONWARD_STATEMENTS,
            "DROP TRIGGER payouts_payoutstatement_onward ON payouts_payoutstatement;",
        ),
        fixed_once("payouts_accrual", "true", except_columns=["statement_id"]),
        migrations.RunSQL(
            STATED_ACCRUALS,
            "DROP TRIGGER payouts_accrual_stated ON payouts_accrual;"
            " DROP FUNCTION payouts_refuse_stated();",
        ),
        *kept_once_done("payouts_statementdocument"),
        counted_in_metrics("payouts_statementdocument", "id", "provider_id", "state"),
    ]
