"""Rate tables, and what their rates are written with: code decks and time profiles."""

from django.db import models
from django.db.models.functions import Lower

from catalogue.models.products import Product
from tenancy.owned import ProviderOwned


class CodeDeck(ProviderOwned):
    """A named list of prefixes and the destination each belongs to."""

    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint("provider", Lower("name"), name="code_deck_unique")]

    def __str__(self) -> str:
        return self.name


class CodeDeckEntry(ProviderOwned):
    """The destination of one prefix in a code deck."""

    code_deck = models.ForeignKey(CodeDeck, on_delete=models.CASCADE, related_name="entries")
    prefix = models.CharField(max_length=15)
    destination = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code_deck", "prefix"], name="code_deck_prefix_unique"),
        ]


class TimeProfile(ProviderOwned):
    """A named set of weekday or calendar-day by hour ranges; the heavier one wins.

    `ranges` is in the notation of `catalogue.rules.time_profiles`, without a weight.
    """

    name = models.CharField(max_length=100)
    ranges = models.TextField()
    weight = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint("provider", Lower("name"), name="time_profile_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class RateTable(ProviderOwned):
    """A named set of rates in one currency.

    `revision` grows with every change of the table, its rates or their time profiles (database
    trigger), so that compiled indexes in workers know when they are stale.
    """

    class RoundingMode(models.TextChoices):
        HALF_UP = "half_up", "Half up"
        HALF_EVEN = "half_even", "Half even"
        UP = "up"
        DOWN = "down"

    class IncrementBase(models.TextChoices):
        AFTER_MINIMUM = "after_minimum", "After minimum"
        TOTAL = "total"

    class Boundary(models.TextChoices):
        START = "start"
        SPLIT = "split"

    class FeeDue(models.TextChoices):
        BEYOND_ALLOWANCE = "beyond_allowance", "Beyond allowance"
        ALWAYS = "always"

    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="rate_tables")
    time_zone = models.CharField(max_length=64)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    code_deck = models.ForeignKey(
        CodeDeck, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    rounding = models.CharField(
        max_length=9, choices=RoundingMode.choices, default=RoundingMode.HALF_UP
    )
    decimals = models.PositiveSmallIntegerField(default=6)
    increment_base = models.CharField(
        max_length=13, choices=IncrementBase.choices, default=IncrementBase.AFTER_MINIMUM
    )
    boundary = models.CharField(max_length=5, choices=Boundary.choices, default=Boundary.START)
    connection_fee_due = models.CharField(
        max_length=16, choices=FeeDue.choices, default=FeeDue.BEYOND_ALLOWANCE
    )
    notes = models.TextField(blank=True)
    revision = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("provider", Lower("name"), name="rate_table_name_unique"),
            models.CheckConstraint(
                condition=models.Q(decimals__lte=8), name="rate_table_decimals_at_most_8"
            ),
        ]

    def __str__(self) -> str:
        return self.name
