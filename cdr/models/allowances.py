"""What customers have used of the volume that their subscriptions include."""

from django.db import models

from catalogue.models import AllowanceTerms, Product
from customers.models import Customer
from subscriptions.models import Subscription
from tenancy.models import Provider
from tenancy.owned import ProviderOwned


class AllowanceCounter(ProviderOwned):
    """How much of an allowance a customer has used in a calendar month of the provider's zone.

    `key` names the allowance of the very `subscription`, or, where that is null, the customer's
    pool of all allowances with the same name and terms. `granted_volume` is the month's own,
    `rolled_volume` what the month before left, which is used first. All count the volume unit of
    `product`, and are the sums of `AllowanceUse`.
    """

    seen_by_customer = "customer_id"

    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="allowance_counters", db_index=False
    )
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", db_index=False)
    subscription = models.ForeignKey(
        Subscription, models.PROTECT, null=True, related_name="+", db_index=False
    )
    key = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    sharing = models.CharField(max_length=6, choices=AllowanceTerms.Sharing.choices)
    month = models.DateField()
    granted_volume = models.BigIntegerField()
    rolled_volume = models.BigIntegerField(default=0)
    used_volume = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "customer", "month", "key"], name="allowance_counter_once"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    used_volume__gte=0,
                    rolled_volume__gte=0,
                    granted_volume__gte=0,
                    used_volume__lte=models.F("granted_volume") + models.F("rolled_volume"),
                ),
                name="allowance_used_at_most_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AllowanceUse(ProviderOwned):
    """What one xDR used of one counter; partitioned like the legs.

    Those of an xDR come to the included volume of its customer leg.
    """

    pk = models.CompositePrimaryKey("provider_id", "started_at", "xdr_id", "counter_id")
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    started_at = models.DateTimeField()
    xdr_id = models.BigIntegerField()
    counter = models.ForeignKey(
        AllowanceCounter, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    volume = models.BigIntegerField()
