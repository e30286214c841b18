"""Double entry in the style of a transfer log: accounts, and transfers between them."""

from decimal import Decimal

from django.conf import settings
from django.db import models

from tenancy.owned import ProviderOwned


class AccountKind(models.TextChoices):
    """What an account holds, in the trade's words."""

    CUSTOMER_RECEIVABLE = "CUSTOMER_RECEIVABLE", "Customer receivable"
    CUSTOMER_WALLET = "CUSTOMER_WALLET", "Customer wallet"
    RESELLER_RECEIVABLE = "RESELLER_RECEIVABLE", "Reseller receivable"
    RESELLER_PAYABLE = "RESELLER_PAYABLE", "Reseller payable"
    VENDOR_PAYABLE = "VENDOR_PAYABLE", "Vendor payable"
    BANK = "BANK"
    GATEWAY_CLEARING = "GATEWAY_CLEARING", "Gateway clearing"
    REVENUE = "REVENUE"
    TAX = "TAX"
    COMMISSION_EXPENSE = "COMMISSION_EXPENSE", "Commission expense"
    BAD_DEBT = "BAD_DEBT", "Bad debt"
    WITHHOLDING_RECEIVABLE = "WITHHOLDING_RECEIVABLE", "Withholding receivable"


class TransferKind(models.TextChoices):
    """Why money moved."""

    INVOICE_NET = "INVOICE_NET", "Invoice net"
    INVOICE_TAX = "INVOICE_TAX", "Invoice tax"
    PAYMENT = "PAYMENT"
    ALLOCATION = "ALLOCATION"
    CREDIT_NOTE_NET = "CREDIT_NOTE_NET", "Credit note net"
    CREDIT_NOTE_TAX = "CREDIT_NOTE_TAX", "Credit note tax"
    CREDIT_EXCESS = "CREDIT_EXCESS", "Credit excess"
    WITHHOLDING = "WITHHOLDING"
    REVERSAL = "REVERSAL"
    REFUND = "REFUND"
    WRITE_OFF = "WRITE_OFF", "Write off"
    COMMISSION = "COMMISSION"
    COMMISSION_CLAWBACK = "COMMISSION_CLAWBACK", "Commission clawback"
    PAYOUT = "PAYOUT"
    SETTLEMENT_NET = "SETTLEMENT_NET", "Settlement net"
    SETTLEMENT_TAX = "SETTLEMENT_TAX", "Settlement tax"


class Account(ProviderOwned):
    """One pot of money in one currency.

    `owner` is the id of the customer, reseller or vendor, the gateway's name, or empty for the
    provider's own accounts. `balance` is debits minus credits, kept by the trigger that runs with
    each transfer; a wallet may never be overdrawn, which the database checks.
    """

    kind = models.CharField(max_length=24, choices=AccountKind.choices)
    owner = models.CharField(max_length=40, blank=True, default="")
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "owner", "currency"], name="account_unique"
            ),
            models.CheckConstraint(
                condition=~models.Q(kind=AccountKind.CUSTOMER_WALLET) | models.Q(balance__lte=0),
                name="wallet_never_overdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.owner} {self.currency}"


class Transfer(ProviderOwned):
    """One movement of a positive amount from the credited to the debited account; append-only."""

    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits")
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    kind = models.CharField(max_length=24, choices=TransferKind.choices)
    document = models.CharField(max_length=60)
    idempotency_key = models.CharField(max_length=120)
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="reversed_by"
    )
    effective_date = models.DateField()
    recorded_at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "idempotency_key"], name="transfer_once_per_key"
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="transfer_amount_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(debit=models.F("credit")), name="transfer_between_two_accounts"
            ),
        ]
        indexes = [models.Index(fields=["provider", "document"], name="transfer_document")]
