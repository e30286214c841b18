from typing import ClassVar

from django.db import migrations

from common.postgres import CURRENT_PROVIDER, ProviderTables


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("customers", "0001_initial"),
        ("resellers", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("Customer"),
        ProviderTables("TeamMember", own_user=True),
        migrations.RunSQL(
            f"""
            CREATE POLICY team_of_provider ON tenancy_user USING (EXISTS (
                SELECT 1 FROM customers_teammember t
                WHERE t.user_id = tenancy_user.id AND t.provider_id = {CURRENT_PROVIDER}));
            """,
            migrations.RunSQL.noop,
        ),
    ]
