"""What could not be read, identified or rated."""

from decimal import Decimal

from django.db import models

from catalogue.models import RateTable
from cdr.models.files import XdrChunk
from cdr.models.mending import Mending
from cdr.models.parties import LegKind, PartyKind
from cdr.models.sources import IdentifiedBy, Source
from cdr.rules.suspense import Suspended
from customers.models import Customer
from tenancy.owned import ProviderOwned

SUBJECT_CHARACTERS = 100


class SuspenseReason(models.TextChoices):
    """Why a line, an xDR or one leg of it waits for somebody."""

    UNPARSABLE = Suspended.UNPARSABLE.value
    UNKNOWN_CUSTOMER = Suspended.UNKNOWN_CUSTOMER.value, "Unknown customer"
    UNKNOWN_VENDOR = Suspended.UNKNOWN_VENDOR.value, "Unknown vendor"
    UNRATED_CUSTOMER = Suspended.UNRATED_CUSTOMER.value, "Unrated customer"
    UNRATED_VENDOR = Suspended.UNRATED_VENDOR.value, "Unrated vendor"
    RESELLER_UNRATED = Suspended.RESELLER_UNRATED.value, "Reseller unrated"
    FOREIGN_VENDOR = Suspended.FOREIGN_VENDOR.value, "Foreign vendor"
    BLOCKED = Suspended.BLOCKED.value
    TOO_OLD = Suspended.TOO_OLD.value, "Too old"
    IN_FUTURE = Suspended.IN_FUTURE.value, "In future"
    OVERFLOW = Suspended.OVERFLOW.value


class Suspense(ProviderOwned):
    """A line, an xDR or one leg of it that could not be identified or rated, and why.

    `raw` keeps the line verbatim. Rows of the same reason, source, `named_by`, `subject` and
    `rate_table` wait for the same thing: for the account code that names nobody, say.
    `estimated_amount`, in `currency`, is what the customer would pay for the whole xDR; zero where
    no customer rate is known. `mending` is the last that dealt with it; `correction` is how the
    line is read, where that is not as received, and `zone` the time zone of its local times, where
    that is not its source's.
    """

    class State(models.TextChoices):
        OPEN = "OPEN"
        RESOLVED = "RESOLVED"
        DISCARDED = "DISCARDED"

    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_index=False)
    chunk = models.ForeignKey(XdrChunk, on_delete=models.PROTECT, related_name="suspense")
    line_number = models.BigIntegerField()
    raw = models.TextField()
    reason = models.CharField(max_length=20, choices=SuspenseReason.choices)
    detail = models.CharField(max_length=300)
    named_by = models.CharField(
        max_length=12, choices=IdentifiedBy.choices, blank=True, db_default=""
    )
    subject = models.CharField(max_length=SUBJECT_CHARACTERS, blank=True, db_default="")
    rate_table = models.ForeignKey(
        RateTable, models.PROTECT, related_name="+", null=True, db_index=False
    )
    xdr_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(null=True)
    leg_kind = models.SmallIntegerField(choices=LegKind.choices, null=True)
    payer_kind = models.SmallIntegerField(choices=PartyKind.choices, null=True)
    payer_id = models.BigIntegerField(null=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    volume = models.BigIntegerField(default=0)
    estimated_amount = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(0))
    currency = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    correction = models.TextField(blank=True, db_default="")
    zone = models.CharField(max_length=64, blank=True, db_default="")
    mending = models.ForeignKey(
        Mending, on_delete=models.PROTECT, null=True, related_name="suspense"
    )

    class Meta:
        indexes = [
            models.Index(fields=["provider", "state", "reason", "id"], name="suspense_reason"),
            models.Index(
                fields=["provider", "source", "reason", "subject", "id"],
                condition=models.Q(state="OPEN"),
                name="suspense_group",
            ),
        ]
