"""A customer's use of products, and the charges that follow from it."""

from django.conf import settings
from django.db import models

from catalogue.models import CatalogueVersionItem, ItemTerms, Product
from customers.models import Customer
from tenancy.owned import ProviderOwned


class Subscription(ProviderOwned):
    """A customer's use of a product from a date, at the price frozen at purchase."""

    seen_by_customer = "customer_id"

    class State(models.TextChoices):
        REQUESTED = "REQUESTED"
        ACTIVE = "ACTIVE"
        ENDING = "ENDING"
        ENDED = "ENDED"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(CatalogueVersionItem, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    currency = models.CharField(max_length=3)
    price = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    price_period = models.CharField(max_length=7, choices=ItemTerms.PricePeriod.choices, blank=True)
    in_advance = models.BooleanField(default=True)
    state = models.CharField(max_length=9, choices=State.choices)
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end_date__isnull=True)
                | models.Q(end_date__gte=models.F("start_date")),
                name="subscription_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["provider", "customer"], name="subscription_customer")]


class Charge(ProviderOwned):
    """A recurring or one-time amount owed by a customer, to be put on one invoice.

    `net_amount` carries 4 decimals and may be negative; `period_to` is exclusive. A charge with a
    `credited_charge` gives back what that one charged for days left unused.
    """

    seen_by_customer = "customer_id"

    class Kind(models.TextChoices):
        RECURRING = "RECURRING"
        ONE_TIME = "ONE_TIME", "One-time"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="charges")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, related_name="charges"
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    description = models.CharField(max_length=300)
    period_from = models.DateField()
    period_to = models.DateField()
    quantity = models.PositiveIntegerField(default=1)
    unit_price = models.DecimalField(max_digits=18, decimal_places=8)
    net_amount = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3)
    posted_at = models.DateTimeField()
    credited_charge = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="credit"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "kind", "period_from"],
                condition=models.Q(credited_charge__isnull=True),
                name="charge_once_per_period",
            ),
            models.CheckConstraint(
                condition=models.Q(credited_charge__isnull=True) | models.Q(net_amount__lt=0),
                name="credit_is_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(period_to__gt=models.F("period_from")),
                name="charge_period_not_empty",
            ),
        ]
        indexes = [models.Index(fields=["provider", "customer"], name="charge_customer")]
