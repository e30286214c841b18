from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables, append_only, shown_to_reseller


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("subscriptions", "0001_initial"),
        ("customers", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("Subscription", "Charge"),
        # How many there are.
        shown_to_reseller(
            "subscriptions_subscription",
            "customer_id IN (SELECT customers_seen_by_reseller())",
        ),
        append_only("subscriptions_charge"),
        # What names a subscription together with its customer refers to this.
        migrations.RunSQL(
            "ALTER TABLE subscriptions_subscription ADD CONSTRAINT subscription_of_customer"
            " UNIQUE (provider_id, customer_id, id)",
            migrations.RunSQL.noop,
        ),
    ]
