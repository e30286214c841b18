from typing import ClassVar

from django.db import migrations

from common.postgres import (
    ProviderTables,
    append_only,
    counted_in_metrics,
    fixed_once,
    kept_once_done,
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("payments", "0001_initial"),
        ("billing", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables(
            "Payment",
            "PlannedAllocation",
            "Allocation",
            "Reversal",
            "WebhookEvent",
            "ReceiptDocument",
            "SandboxCheckout",
        ),
        fixed_once(
            "payments_payment",
            "TRUE",
            except_columns=[
                "state",
                "gateway_reference",
                "posting_date",
                "receipt_number",
                "succeeded_at",
                "failure",
            ],
        ),
        fixed_once("payments_allocation", "TRUE", except_columns=["undone_at"]),
        fixed_once(
            "payments_webhookevent",
            "TRUE",
            except_columns=["state", "outcome", "processed_at"],
        ),
        append_only("payments_reversal"),
        append_only("payments_plannedallocation"),
        *kept_once_done("payments_receiptdocument"),
        # A gateway's message comes before any provider may be seen: this answers for one exact
        # slug, and shows nothing else of the table.
        migrations.RunSQL(
            """
            CREATE FUNCTION payments_provider_id(slug text) RETURNS bigint
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
                AS 'SELECT p.id FROM tenancy_provider p WHERE p.slug = $1';
            """,
            "DROP FUNCTION payments_provider_id(text);",
        ),
        counted_in_metrics("payments_receiptdocument", "id", "provider_id", "state"),
        counted_in_metrics("payments_webhookevent", "id", "provider_id", "gateway", "state"),
    ]
