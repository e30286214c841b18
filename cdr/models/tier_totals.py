"""How much of a metered product was used in a month, so far."""

from django.db import models

from customers.models import Customer
from subscriptions.models import Subscription
from tenancy.owned import ProviderOwned


class TierTotal(ProviderOwned):
    """What was used in a billing month under a subscription that is sold at tiers.

    `volume` is that of the legs priced by it, in the product's volume unit; whoever prices another
    locks the row first. `month` is the first day of the calendar month, in the provider's zone.
    """

    seen_by_customer = "customer_id"

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="tier_totals", db_index=False
    )
    month = models.DateField()
    volume = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "month"], name="tier_total_once"),
            models.CheckConstraint(
                condition=models.Q(volume__gte=0), name="tier_total_not_negative"
            ),
        ]
