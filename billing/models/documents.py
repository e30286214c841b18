"""Documents as they were printed."""

from django.db import models

from billing.models.credit_notes import CreditNote
from billing.models.invoices import Invoice
from tenancy.owned import ProviderOwned


class Document(ProviderOwned):
    """A PDF as rendered once and sent unchanged ever after."""

    invoice = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, null=True, related_name="document"
    )
    credit_note = models.OneToOneField(
        CreditNote, on_delete=models.PROTECT, null=True, related_name="document"
    )
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    rendered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(invoice__isnull=False, credit_note__isnull=True)
                | models.Q(invoice__isnull=True, credit_note__isnull=False),
                name="document_of_one_thing",
            ),
        ]
