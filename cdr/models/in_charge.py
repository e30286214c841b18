"""What legs have of the usage charge that holds them."""

from django.db import models

from tenancy.owned import ProviderOwned


class InCharge(ProviderOwned):
    """A leg that a usage charge holds, which says of all its legs who pays whom in which currency.

    That is not kept with the legs: there are many times as many. Payer and payee are the parties
    whose margin a leg moves: a customer leg is earned by the customer's reseller (or the provider
    where it has none) though the provider collects it.
    """

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
