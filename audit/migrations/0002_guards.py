from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables, append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("audit", "0001_initial"),
        ("tenancy", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("Entry"),
        append_only("audit_entry"),
    ]
