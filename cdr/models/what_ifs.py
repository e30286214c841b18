"""What billing mode would have cost: questions about a past period, which charge nobody."""

from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import models

from catalogue.models import RateTable
from cdr.models.parties import PartyKind
from common.tries import Tried
from resellers.models import BillingModeAssignment, Reseller
from tenancy.owned import ProviderOwned


class WhatIf(Tried, ProviderOwned):
    """Resellers as if they had been in billing mode from the start of a day to that of another.

    At `rate_table` and by `policy`, whatever held then. The days are the provider's; `day_count` of
    them are asked about, `done_count` answered. `queued_at` is when a worker was last asked, or
    last told how far it is.
    """

    class State(models.TextChoices):
        WAITING = "WAITING"
        RUNNING = "RUNNING"
        DONE = "DONE"
        FAILED = "FAILED"
        CANCELLED = "CANCELLED"

    rate_table = models.ForeignKey(RateTable, models.PROTECT, related_name="+", db_index=False)
    policy = models.CharField(max_length=19, choices=BillingModeAssignment.Policy.choices)
    internal_rate_table = models.ForeignKey(
        RateTable, models.PROTECT, related_name="+", null=True, db_index=False
    )
    from_date = models.DateField()
    to_date = models.DateField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    error = models.TextField(blank=True)
    day_count = models.PositiveIntegerField()
    done_count = models.PositiveIntegerField(default=0)
    xdr_count = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )
    queued_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(to_date__gt=models.F("from_date")),
                name="what_if_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["provider", "-asked_at", "-id"], name="what_if_latest")]

    def __str__(self) -> str:
        return f"What-if {self.pk}"

    @property
    def last_date(self) -> date:
        """The last day asked about."""
        return self.to_date - timedelta(days=1)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is reckoned."""
        return self.state not in (self.State.WAITING, self.State.RUNNING)


class WhatIfReseller(ProviderOwned):
    """One of the resellers asked about: what it paid for the product, and what it would have paid.

    Legs and amounts are in the currency of the table. `unrated_count` calls have no rate there:
    their legs would have waited in suspense.
    """

    what_if = models.ForeignKey(WhatIf, on_delete=models.CASCADE, related_name="resellers")
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="+")
    paid_leg_count = models.PositiveBigIntegerField(default=0)
    paid_amount = models.DecimalField(max_digits=24, decimal_places=8, default=Decimal(0))
    leg_count = models.PositiveBigIntegerField(default=0)
    billed_volume = models.PositiveBigIntegerField(default=0)
    amount = models.DecimalField(max_digits=24, decimal_places=8, default=Decimal(0))
    unrated_count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["what_if", "reseller"], name="what_if_reseller_once"),
        ]

    @property
    def added_leg_count(self) -> int:
        """How many legs more, or fewer, than there are."""
        return self.leg_count - self.paid_leg_count

    @property
    def added_amount(self) -> Decimal:
        """How much more, or less, than it paid."""
        return self.amount - self.paid_amount


class WhatIfMargin(ProviderOwned):
    """What a party earned by the product in the period, and what it would have, in one currency.

    Of those whose margin differs: the resellers asked about and who they pay.
    """

    what_if = models.ForeignKey(WhatIf, on_delete=models.CASCADE, related_name="margins")
    party_kind = models.SmallIntegerField(choices=PartyKind.choices)
    party_id = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    before_amount = models.DecimalField(max_digits=24, decimal_places=8)
    after_amount = models.DecimalField(max_digits=24, decimal_places=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["what_if", "party_kind", "party_id", "currency"],
                name="what_if_margin_once",
            ),
        ]

    @property
    def shift_amount(self) -> Decimal:
        """How much more, or less, it would have earned."""
        return self.after_amount - self.before_amount
