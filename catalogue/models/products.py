"""What can be sold."""

from django.db import models
from django.db.models.functions import Lower

from tenancy.owned import ProviderOwned


class ProductKind(models.TextChoices):
    """How a product is charged."""

    RECURRING = "RECURRING"
    ONE_TIME = "ONE_TIME", "One-time"
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
