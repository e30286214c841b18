"""The rates of a rate table."""

from decimal import Decimal

from django.db import models

from catalogue.models.rate_tables import RateTable, TimeProfile
from tenancy.owned import ProviderOwned


class Rate(ProviderOwned):
    """The price of a destination prefix from an effective time."""

    class Policy(models.TextChoices):
        REGULAR = "regular"
        ADDITIVE = "additive"

    class Status(models.TextChoices):
        ACTIVE = "active"
        STASHED = "stashed"
        BLOCKED = "blocked"

    rate_table = models.ForeignKey(RateTable, on_delete=models.CASCADE, related_name="rates")
    prefix = models.CharField(max_length=15, blank=True)
    destination = models.CharField(max_length=120)
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True, blank=True)
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    initial_rate = models.DecimalField(max_digits=18, decimal_places=8, null=True, blank=True)
    connection_fee = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(0))
    minimum = models.PositiveIntegerField(default=1)
    increment = models.PositiveIntegerField(default=1)
    grace = models.PositiveIntegerField(default=0)
    steps = models.CharField(max_length=400, blank=True)
    min_cost = models.DecimalField(max_digits=18, decimal_places=8, null=True, blank=True)
    max_cost = models.DecimalField(max_digits=18, decimal_places=8, null=True, blank=True)
    attempt_fee = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(0))
    time_profile = models.ForeignKey(
        TimeProfile, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    policy = models.CharField(max_length=8, choices=Policy.choices, default=Policy.REGULAR)
    tag = models.CharField(max_length=40, blank=True)
    origin_prefix = models.CharField(max_length=15, blank=True)
    min_digits = models.PositiveSmallIntegerField(null=True, blank=True)
    max_digits = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.ACTIVE)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(minimum__gte=1) & models.Q(increment__gte=1),
                name="rate_minimum_and_increment_at_least_1",
            ),
            models.CheckConstraint(
                condition=models.Q(effective_to__isnull=True)
                | models.Q(effective_to__gt=models.F("effective_from")),
                name="rate_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(prefix__regex=r"^[0-9]*$"), name="rate_prefix_is_digits"
            ),
        ]
        indexes = [
            models.Index(fields=["rate_table", "prefix", "effective_from"], name="rate_by_prefix"),
        ]
