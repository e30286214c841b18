from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables, append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("payments", "0001_initial"),
        ("billing", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("Payment", "PlannedAllocation", "Allocation", "Reversal", "WebhookEvent"),
        append_only("payments_reversal"),
        append_only("payments_plannedallocation"),
    ]
