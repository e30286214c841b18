from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("payouts", "0001_initial"),
        ("payments", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("CommissionPlan", "PayoutStatement", "Accrual"),
    ]
