"""Where xDRs come from, and whom their lines name."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from catalogue.models import Product
from catalogue.rules.tags import TAGS_CHARACTERS
from cdr.rules.column_mapping import ColumnMapping
from cdr.rules.volumes import Rounding
from customers.models import Customer
from resellers.models import Vendor
from subscriptions.models import Subscription
from tenancy.owned import ProviderOwned


class IdentifiedBy(models.TextChoices):
    """What in an xDR can name a customer."""

    ACCOUNT_CODE = "ACCOUNT_CODE", "Account code"
    TRUNK = "TRUNK", "Trunk"
    IP = "IP", "IP address"
    NUMBER = "NUMBER", "Telephone number"


def usual_order() -> list[str]:
    """By what a customer is looked for where nothing else was said; the first found counts."""
    return [IdentifiedBy.ACCOUNT_CODE, IdentifiedBy.TRUNK, IdentifiedBy.IP, IdentifiedBy.NUMBER]


class Source(ProviderOwned):
    """Where xDRs come from, and how its lines are to be read.

    Its xDRs carry its `tags`, parted by commas. `identified_by` orders what names the customer;
    `mapping` is of MAPPED_CSV only, and null until the provider has said which column is what.
    """

    class Format(models.TextChoices):
        FREESWITCH_CSV = "freeswitch-csv", "FreeSWITCH CSV"
        FREESWITCH_JSON = "freeswitch-json", "FreeSWITCH JSON, a document per line"
        ASTERISK_CSV = "asterisk-csv", "Asterisk Master.csv"
        KAMAILIO_CSV = "kamailio-csv", "Kamailio or OpenSIPS accounting, CSV with a header"
        CUCM_CSV = "cucm-csv", "Cisco CUCM CDR file"
        ACME_CSV = "acme-csv", "Oracle (Acme Packet) SBC local CDR file"
        YETI_CSV = "yeti-csv", "Yeti CDR export"
        MAPPED_CSV = "mapped-csv", "Other CSV: you say which column is what"
        TOLLGATE_JSON = "tollgate-json", "Tollgate JSON, by the API too"

    class VolumeRounding(models.TextChoices):
        UP = Rounding.UP.value, "Up to the next whole one"
        NEAREST = Rounding.NEAREST.value, "To the nearest whole one"
        DOWN = Rounding.DOWN.value, "Down to the whole one begun"

    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=100)
    format = models.CharField(max_length=20, choices=Format.choices)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    time_zone = models.CharField(max_length=64)
    country_prefix = models.CharField(max_length=4, blank=True)
    volume_rounding = models.CharField(
        max_length=7, choices=VolumeRounding.choices, default=VolumeRounding.UP
    )
    identified_by = ArrayField(
        models.CharField(max_length=12, choices=IdentifiedBy.choices), default=usual_order
    )
    mapping = models.JSONField(null=True, blank=True)
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
    def column_mapping(self) -> ColumnMapping | None:
        """Which column is what, where the provider says so; None for other formats."""
        stored: dict[str, Any] | None = self.mapping
        return None if stored is None else ColumnMapping.from_json(stored)

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
    """What in an xDR names a customer: a code, trunk, address, network, or number (E.164 digits).

    xDRs that it names the customer of carry its `tags`, parted by commas. With a `subscription`,
    which is the customer's (foreign key), they can use that one's own allowances.
    """

    seen_by_customer = "customer_id"

    Kind = IdentifiedBy

    kind = models.CharField(max_length=12, choices=Kind.choices)
    value = models.CharField(max_length=64)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="identifiers")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, related_name="identifiers"
    )
    tags = models.CharField(max_length=TAGS_CHARACTERS, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "value"], name="identifier_names_one_customer"
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider"],
                condition=models.Q(kind=IdentifiedBy.IP, value__contains="/"),
                name="identifier_network",
            ),
        ]
