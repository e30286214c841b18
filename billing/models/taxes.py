"""Taxes, and the series that number documents."""

from django.db import models

from resellers.models import Reseller
from tenancy.models import BillerEntity
from tenancy.owned import ProviderOwned

# What the numbers of a series begin with until the provider chooses otherwise.
_PREFIXES = {
    "INVOICE": "INV",
    "SETTLEMENT": "SET",
    "CREDIT_NOTE": "CN",
    "RECEIPT": "REC",
    "PAYOUT": "PAY",
}


class TaxProfile(ProviderOwned):
    """An ordered list of percent taxes; the provider's default one applies to its customers."""

    name = models.CharField(max_length=100)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider"],
                condition=models.Q(is_default=True),
                name="one_default_tax_profile",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tax(ProviderOwned):
    """One percent tax; the same priority shares a base, a later one includes the earlier taxes."""

    profile = models.ForeignKey(TaxProfile, on_delete=models.CASCADE, related_name="taxes")
    name = models.CharField(max_length=60)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    priority = models.PositiveSmallIntegerField(default=1)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__gte=0, percent__lte=100), name="tax_percent_0_to_100"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class NumberSeries(ProviderOwned):
    """A gapless series of document numbers of one biller entity.

    `pattern` is a format string over `year` and `number`, e.g. `INV-{year}-{number:06}`. Numbers
    are taken under the row's lock in the transaction that issues the document.
    """

    class Kind(models.TextChoices):
        INVOICE = "INVOICE", "Invoices"
        SETTLEMENT = "SETTLEMENT", "Settlement invoices"
        CREDIT_NOTE = "CREDIT_NOTE", "Credit notes"
        RECEIPT = "RECEIPT", "Receipts"
        PAYOUT = "PAYOUT", "Payout statements"

        @property
        def default_pattern(self) -> str:
            """How the series is written until the provider chooses otherwise."""
            return f"{_PREFIXES[self.value]}-{{year}}-{{number:06}}"

    biller_entity = models.ForeignKey(BillerEntity, on_delete=models.PROTECT, related_name="series")
    issuing_reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, related_name="+"
    )
    kind = models.CharField(max_length=11, choices=Kind.choices)
    pattern = models.CharField(max_length=60)
    next_number = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["biller_entity", "issuing_reseller", "kind"],
                nulls_distinct=False,
                name="one_series_per_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.pattern
