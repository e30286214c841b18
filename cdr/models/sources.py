"""Where xDRs come from, and whom their lines name."""

from django.db import models

from catalogue.models import Product
from catalogue.rules.tags import TAGS_CHARACTERS
from customers.models import Customer
from resellers.models import Vendor
from tenancy.owned import ProviderOwned


class Source(ProviderOwned):
    """Where xDRs come from, and how its lines are to be read.

    Its xDRs carry its `tags`, parted by commas.
    """

    class Format(models.TextChoices):
        FREESWITCH_CSV = "freeswitch-csv", "FreeSWITCH CSV"

    class VolumeRounding(models.TextChoices):
        UP = "up"
        NEAREST = "nearest"
        DOWN = "down"

    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=100)
    format = models.CharField(max_length=20, choices=Format.choices)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    time_zone = models.CharField(max_length=64)
    country_prefix = models.CharField(max_length=4, blank=True)
    volume_rounding = models.CharField(
        max_length=7, choices=VolumeRounding.choices, default=VolumeRounding.UP
    )
    default_vendor = models.ForeignKey(
        Vendor, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    allows_foreign_vendors = models.BooleanField(default=False)
    oldest_days = models.PositiveSmallIntegerField(default=400)
    tags = models.CharField(max_length=TAGS_CHARACTERS, blank=True)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "slug"], name="source_slug_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """Whether it takes files: ENABLED or DISABLED."""
        return "ENABLED" if self.is_enabled else "DISABLED"


class Trunk(ProviderOwned):
    """The vendor reached by a tech prefix in front of the destination number.

    xDRs that took it carry its `tags`, parted by commas.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="trunks")
    tech_prefix = models.CharField(max_length=12)
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="trunks")
    tags = models.CharField(max_length=TAGS_CHARACTERS, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "tech_prefix"], name="trunk_prefix_unique"),
        ]


class CustomerIdentifier(ProviderOwned):
    """What in an xDR names a customer: an account code, or one of its numbers (E.164 digits).

    xDRs that it names the customer of carry its `tags`, parted by commas.
    """

    seen_by_customer = "customer_id"

    class Kind(models.TextChoices):
        ACCOUNT_CODE = "ACCOUNT_CODE"
        NUMBER = "NUMBER"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    value = models.CharField(max_length=64)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="identifiers")
    tags = models.CharField(max_length=TAGS_CHARACTERS, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "value"], name="identifier_names_one_customer"
            ),
        ]
