"""What customers are asked to pay: taxes, bill runs, invoices, credit notes and their documents."""

from decimal import Decimal

from django.conf import settings
from django.db import models

from catalogue.models import Product
from cdr.models import UsageCharge
from common.money import Rounding
from customers.models import Customer
from resellers.models import Reseller
from subscriptions.models import Charge
from tenancy.models import BillerEntity, Provider
from tenancy.owned import ProviderOwned


class TaxProfile(ProviderOwned):
    """An ordered list of percent taxes; the provider's default one applies to its customers."""

    name = models.CharField(max_length=100)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider"],
                condition=models.Q(is_default=True),
                name="one_default_tax_profile",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tax(ProviderOwned):
    """One percent tax; the same priority shares a base, a later one includes the earlier taxes."""

    profile = models.ForeignKey(TaxProfile, on_delete=models.CASCADE, related_name="taxes")
    name = models.CharField(max_length=60)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    priority = models.PositiveSmallIntegerField(default=1)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__gte=0, percent__lte=100), name="tax_percent_0_to_100"
            ),
        ]


class NumberSeries(ProviderOwned):
    """A gapless series of document numbers of one biller entity.

    `pattern` is a format string over `year` and `number`, e.g. `INV-{year}-{number:06}`. Numbers
    are taken under the row's lock in the transaction that issues the document.
    """

    class Kind(models.TextChoices):
        INVOICE = "INVOICE"
        SETTLEMENT = "SETTLEMENT"
        CREDIT_NOTE = "CREDIT_NOTE"
        RECEIPT = "RECEIPT"
        PAYOUT = "PAYOUT"

    biller_entity = models.ForeignKey(BillerEntity, on_delete=models.PROTECT, related_name="series")
    issuing_reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, related_name="+"
    )
    kind = models.CharField(max_length=11, choices=Kind.choices)
    pattern = models.CharField(max_length=60)
    next_number = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["biller_entity", "issuing_reseller", "kind"],
                nulls_distinct=False,
                name="one_series_per_kind",
            ),
        ]


class BillRun(ProviderOwned):
    """One attempt to invoice a provider's customers (and resellers) for a period."""

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
    state = models.CharField(max_length=11, choices=State.choices, default=State.DRAFT)
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
                fields=["provider", "period_from", "period_to"], name="one_bill_run_per_period"
            ),
        ]


class BillRunItem(ProviderOwned):
    """One payer's part of a bill run: the unit of its fan-out, done in one transaction."""

    class State(models.TextChoices):
        WAITING = "WAITING"
        ESTIMATED = "ESTIMATED"
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


class Invoice(ProviderOwned):
    """The demand, immutable once issued (database trigger); before that, an estimate.

    A customer's invoice is always the provider's: `biller_entity` is the seller and a check
    constraint refuses an issuing reseller. A settlement invoice asks a reseller in billing mode
    for its reseller legs, issued by its parent reseller, or by the provider where it has none.
    `settled_amount` and `credited_amount` are what allocations and credit notes took off `gross`;
    the part of a credit note beyond the due went to the wallet and is not in `credited_amount`.
    `seller` and `buyer` copy names, addresses and tax numbers as they were when it was calculated;
    `tagged_reseller` copies the customer's tag on issue, for the sales reports.
    """

    seen_by_reseller = "reseller_id"
    seen_by_customer = "customer_id"

    class Kind(models.TextChoices):
        CUSTOMER = "CUSTOMER"
        SETTLEMENT = "SETTLEMENT"

    class State(models.TextChoices):
        ESTIMATE = "ESTIMATE"
        ISSUED = "ISSUED"
        PART_PAID = "PART_PAID"
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
            models.Index(fields=["provider", "issue_date"], name="invoice_issue_date"),
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
        ONE_TIME = "ONE_TIME"

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


class CreditNote(ProviderOwned):
    """The only correction of an issued invoice; issued at once and immutable.

    `excess_amount` is the part of `gross_amount` for which nothing was due any more: it became the
    customer's advance, in the wallet. Numbers are unique per seller, like those of invoices.
    """

    seen_by_customer = "customer_id"
    seen_by_reseller = "invoice__reseller_id"

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
            models.Index(fields=["provider", "customer", "issue_date"], name="credit_note_customer")
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
