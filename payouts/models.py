"""What resellers earn, and the statements that settle it offline."""

from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.contrib.postgres.fields.ranges import DateRangeField
from django.db import models
from django.db.models.functions import Cast, Coalesce

from billing.models import CreditNote, Invoice, KeptDocument
from common.periods import Period
from customers.models import Customer
from ledger.models import Transfer
from payments.models import Allocation
from resellers.models import Reseller
from resellers.rules.openings import COMMISSION
from tenancy.owned import ProviderOwned


class DateRange(models.Func):
    """PostgreSQL's `daterange` constructor."""

    function = "DATERANGE"
    output_field = DateRangeField()


class CommissionPlan(ProviderOwned):
    """The percent a reseller earns and on what, between two dates; closed periods never change."""

    class Base(models.TextChoices):
        INVOICED_NET = "INVOICED_NET", "Invoiced net"
        COLLECTED_NET = "COLLECTED_NET", "Collected net"

    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, related_name="commission_plans"
    )
    base = models.CharField(max_length=13, choices=Base.choices)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__gte=0, percent__lte=100),
                name="commission_percent_0_to_100",
            ),
            ExclusionConstraint(
                name="one_commission_plan_at_a_time",
                expressions=[
                    ("reseller", RangeOperators.EQUAL),
                    (
                        DateRange(
                            "valid_from",
                            Coalesce(
                                "valid_to", Cast(models.Value("infinity"), models.DateField())
                            ),
                            RangeBoundary(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent.normalize():f} % of {self.get_base_display().lower()}"


class PayoutStatement(ProviderOwned):
    """What one reseller is owed for a period in one currency; settled offline.

    `clawed_back_amount` is zero or negative; closing = opening + accrued + clawed back - settled
    before. It is settled whole, as `closing_amount`. Fixed by the database from approval on.
    """

    seen_by_reseller = ("reseller_id",)
    opened_by = COMMISSION

    class State(models.TextChoices):
        DRAFT = "DRAFT"
        APPROVED = "APPROVED"
        SETTLED = "SETTLED"

    class Mode(models.TextChoices):
        BANK_TRANSFER = "BANK_TRANSFER", "Bank transfer"
        CHEQUE = "CHEQUE"
        CASH = "CASH"
        OTHER = "OTHER"

    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="statements")
    number = models.CharField(max_length=60, blank=True)
    period_from = models.DateField()
    period_to = models.DateField()
    currency = models.CharField(max_length=3)
    opening_amount = models.DecimalField(max_digits=20, decimal_places=4)
    accrued_amount = models.DecimalField(max_digits=20, decimal_places=4)
    clawed_back_amount = models.DecimalField(max_digits=20, decimal_places=4)
    settled_before_amount = models.DecimalField(max_digits=20, decimal_places=4)
    closing_amount = models.DecimalField(max_digits=20, decimal_places=4)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    created_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    settled_date = models.DateField(null=True)
    settlement_mode = models.CharField(max_length=13, choices=Mode.choices, blank=True)
    settlement_reference = models.CharField(max_length=100, blank=True)
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    closing_amount=models.F("opening_amount")
                    + models.F("accrued_amount")
                    + models.F("clawed_back_amount")
                    - models.F("settled_before_amount")
                ),
                name="statement_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(state="DRAFT", number="", approved_at__isnull=True)
                | ~models.Q(state="DRAFT")
                & ~models.Q(number="")
                & models.Q(approved_at__isnull=False),
                name="statement_numbered_on_approval",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state="SETTLED",
                    transfer__isnull=False,
                    settled_date__isnull=False,
                    closing_amount__gt=0,
                )
                | ~models.Q(state="SETTLED")
                & models.Q(transfer__isnull=True, settled_date__isnull=True),
                name="statement_settled_by_transfer",
            ),
            models.UniqueConstraint(
                fields=["provider", "number"],
                condition=~models.Q(number=""),
                name="statement_number_unique",
            ),
            ExclusionConstraint(
                name="statements_never_overlap",
                expressions=[
                    ("reseller", RangeOperators.EQUAL),
                    ("currency", RangeOperators.EQUAL),
                    (
                        DateRange("period_from", "period_to", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"draft {self.pk}"

    @property
    def settled_amount(self) -> Decimal:
        """What has been paid of it: all or nothing."""
        return self.closing_amount if self.state == self.State.SETTLED else Decimal(0)

    @property
    def period(self) -> Period:
        """The days the statement is about; what came too late for an earlier one is on it too."""
        return Period(self.period_from, self.period_to)

    def mark_approved(self, *, number: str, at: datetime, actor_id: int | None) -> None:
        """Its figures are agreed; from now on they are fixed."""
        assert self.state == self.State.DRAFT
        self.state = self.State.APPROVED
        self.number = number
        self.approved_at = at
        self.approved_by_id = actor_id

    def mark_settled(
        self,
        *,
        transfer: Transfer,
        settled_date: date,
        mode: "PayoutStatement.Mode",
        reference: str,
    ) -> None:
        """The reseller has been paid what it closed with."""
        assert self.state == self.State.APPROVED
        self.state = self.State.SETTLED
        self.transfer = transfer
        self.settled_date = settled_date
        self.settlement_mode = mode
        self.settlement_reference = reference


class Accrual(ProviderOwned):
    """Commission earned (positive) or clawed back (negative) by one event, posted to the ledger.

    Exactly one of `invoice` issued, `allocation` made, `allocation` undone or `credit_note` is the
    event; `event_key` (`allocation:17`) names it so that each accrues once. `base_amount` is net of
    tax; both amounts are rounded to the currency. Fixed by the database, but for the draft
    statement it is on.
    """

    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="accruals")
    plan = models.ForeignKey(CommissionPlan, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="accruals")
    allocation = models.ForeignKey(
        Allocation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    credit_note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, null=True, related_name="+"
    )
    event_key = models.CharField(max_length=60)
    base_amount = models.DecimalField(max_digits=20, decimal_places=4)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3)
    event_date = models.DateField()
    accrued_at = models.DateTimeField()
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, null=True, related_name="+")
    statement = models.ForeignKey(
        PayoutStatement, on_delete=models.SET_NULL, null=True, related_name="accruals"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_key"], name="accrued_once"),
            models.CheckConstraint(
                condition=models.Q(amount=0, transfer__isnull=True)
                | ~models.Q(amount=0) & models.Q(transfer__isnull=False),
                name="accrual_is_posted",
            ),
        ]
        indexes = [models.Index(fields=["provider", "event_date"], name="accrual_event_date")]

    def __str__(self) -> str:
        return self.event_key


class StatementDocument(KeptDocument):
    """The PDF of an approved statement."""

    seen_by_reseller = ("statement__reseller_id",)
    opened_by = COMMISSION

    statement = models.OneToOneField(
        PayoutStatement, on_delete=models.PROTECT, related_name="document"
    )
