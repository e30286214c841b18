"""What legs are, and what they have of the usage charge that holds them."""

from decimal import Decimal

from django.db import models

from catalogue.models import Rate, RateTable
from cdr.models.parties import LegKind
from subscriptions.models import Subscription
from tenancy.models import Provider
from tenancy.owned import ProviderOwned


class InCharge(ProviderOwned):
    """A leg that a usage charge holds, which says of all its legs who pays whom in which currency.

    That is not kept with the legs: there are many times as many. Payer and payee are the parties
    whose margin a leg moves: a customer leg is earned by the customer's reseller (or the provider
    where it has none) though the provider collects it.

    `amount` is in the currency of the rate table; `additive_amount` is what of it an additive rate
    put on top of the regular one, `rate`. `included_volume` is what allowances covered of the
    xDR's volume: of a customer leg only. `usage_charge` also says what the payer was charged the
    leg as, whatever destination, reseller or product are called or belong to by now.
    A leg without a rate is priced by the tiers of `subscription`, in its currency: as what it added
    to the month's total, which was `total_before` in volume units.
    """

    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    started_at = models.DateTimeField()
    xdr_id = models.BigIntegerField()
    number = models.SmallIntegerField()
    kind = models.SmallIntegerField(choices=LegKind.choices)
    rate_table = models.ForeignKey(
        RateTable, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    rate = models.ForeignKey(
        Rate, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    subscription = models.ForeignKey(
        Subscription,
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    total_before = models.BigIntegerField(null=True)
    billed_volume = models.BigIntegerField()
    included_volume = models.BigIntegerField(db_default=0, default=0)
    amount = models.DecimalField(max_digits=18, decimal_places=8)
    additive_amount = models.DecimalField(
        max_digits=18, decimal_places=8, db_default=Decimal(0), default=Decimal(0)
    )
    usage_charge = models.ForeignKey(
        "cdr.UsageCharge", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        abstract = True

    @property
    def payer_kind(self) -> int:
        """A PartyKind."""
        return self.usage_charge.payer_kind

    @property
    def payer_id(self) -> int:
        """Of the payer's kind; 0 is the provider."""
        return self.usage_charge.payer_id

    @property
    def payee_kind(self) -> int:
        """A PartyKind."""
        return self.usage_charge.payee_kind

    @property
    def payee_id(self) -> int:
        """Of the payee's kind; 0 is the provider."""
        return self.usage_charge.payee_id

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return self.usage_charge.currency
