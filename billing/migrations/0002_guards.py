from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables, append_only, fixed_once

OF_ISSUED_INVOICE = (
    "EXISTS (SELECT 1 FROM billing_invoice i WHERE i.id = OLD.invoice_id AND i.state <> 'ESTIMATE')"
)
PARTS_OF_INVOICE = ("billing_invoiceline", "billing_invoicetax", "billing_billedusage")


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
            "BilledUsage",
            "CreditNote",
            "Document",
        ),
        fixed_once(
            "billing_invoice",
            "OLD.state <> 'ESTIMATE'",
            except_columns=["state", "settled_amount", "credited_amount"],
        ),
        *(fixed_once(table, OF_ISSUED_INVOICE) for table in PARTS_OF_INVOICE),
        append_only("billing_creditnote"),
        append_only("billing_document"),
    ]
