from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables, append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("cdr", "0002_partitioned_tables"),
        ("subscriptions", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables(
            "Source",
            "Trunk",
            "CustomerIdentifier",
            "XdrFile",
            "XdrChunk",
            "UsageCharge",
            "Suspense",
        ),
        ProviderTables("Xdr", "Leg", references=False),
        append_only("cdr_usagecharge"),
    ]
