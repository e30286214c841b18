"""Documents as they were printed."""

import hashlib
from datetime import datetime

from django.db import models

from billing.models.credit_notes import CreditNote
from billing.models.invoices import Invoice
from common.tries import UNTRIED, Tried
from tenancy.owned import ProviderOwned


class KeptDocument(Tried, ProviderOwned):
    """A PDF as rendered once and sent unchanged ever after.

    The row is there before the PDF: it waits for a worker, and counts its tries. One that FAILED
    was given up; it can be started again. Once it is DONE, the database refuses every change.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "To be made"
        DONE = "DONE", "Made"
        FAILED = "FAILED", "Could not be made"

    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    sha256 = models.CharField(max_length=64, blank=True)
    content = models.BinaryField(null=True)
    rendered_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="DONE", content__isnull=False, rendered_at__isnull=False)
                | ~models.Q(state="DONE")
                & models.Q(content__isnull=True, rendered_at__isnull=True, sha256=""),
                name="%(app_label)s_%(class)s_is_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider", "state"],
                condition=models.Q(state__in=["WAITING", "FAILED"]),
                name="%(app_label)s_%(class)s_open",
            ),
        ]

    @property
    def pdf(self) -> bytes:
        """The PDF of one that is DONE."""
        assert self.content is not None, "it is not made yet"
        return bytes(self.content)

    def mark_done(self, content: bytes, at: datetime) -> None:
        """It is rendered, and will be sent like this for ever."""
        self.state, self.content, self.rendered_at = self.State.DONE, content, at
        self.sha256 = hashlib.sha256(content).hexdigest()
        for name, value in UNTRIED.items():
            setattr(self, name, value)


class Document(KeptDocument):
    """The PDF of an invoice or of a credit note."""

    invoice = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, null=True, related_name="document"
    )
    credit_note = models.OneToOneField(
        CreditNote, on_delete=models.PROTECT, null=True, related_name="document"
    )

    class Meta(KeptDocument.Meta):
        constraints = [
            *KeptDocument.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(invoice__isnull=False, credit_note__isnull=True)
                | models.Q(invoice__isnull=True, credit_note__isnull=False),
                name="document_of_one_thing",
            ),
        ]
