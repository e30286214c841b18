"""Sums of legs, which invoices and reports read."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from catalogue.models import Product
from cdr.models.files import XdrChunk
from cdr.models.parties import LegKind, PartyKind
from cdr.models.rerating import Rerating
from tenancy.models import Provider
from tenancy.owned import ProviderOwned


class UsageCharge(ProviderOwned):
    """Legs of one batch summed per payer, payee, product, day and destination.

    The batch is a chunk, or a re-rating: what that changes is reversed by negative sums and charged
    anew. `day` is in the provider's zone. `customer_reseller` is the tag of the originating
    customer. `included_volume` is what allowances covered of `volume`. Written once with the
    legs, or later with the leg that suspense released; never edited. Batch and product are checked
    by a trigger, once for all rows of a statement, and are the provider's.
    """

    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    chunk = models.ForeignKey(
        XdrChunk,
        on_delete=models.PROTECT,
        related_name="usage_charges",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    rerating = models.ForeignKey(
        Rerating,
        on_delete=models.PROTECT,
        related_name="usage_charges",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    kind = models.SmallIntegerField(choices=LegKind.choices)
    payer_kind = models.SmallIntegerField(choices=PartyKind.choices)
    payer_id = models.BigIntegerField()
    payee_kind = models.SmallIntegerField(choices=PartyKind.choices)
    payee_id = models.BigIntegerField()
    customer_reseller_id = models.BigIntegerField(null=True)
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    day = models.DateField()
    destination = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    call_count = models.BigIntegerField()
    volume = models.BigIntegerField()
    billed_volume = models.BigIntegerField()
    included_volume = models.BigIntegerField(db_default=0, default=0)
    amount = models.DecimalField(max_digits=24, decimal_places=8)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(chunk__isnull=True, rerating__isnull=False)
                | models.Q(chunk__isnull=False, rerating__isnull=True),
                name="usage_charge_of_one_batch",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider", "payer_kind", "payer_id", "day"], name="usage_charge_payer"
            ),
            models.Index(fields=["provider", "kind", "day"], name="usage_charge_day"),
            # Rows are as good as sorted by it, which costs the import nothing.
            BrinIndex(
                fields=["created_at", "chunk"], name="usage_charge_created", autosummarize=True
            ),
        ]
