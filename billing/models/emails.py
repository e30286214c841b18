"""Invoices on their way to customers."""

from datetime import datetime

from django.conf import settings
from django.db import models

from billing.models.invoices import Invoice
from common.tries import Tried
from tenancy.owned import ProviderOwned


class InvoiceEmail(Tried, ProviderOwned):
    """One sending of an invoice's PDF to its customer, as somebody asked for it."""

    class State(models.TextChoices):
        QUEUED = "QUEUED"
        SENT = "SENT"
        FAILED = "FAILED"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="emails")
    recipient = models.EmailField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="SENT", sent_at__isnull=False)
                | ~models.Q(state="SENT") & models.Q(sent_at__isnull=True),
                name="email_sent_at_some_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider", "state"],
                condition=models.Q(state="FAILED"),
                name="invoice_email_failed",
            ),
        ]

    def mark_sent(self, at: datetime) -> None:
        """The mail server has taken it."""
        assert self.state == self.State.QUEUED
        self.state = self.State.SENT
        self.sent_at = at

    def mark_failed(self, error: str) -> None:
        """The mail server refused it or could not be reached, or it was given up."""
        assert self.state == self.State.QUEUED
        self.state = self.State.FAILED
        self.error = error[:300]
