"""Allowances: the usage that a catalogue item includes every month."""

from dataclasses import fields

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from catalogue.models.catalogues import CatalogueItem, CatalogueVersionItem
from catalogue.models.products import Product
from catalogue.rules.allowances import Allowance
from catalogue.rules.rate_terms import PREFIX_DIGITS
from tenancy.owned import ProviderOwned


class AllowanceTerms(ProviderOwned):
    """What an item includes of another product's usage, as drafted or as published.

    `volume` counts the volume unit of `usage_product`, per billing month and per unit of the
    subscription's quantity. Only numbers that begin with one of `destinations` use it, all where
    there are none; of a customer's allowances the one with the lowest `priority` is used first.
    OWN, only usage under identifiers tied to the very subscription uses it; SHARED, all usage of
    the customer; POOLED, all usage, and the volumes of the customer's allowances of this name are
    one.
    What is left of one that `rolls_over` can be used in the next month, and not after that.
    """

    class Sharing(models.TextChoices):
        OWN = "OWN", "Own: usage under the subscription's identifiers"
        SHARED = "SHARED", "Shared: all usage of the customer"
        POOLED = "POOLED", "Pooled: all usage, with all that have this name"

    name = models.CharField(max_length=100)
    usage_product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    volume = models.BigIntegerField()
    sharing = models.CharField(max_length=6, choices=Sharing.choices, default=Sharing.SHARED)
    priority = models.PositiveSmallIntegerField(default=1)
    destinations = ArrayField(models.CharField(max_length=PREFIX_DIGITS), default=list, blank=True)
    rolls_over = models.BooleanField(default=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def terms(self) -> Allowance:
        """The terms as a value, for the rules."""
        values = {field.name: getattr(self, field.name) for field in fields(Allowance)}
        return Allowance(**values | {"destinations": tuple(self.destinations)})


class CatalogueItemAllowance(AllowanceTerms):
    """An allowance of an item of a catalogue's draft."""

    item = models.ForeignKey(CatalogueItem, on_delete=models.CASCADE, related_name="allowances")

    class Meta:
        constraints = [
            models.UniqueConstraint("item", Lower("name"), name="item_allowance_name_unique"),
            models.CheckConstraint(
                condition=models.Q(volume__gt=0), name="item_allowance_volume_positive"
            ),
        ]


class CatalogueVersionItemAllowance(AllowanceTerms):
    """An allowance as published, immutable (database trigger); subscriptions grant it."""

    item = models.ForeignKey(
        CatalogueVersionItem, on_delete=models.PROTECT, related_name="allowances"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "item", Lower("name"), name="version_item_allowance_name_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(volume__gt=0), name="version_item_allowance_volume_positive"
            ),
        ]
