"""Catalogues: what customers may buy at what price, drafted and published."""

from dataclasses import fields

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from catalogue.models.products import Product
from catalogue.models.rate_tables import RateTable
from catalogue.rules.items import Terms
from catalogue.rules.tiers import TierModel as TierModels
from catalogue.rules.tiers import Tiers, parse_tiers
from tenancy.owned import ProviderOwned


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

    class TierModel(models.TextChoices):
        GRADUATED = TierModels.GRADUATED.value, "Graduated: each unit at the price of its tier"
        VOLUME = TierModels.VOLUME.value, "Volume: all units at the price of the tier reached"
        PACKAGE = TierModels.PACKAGE.value, "Package: whole packages that were begun"
        STEPPED = TierModels.STEPPED.value, "Stepped: the flat amount of the step reached"

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
    tier_model = models.CharField(max_length=9, choices=TierModel.choices, blank=True)
    tiers = models.TextField(blank=True)
    package_units = models.BigIntegerField(null=True, blank=True)
    entry_proration = models.BooleanField(default=False)
    exit_proration = models.BooleanField(default=False)
    approval_required = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def terms(self) -> Terms:
        """The terms as a value, for the rules."""
        return Terms(**{field.name: getattr(self, field.name) for field in fields(Terms)})

    @property
    def metered_tiers(self) -> Tiers | None:
        """What a metered product is sold at; None for others."""
        if not self.tiers:
            return None
        return parse_tiers(self.tier_model, self.tiers, self.package_units)


class CatalogueItem(ItemTerms):
    """An item of a catalogue's draft; customers only ever see published versions."""

    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, related_name="items")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["catalogue", "product", "currency"], name="catalogue_item_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(price__isnull=False, rate_table__isnull=True, tiers="")
                | models.Q(price__isnull=True, rate_table__isnull=False, tiers="")
                | (models.Q(price__isnull=True, rate_table__isnull=True) & ~models.Q(tiers="")),
                name="catalogue_item_price_or_rate_table_or_tiers",
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
