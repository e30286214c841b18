from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables, append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("subscriptions", "0001_initial"),
        ("customers", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("Subscription", "Charge"),
        append_only("subscriptions_charge"),
    ]
