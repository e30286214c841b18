"""Bill runs and their parts, one a payer."""

from django.conf import settings
from django.db import models

from common.tries import Tried
from customers.models import Customer
from resellers.models import Reseller
from tenancy.owned import ProviderOwned


class BillRun(ProviderOwned):
    """One attempt to invoice a provider's customers (and resellers) for a period.

    A partial run is for chosen customers only; there may be any number of those. `started_at` is
    when the step began that it is in: calculating or issuing.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT"
        CALCULATING = "CALCULATING"
        REVIEW = "REVIEW"
        APPROVED = "APPROVED"
        ISSUING = "ISSUING"
        ISSUED = "ISSUED"
        FAILED = "FAILED"

    period_from = models.DateField()
    period_to = models.DateField()
    is_partial = models.BooleanField(default=False)
    state = models.CharField(max_length=11, choices=State.choices, default=State.DRAFT)
    started_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    issue_date = models.DateField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "period_from", "period_to"],
                condition=models.Q(is_partial=False),
                name="one_bill_run_per_period",
            ),
        ]


class BillRunItem(Tried, ProviderOwned):
    """One payer's part of a bill run: the unit of its fan-out, done in one transaction.

    Its estimates are approved or discarded together; what is discarded stays unbilled.
    """

    class State(models.TextChoices):
        WAITING = "WAITING"
        ESTIMATED = "ESTIMATED"
        APPROVED = "APPROVED"
        DISCARDED = "DISCARDED"
        EMPTY = "EMPTY"
        ISSUED = "ISSUED"
        FAILED = "FAILED"

    run = models.ForeignKey(BillRun, on_delete=models.PROTECT, related_name="items")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="+")
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "customer", "reseller"],
                nulls_distinct=False,
                name="one_item_per_payer",
            ),
            models.CheckConstraint(
                condition=models.Q(customer__isnull=False, reseller__isnull=True)
                | models.Q(customer__isnull=True, reseller__isnull=False),
                name="bill_run_item_has_one_payer",
            ),
        ]
