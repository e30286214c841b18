"""Credit notes, the only correction of an issued invoice."""

from decimal import Decimal

from django.conf import settings
from django.db import models

from billing.models.invoices import Invoice, InvoiceLine, InvoiceTax
from customers.models import Customer
from resellers.models import Reseller
from tenancy.models import BillerEntity
from tenancy.owned import ProviderOwned


class CreditNote(ProviderOwned):
    """The only correction of an issued invoice; issued at once and immutable.

    `excess_amount` is the part of `gross_amount` for which nothing was due any more: it became the
    customer's advance, in the wallet. Numbers are unique per seller, like those of invoices.
    """

    seen_by_customer = "customer_id"
    seen_by_reseller = ("invoice__reseller_id", "issuing_reseller_id")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="credit_notes"
    )
    biller_entity = models.ForeignKey(BillerEntity, on_delete=models.PROTECT, related_name="+")
    issuing_reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, related_name="+"
    )
    number = models.CharField(max_length=60)
    reason = models.CharField(max_length=300)
    currency = models.CharField(max_length=3)
    issue_date = models.DateField()
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    net_amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_amount = models.DecimalField(max_digits=20, decimal_places=4)
    gross_amount = models.DecimalField(max_digits=20, decimal_places=4)
    excess_amount = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gross_amount=models.F("net_amount") + models.F("tax_amount")),
                name="credit_note_gross_is_net_plus_tax",
            ),
            models.CheckConstraint(
                condition=models.Q(gross_amount__gt=0), name="credit_note_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(net_amount__gte=0, tax_amount__gte=0, excess_amount__gte=0)
                & models.Q(excess_amount__lte=models.F("gross_amount")),
                name="credit_note_parts_not_negative",
            ),
            models.UniqueConstraint(
                fields=["biller_entity", "issuing_reseller", "number"],
                nulls_distinct=False,
                name="credit_note_number_unique",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider", "customer", "issue_date"], name="credit_note_customer"
            ),
            models.Index(fields=["provider", "issue_date", "id"], name="credit_note_latest"),
        ]

    def __str__(self) -> str:
        return self.number


class CreditNoteLine(ProviderOwned):
    """An invoice line taken back whole by a credit note, which can happen once."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    invoice_line = models.OneToOneField(
        InvoiceLine, on_delete=models.PROTECT, related_name="credited_by"
    )
    description = models.CharField(max_length=300)
    net_amount = models.DecimalField(max_digits=20, decimal_places=4)


class CreditNoteTax(ProviderOwned):
    """What a credit note takes back of one tax of its invoice."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="taxes")
    invoice_tax = models.ForeignKey(
        InvoiceTax, on_delete=models.PROTECT, related_name="credited_by"
    )
    tax_amount = models.DecimalField(max_digits=20, decimal_places=4)
