"""What is sold and at what price: products, rate tables, catalogues and their versions."""

from dataclasses import fields
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from catalogue.rules.items import Terms
from tenancy.owned import ProviderOwned


class ProductKind(models.TextChoices):
    """How a product is charged."""

    RECURRING = "RECURRING"
    ONE_TIME = "ONE_TIME"
    METERED = "METERED"
    VOICE = "VOICE"


class Product(ProviderOwned):
    """Something sellable: recurring, one-time, metered, or voice (priced by a rate table)."""

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=9, choices=ProductKind.choices)
    rating_unit = models.CharField(max_length=20, blank=True)
    volume_unit = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("provider", Lower("code"), name="product_code_unique"),
        ]

    def __str__(self) -> str:
        return self.name


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
        HALF_UP = "half_up"
        HALF_EVEN = "half_even"
        UP = "up"
        DOWN = "down"

    class IncrementBase(models.TextChoices):
        AFTER_MINIMUM = "after_minimum"
        TOTAL = "total"

    class Boundary(models.TextChoices):
        START = "start"
        SPLIT = "split"

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


class Catalogue(ProviderOwned):
    """Which products a customer sees and at what price; exactly one is the provider's default."""

    name = models.CharField(max_length=100)
    is_default = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("provider", Lower("name"), name="catalogue_name_unique"),
            models.UniqueConstraint(
                fields=["provider"],
                condition=models.Q(is_default=True),
                name="one_default_catalogue",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ItemTerms(ProviderOwned):
    """The terms of one product in one currency, as drafted or as published."""

    class PricePeriod(models.TextChoices):
        HOUR = "HOUR"
        MONTH = "MONTH"
        QUARTER = "QUARTER"
        YEAR = "YEAR"
        NONE = "", "\N{EN DASH}"

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    group = models.CharField(max_length=100, blank=True)
    is_available = models.BooleanField(default=True)
    price = models.DecimalField(max_digits=18, decimal_places=8, null=True, blank=True)
    price_period = models.CharField(
        max_length=7, choices=PricePeriod.choices, blank=True, default=PricePeriod.NONE
    )
    in_advance = models.BooleanField(default=True)
    rate_table = models.ForeignKey(
        RateTable, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    entry_proration = models.BooleanField(default=False)
    exit_proration = models.BooleanField(default=False)
    approval_required = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def terms(self) -> Terms:
        """The terms as a value, for the rules."""
        return Terms(**{field.name: getattr(self, field.name) for field in fields(Terms)})


class CatalogueItem(ItemTerms):
    """An item of a catalogue's draft; customers only ever see published versions."""

    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, related_name="items")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["catalogue", "product", "currency"], name="catalogue_item_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(price__isnull=False) ^ models.Q(rate_table__isnull=False),
                name="catalogue_item_price_or_rate_table",
            ),
        ]


class CatalogueVersion(ProviderOwned):
    """One publication of a catalogue, numbered and immutable (database trigger)."""

    catalogue = models.ForeignKey(Catalogue, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["catalogue", "number"], name="catalogue_version_number_unique"
            ),
        ]


class CatalogueVersionItem(ItemTerms):
    """An item as published; subscriptions freeze their price from it."""

    version = models.ForeignKey(CatalogueVersion, on_delete=models.PROTECT, related_name="items")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "product", "currency"], name="catalogue_version_item_unique"
            ),
        ]
