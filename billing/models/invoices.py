"""Invoices, which are estimates until they are issued, and what they hold."""

from decimal import Decimal

from django.db import models

from billing.models.runs import BillRunItem
from catalogue.models import Product
from cdr.models import UsageCharge
from common.money import Rounding
from customers.models import Customer
from resellers.models import Reseller
from subscriptions.models import Charge
from tenancy.models import BillerEntity, Provider
from tenancy.owned import ProviderOwned


class Invoice(ProviderOwned):
    """The demand, immutable once issued (database trigger); before that, an estimate.

    A customer's invoice is always the provider's: `biller_entity` is the seller and a check
    constraint refuses an issuing reseller. A settlement invoice asks a reseller in billing mode
    for its reseller legs, issued by its parent reseller, or by the provider where it has none.
    `settled_amount` and `credited_amount` are what allocations and credit notes took off `gross`;
    the part of a credit note beyond the due went to the wallet and is not in `credited_amount`.
    `tier_statements` say how tiers make up what it charges of metered products.
    `seller` and `buyer` copy names, addresses and tax numbers as they were when it was calculated;
    `tagged_reseller` copies the customer's tag on issue, for the sales reports.
    """

    seen_by_reseller = ("reseller_id", "issuing_reseller_id")
    seen_by_customer = "customer_id"

    class Kind(models.TextChoices):
        CUSTOMER = "CUSTOMER"
        SETTLEMENT = "SETTLEMENT"

    class State(models.TextChoices):
        ESTIMATE = "ESTIMATE"
        ISSUED = "ISSUED"
        PART_PAID = "PART_PAID", "Part paid"
        PAID = "PAID"
        CANCELLED = "CANCELLED"

    # The indexes below and the unique keys begin with these columns where a query needs one.
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CUSTOMER)
    biller_entity = models.ForeignKey(
        BillerEntity, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    issuing_reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="invoices", db_index=False
    )
    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, related_name="settlement_invoices"
    )
    tagged_reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    bill_run_item = models.ForeignKey(
        BillRunItem, on_delete=models.PROTECT, null=True, related_name="invoices"
    )
    number = models.CharField(max_length=60, null=True)  # noqa: DJ001 - an estimate has none
    state = models.CharField(max_length=9, choices=State.choices, default=State.ESTIMATE)
    currency = models.CharField(max_length=3)
    rounding = models.CharField(max_length=9, choices=[(r.value, r.value) for r in Rounding])
    period_from = models.DateField()
    period_to = models.DateField()
    issue_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    issued_at = models.DateTimeField(null=True)
    seller = models.JSONField()
    buyer = models.JSONField()
    net_amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_amount = models.DecimalField(max_digits=20, decimal_places=4)
    gross_amount = models.DecimalField(max_digits=20, decimal_places=4)
    tier_statements = models.JSONField(default=list, db_default=[])
    settled_amount = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))
    credited_amount = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gross_amount=models.F("net_amount") + models.F("tax_amount")),
                name="invoice_gross_is_net_plus_tax",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind="CUSTOMER",
                    customer__isnull=False,
                    reseller__isnull=True,
                    issuing_reseller__isnull=True,
                )
                | models.Q(kind="SETTLEMENT", customer__isnull=True, reseller__isnull=False),
                name="provider_is_the_biller",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ESTIMATE", number__isnull=True)
                | ~models.Q(state="ESTIMATE")
                & models.Q(number__isnull=False, issue_date__isnull=False, issued_at__isnull=False),
                name="invoice_numbered_on_issue",
            ),
            models.CheckConstraint(
                condition=models.Q(settled_amount__gte=0, credited_amount__gte=0)
                & models.Q(
                    gross_amount__gte=models.F("settled_amount") + models.F("credited_amount")
                ),
                name="invoice_never_oversettled",
            ),
            models.UniqueConstraint(
                fields=["biller_entity", "issuing_reseller", "number"],
                nulls_distinct=False,
                condition=models.Q(number__isnull=False),
                name="invoice_number_unique",
            ),
            models.UniqueConstraint(
                fields=["bill_run_item", "issuing_reseller", "currency"],
                nulls_distinct=False,
                condition=models.Q(bill_run_item__isnull=False),
                name="one_invoice_per_item_issuer_currency",
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "customer", "issue_date"], name="invoice_customer"),
            # To the row: bill runs issue tens of thousands on one day.
            models.Index(
                fields=["provider", "issue_date", "id"],
                condition=~models.Q(state="ESTIMATE"),
                name="invoice_latest",
            ),
            models.Index(
                fields=["provider", "period_from", "id"],
                condition=models.Q(state="ESTIMATE"),
                name="invoice_estimate",
            ),
            models.Index(
                fields=["provider", "due_date"],
                condition=models.Q(state__in=["ISSUED", "PART_PAID"]),
                name="invoice_open",
            ),
            models.Index(
                fields=["issuing_reseller"],
                condition=models.Q(issuing_reseller__isnull=False),
                name="invoice_issuing_reseller",
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"estimate {self.pk}"

    @property
    def due_amount(self) -> Decimal:
        """What is still to be paid."""
        return self.gross_amount - self.settled_amount - self.credited_amount


class InvoiceLine(ProviderOwned):
    """One line of an invoice, in the invoice's currency.

    A charge makes one line; usage makes one per product and destination, with its calls and its
    billed volume in `volume_unit`. `is_late` marks usage of days before the invoice's period.
    Names are copied as they were. Its rows are many: the provider-wide foreign keys of the
    migrations stand in for the plain ones.
    """

    class Group(models.TextChoices):
        RECURRING = "RECURRING"
        USAGE = "USAGE"
        ONE_TIME = "ONE_TIME", "One-time"

    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    invoice = models.ForeignKey(
        Invoice,
        on_delete=models.PROTECT,
        related_name="lines",
        db_constraint=False,
        db_index=False,  # the unique key on its positions serves
    )
    position = models.PositiveIntegerField()
    group = models.CharField(max_length=9, choices=Group.choices)
    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    product_name = models.CharField(max_length=200, blank=True)
    description = models.CharField(max_length=300)
    charge = models.OneToOneField(
        Charge,
        on_delete=models.PROTECT,
        null=True,
        related_name="invoice_line",
        db_constraint=False,
    )
    period_from = models.DateField(null=True)
    period_to = models.DateField(null=True)
    is_late = models.BooleanField(default=False)
    quantity = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    unit_price = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    call_count = models.BigIntegerField(null=True)
    billed_volume = models.BigIntegerField(null=True)
    included_volume = models.BigIntegerField(null=True)
    volume_unit = models.CharField(max_length=20, blank=True)
    net_amount = models.DecimalField(max_digits=20, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="line_position_unique"),
        ]


class InvoiceTax(ProviderOwned):
    """One tax of an invoice, as it was when issued."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="taxes")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    base_amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_amount = models.DecimalField(max_digits=20, decimal_places=4)


class BilledUsage(ProviderOwned):
    """Which invoice a usage charge went into; a usage charge is billed once.

    Rows are only ever written by `INSERT ... SELECT` from the provider's own usage charges, which
    are never deleted, so that the keys which only repeat this are left out: there are many rows.
    """

    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    usage_charge = models.OneToOneField(
        UsageCharge,
        on_delete=models.PROTECT,
        related_name="billed",
        primary_key=True,
        db_constraint=False,
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="billed_usage", db_constraint=False
    )
