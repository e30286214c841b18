"""Money in: payments, what they settle, their reversal, and what gateways tell us."""

from datetime import date, datetime

from django.conf import settings
from django.db import models

from billing.models import Invoice, KeptDocument
from customers.models import Customer
from ledger.models import Transfer
from tenancy.owned import ProviderOwned


class Payment(ProviderOwned):
    """Money a customer pays, by a gateway or offline; never edited or deleted, only reversed."""

    seen_by_customer = "customer_id"

    class Way(models.TextChoices):
        INVOICE = "INVOICE"
        BULK = "BULK"
        OFFLINE = "OFFLINE"

    class Mode(models.TextChoices):
        GATEWAY = "GATEWAY"
        CASH = "CASH"
        CHEQUE = "CHEQUE"
        BANK_TRANSFER = "BANK_TRANSFER", "Bank transfer"
        CARD_TERMINAL = "CARD_TERMINAL", "Card terminal"
        OTHER = "OTHER"

    class State(models.TextChoices):
        PENDING = "PENDING"
        SUCCEEDED = "SUCCEEDED"
        FAILED = "FAILED"
        EXPIRED = "EXPIRED"
        REVERSED = "REVERSED"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payments")
    way = models.CharField(max_length=7, choices=Way.choices)
    mode = models.CharField(max_length=13, choices=Mode.choices)
    gateway = models.CharField(max_length=20, blank=True)
    order_number = models.CharField(max_length=40)
    gateway_reference = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    state = models.CharField(max_length=9, choices=State.choices)
    reference = models.CharField(max_length=100, blank=True)
    narration = models.CharField(max_length=300, blank=True)
    transaction_date = models.DateField()
    posting_date = models.DateField(null=True)
    receipt_number = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    succeeded_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="payment_amount_positive"
            ),
            models.UniqueConstraint(
                fields=["provider", "order_number"], name="payment_order_number_unique"
            ),
            models.UniqueConstraint(
                fields=["provider", "gateway", "gateway_reference"],
                condition=~models.Q(gateway_reference=""),
                name="payment_gateway_reference_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(mode="GATEWAY") & ~models.Q(gateway="")
                | ~models.Q(mode="GATEWAY") & models.Q(gateway=""),
                name="payment_by_gateway_names_it",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["PENDING", "FAILED", "EXPIRED"])
                | models.Q(succeeded_at__isnull=False, posting_date__isnull=False)
                & ~models.Q(receipt_number=""),
                name="payment_received_has_receipt",
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "customer", "created_at"], name="payment_customer"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(state="PENDING"),
                name="payment_pending",
            ),
        ]

    def __str__(self) -> str:
        return self.order_number

    def mark_succeeded(self, *, receipt_number: str, posting_date: date, at: datetime) -> None:
        """The money is there. A gateway may say so after it, or we, had given the payment up."""
        assert self.state in UNPAID, f"a payment that is {self.state} cannot succeed"
        self.state = self.State.SUCCEEDED
        self.receipt_number = receipt_number
        self.posting_date = posting_date
        self.succeeded_at = at
        self.failure = ""

    def mark_failed(self, failure: str) -> None:
        """The gateway refused it, `failure` says why."""
        assert self.state == self.State.PENDING
        self.state = self.State.FAILED
        self.failure = failure[:200]

    def mark_expired(self) -> None:
        """Nobody paid in time."""
        assert self.state == self.State.PENDING
        self.state = self.State.EXPIRED

    def mark_reversed(self) -> None:
        """Its contra entry is booked."""
        assert self.state == self.State.SUCCEEDED
        self.state = self.State.REVERSED


UNPAID = (Payment.State.PENDING, Payment.State.FAILED, Payment.State.EXPIRED)


class PlannedAllocation(ProviderOwned):
    """How the payer wants a payment spread over invoices, kept until the money is there."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="planned")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=20, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="planned_once_per_invoice"),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="planned_amount_positive"
            ),
        ]


class Allocation(ProviderOwned):
    """What part of a payment (or of credited advance, without one) settles an invoice."""

    seen_by_customer = "invoice__customer_id"

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="allocations"
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    allocated_at = models.DateTimeField()
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="allocation_amount_positive"
            ),
        ]


class Reversal(ProviderOwned):
    """The contra entry that undoes a payment and all its allocations; once per payment."""

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="reversal")
    reason = models.CharField(max_length=300)
    reversed_at = models.DateTimeField()
    reversed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )


class WebhookEvent(ProviderOwned):
    """A gateway's message as received, kept before it is understood; once per event id."""

    class State(models.TextChoices):
        RECEIVED = "RECEIVED"
        APPLIED = "APPLIED"
        IGNORED = "IGNORED"
        REFUSED = "REFUSED"

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=100)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    outcome = models.CharField(max_length=300, blank=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "gateway", "event_id"], name="webhook_event_once"
            ),
        ]
        indexes = [models.Index(fields=["state", "received_at"], name="webhook_waiting")]


class ReceiptDocument(KeptDocument):
    """The PDF of a payment's receipt."""

    seen_by_customer = "payment__customer_id"

    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, related_name="receipt_document"
    )


class SandboxCheckout(ProviderOwned):
    """An order as the sandbox gateway, which plays another company, keeps it on its own side.

    `settles_at` is when a delayed card's money arrives: until then the checkout is processing.
    """

    class State(models.TextChoices):
        OPEN = "OPEN"
        CHALLENGED = "CHALLENGED"
        SUCCEEDED = "SUCCEEDED"
        FAILED = "FAILED"

    reference = models.CharField(max_length=40)
    order_number = models.CharField(max_length=40)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3)
    return_url = models.URLField(max_length=300)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    failure = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    settles_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="sandbox_reference_unique"),
        ]
