"""Rating again what was rated: what was chosen, what it changes, and the legs it replaced."""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from catalogue.models import RateTable
from cdr.models.in_charge import InCharge
from cdr.models.parties import LegKind, PartyKind
from cdr.models.sources import Source
from cdr.models.suspense import SuspenseReason
from common.tries import Tried
from customers.models import Customer
from resellers.models import Reseller, Vendor
from tenancy.owned import ProviderOwned


class Rerating(Tried, ProviderOwned):
    """xDRs that are rated again by the terms of today: measured first, then applied if agreed to.

    Chosen are those that started in `[started_from, started_to)` and to which all else that is
    said applies; `prefixes` are digits parted by commas, of which one must begin the number called.
    `reason` says why. Of `ordered_customer_ids`, customers with allowances or tiers, all usage of
    the months is rated again, in the order of its start. What is applied is what was measured:
    where anything has changed in between, nothing is done (PARTLY_APPLIED). A dry run that cannot
    be measured has FAILED.
    """

    class State(models.TextChoices):
        PLANNING = "PLANNING"
        MEASURING = "MEASURING"
        MEASURED = "MEASURED"
        APPLYING = "APPLYING"
        APPLIED = "APPLIED"
        PARTLY_APPLIED = "PARTLY_APPLIED", "Partly applied"
        DISCARDED = "DISCARDED"
        FAILED = "FAILED"

    reason = models.CharField(max_length=300)
    started_from = models.DateTimeField()
    started_to = models.DateTimeField()
    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="+", null=True, db_index=False
    )
    reseller = models.ForeignKey(
        Reseller, models.PROTECT, related_name="+", null=True, db_index=False
    )
    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="+", null=True, db_index=False)
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", null=True, db_index=False)
    rate_table = models.ForeignKey(
        RateTable, models.PROTECT, related_name="+", null=True, db_index=False
    )
    prefixes = models.CharField(max_length=1000, blank=True)
    suspense_reason = models.CharField(max_length=20, choices=SuspenseReason.choices, blank=True)
    ordered_customer_ids = ArrayField(models.BigIntegerField(), default=list)
    state = models.CharField(max_length=14, choices=State.choices, default=State.PLANNING)
    queued_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )
    measuring_since = models.DateTimeField(null=True)
    measured_at = models.DateTimeField(null=True)
    applying_since = models.DateTimeField(null=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(started_to__gt=models.F("started_from")),
                name="rerating_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["provider"],
                condition=models.Q(state="APPLYING"),
                name="rerating_applied_one_by_one",
            ),
        ]

    def __str__(self) -> str:
        return f"Re-rating {self.pk}"


class ReratingSlice(Tried, ProviderOwned):
    """The chosen xDRs of a stretch of time, rated again and committed in one transaction.

    With `customer_ids` it is all of these customers' in whole months, else of all other customers.
    The counters are those of the dry run; a leg counts once, as changed, added, removed, put into
    suspense or released from it. `fingerprint` is of all that would change: what is applied must
    have the same. Of the xDRs that started at `started_from` it leaves those before `from_id` out,
    and of those that started at `started_to` it has those before `to_id`; mostly both are 0.
    `tiered_xdr_count` is of those at tiers whose month cannot be made right, since a part of it
    that was priced among them cannot be rated again. `queued_at` is when a worker was last asked
    for it.
    """

    class State(models.TextChoices):
        WAITING = "WAITING"
        MEASURED = "MEASURED"
        AGREED = "AGREED"
        APPLIED = "APPLIED"
        OUTDATED = "OUTDATED"

    rerating = models.ForeignKey(Rerating, on_delete=models.PROTECT, related_name="slices")
    number = models.PositiveIntegerField()
    started_from = models.DateTimeField()
    started_to = models.DateTimeField()
    customer_ids = ArrayField(models.BigIntegerField(), default=list)
    from_id = models.BigIntegerField(default=0)
    to_id = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    has_changes = models.BooleanField(default=False)
    fingerprint = models.CharField(max_length=64, blank=True)
    xdr_count = models.PositiveIntegerField()
    changed_xdr_count = models.PositiveIntegerField(default=0)
    changed_leg_count = models.PositiveIntegerField(default=0)
    added_leg_count = models.PositiveIntegerField(default=0)
    removed_leg_count = models.PositiveIntegerField(default=0)
    suspended_leg_count = models.PositiveIntegerField(default=0)
    released_leg_count = models.PositiveIntegerField(default=0)
    tiered_xdr_count = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rerating", "number"], name="rerating_slice_number_unique"
            ),
        ]


class ReratingMove(ProviderOwned):
    """An xDR that a re-rating gives to a customer whose usage it rates again in order.

    It is rated with that customer's months, and not where it was. One that is not `is_planned` was
    found while the others were measured: the re-rating is cut into slices once more.
    """

    rerating = models.ForeignKey(Rerating, on_delete=models.PROTECT, related_name="moves")
    started_at = models.DateTimeField()
    xdr_id = models.BigIntegerField()
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    is_planned = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rerating", "started_at", "xdr_id"], name="rerating_move_once"
            ),
        ]


class ReratingDelta(ProviderOwned):
    """What a re-rating changes for a payer in a currency, and how much of it was applied.

    `before_amount` and `after_amount` are of the legs that change, not of all the payer has.
    """

    rerating = models.ForeignKey(Rerating, on_delete=models.PROTECT, related_name="deltas")
    kind = models.SmallIntegerField(choices=LegKind.choices)
    payer_kind = models.SmallIntegerField(choices=PartyKind.choices)
    payer_id = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    leg_count = models.BigIntegerField()
    before_amount = models.DecimalField(max_digits=24, decimal_places=8)
    after_amount = models.DecimalField(max_digits=24, decimal_places=8)
    delta_amount = models.DecimalField(max_digits=24, decimal_places=8)
    applied_amount = models.DecimalField(max_digits=24, decimal_places=8, default=Decimal(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rerating", "kind", "payer_kind", "payer_id", "currency"],
                name="rerating_delta_once",
            ),
        ]
        indexes = [
            models.Index(fields=["rerating", "delta_amount", "id"], name="rerating_by_delta"),
            models.Index(fields=["rerating", "leg_count", "id"], name="rerating_by_legs"),
        ]


class ReplacedLeg(InCharge):
    """A leg as it was until a re-rating changed it or took it away; partitioned like the legs.

    Written once, never edited.
    """

    pk = models.CompositePrimaryKey("provider_id", "started_at", "xdr_id", "number", "rerating_id")
    rerating = models.ForeignKey(
        Rerating, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
