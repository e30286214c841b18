from typing import ClassVar

from django.db import migrations

from common.postgres import (
    ProviderTables,
    append_only,
    counted_in_metrics,
    fixed_once,
    kept_once_done,
    owner_function,
    shown_to_reseller,
)

OF_ISSUED_INVOICE = (
    "EXISTS (SELECT 1 FROM billing_invoice i WHERE i.id = OLD.invoice_id AND i.state <> 'ESTIMATE')"
)
OF_SETTLEMENT = (
    "billing_invoiceline",
    "billing_invoicetax",
    "billing_creditnote",
    "billing_document",
)
PARTS_OF_INVOICE = ("billing_invoiceline", "billing_invoicetax", "billing_billedusage")
# One look per statement, not per row: an estimate takes its lines and usage by INSERT ... SELECT.
NOTHING_ADDED_LATE = """
CREATE FUNCTION billing_refuse_late_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added a JOIN billing_invoice i ON i.id = a.invoice_id
               WHERE i.state <> 'ESTIMATE') THEN
        RAISE EXCEPTION '% of an issued invoice is fixed: nothing can be added', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""

# The rule's rounding where lines are summed by the database; `mode` as in common.money.Rounding.
ROUND_ONCE = """
CREATE FUNCTION billing_round(amount numeric, digits integer, mode text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN mode = 'HALF_EVEN'
            AND abs(amount * 10::numeric ^ digits - trunc(amount * 10::numeric ^ digits)) = 0.5
        THEN trunc(2 * round(amount * 10::numeric ^ digits / 2) / 10::numeric ^ digits, digits)
        ELSE round(amount, digits)
    END
$$;
"""


def refuse_late_parts(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_added AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_late_part();
        """,
        f"DROP TRIGGER {table}_added ON {table};",
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("billing", "0001_initial"),
        ("cdr", "0003_guards"),
    ]

    operations: ClassVar = [
        ProviderTables(
            "TaxProfile",
            "Tax",
            "NumberSeries",
            "BillRun",
            "BillRunItem",
            "Invoice",
            "InvoiceLine",
            "InvoiceTax",
            "CreditNote",
            "CreditNoteLine",
            "CreditNoteTax",
            "Document",
            "InvoiceEmail",
        ),
        ProviderTables("BilledUsage", references=False),
        # A settlement invoice is whole for who pays and for who issues it. Of a customer's invoice a
        # reseller sees that it is there, once that is opened to it, and never what is on it.
        owner_function(
            "billing_settlements_seen()",
            "SETOF bigint",
            "SELECT id FROM billing_invoice WHERE provider_id = {provider} AND state <> 'ESTIMATE'"
            " AND (reseller_id = {reseller} OR issuing_reseller_id = {reseller})",
        ),
        shown_to_reseller(
            "billing_invoice",
            "state <> 'ESTIMATE' AND (reseller_id = {reseller} OR issuing_reseller_id = {reseller})",
        ),
        shown_to_reseller(
            "billing_invoice",
            "state <> 'ESTIMATE' AND (SELECT resellers_opens('sees_invoice_status'))"
            " AND customer_id IN (SELECT customers_seen_by_reseller())",
            name="opened_status",
        ),
        *(
            shown_to_reseller(table, "invoice_id IN (SELECT billing_settlements_seen())")
            for table in OF_SETTLEMENT
        ),
        migrations.RunSQL(
            """
            ALTER TABLE billing_billedusage ADD CONSTRAINT billing_billedusage_invoice_same_provider
                FOREIGN KEY (provider_id, invoice_id) REFERENCES billing_invoice (provider_id, id)
                DEFERRABLE INITIALLY DEFERRED;
            """,
            migrations.RunSQL.noop,
        ),
        fixed_once(
            "billing_invoice",
            "OLD.state <> 'ESTIMATE'",
            except_columns=["state", "settled_amount", "credited_amount"],
        ),
        migrations.RunSQL(NOTHING_ADDED_LATE, "DROP FUNCTION billing_refuse_late_part();"),
        *(fixed_once(table, OF_ISSUED_INVOICE) for table in PARTS_OF_INVOICE),
        *(refuse_late_parts(table) for table in PARTS_OF_INVOICE),
        append_only("billing_creditnote"),
        append_only("billing_creditnoteline"),
        append_only("billing_creditnotetax"),
        *kept_once_done("billing_document"),
        migrations.RunSQL(ROUND_ONCE, "DROP FUNCTION billing_round(numeric, integer, text);"),
        counted_in_metrics("billing_billrun", "id", "provider_id", "state"),
        counted_in_metrics("billing_billrunitem", "id", "provider_id", "run_id", "state"),
        counted_in_metrics("billing_invoiceemail", "id", "provider_id", "invoice_id", "state"),
        counted_in_metrics(
            "billing_document", "id", "provider_id", "invoice_id", "credit_note_id", "state"
        ),
    ]
