"""Customers that resellers brought, and those of them who left."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import TruncMonth

from billing.models import Invoice
from common.periods import Period, month
from common.scope import Scope
from customers.models import Customer
from resellers.models import ResellerCode
from tenancy.models import Provider

ACQUIRED_CUSTOMERS = (
    "customers created in the month, in the provider's time zone, who carry a reseller's tag;"
    " first invoice = the earliest one issued to them so far."
)
ACQUISITION = (
    "acquired = customers created in the month with the code; invoiced = those of them who have"
    " been issued an invoice by now; terminated = customers with the code, whenever acquired, who"
    " were terminated in the month (churn); customers = those with the code who were not terminated"
    " by the end of the month."
)


@dataclass(frozen=True)
class AcquiredCustomer:
    """A customer brought by a reseller; dates in the provider's time zone."""

    month: str
    customer_number: int
    customer: str
    reseller_number: int
    reseller: str
    code: str
    channel: str
    created_date: date
    state: str
    first_invoice: str
    first_invoice_date: date | None


@dataclass(frozen=True)
class Acquisition:
    """What one reseller code brought in a month, and how many left."""

    month: str
    reseller_number: int
    reseller: str
    code: str
    acquired_count: int
    invoiced_count: int
    terminated_count: int
    customer_count: int


def acquired_customers(scope: Scope, period: Period) -> list[AcquiredCustomer]:
    """The tagged customers created in the period, oldest first."""
    zone = _zone(scope)
    created_from, created_to = period.instants(zone)
    first = Invoice.objects.filter(customer=OuterRef("pk"), issue_date__isnull=False)
    first = first.order_by("issue_date", "pk")
    customers = (
        Customer.objects.visible_to(scope)
        .filter(reseller__isnull=False, created_at__gte=created_from, created_at__lt=created_to)
        .select_related("reseller", "reseller_code")
        .annotate(
            first_number=Subquery(first.values("number")[:1]),
            first_date=Subquery(first.values("issue_date")[:1]),
        )
        .order_by("created_at", "number", "pk")
    )
    return [
        AcquiredCustomer(
            month=f"{customer.created_at.astimezone(zone):%Y-%m}",
            customer_number=customer.number,
            customer=customer.name,
            reseller_number=customer.reseller.number if customer.reseller else 0,
            reseller=str(customer.reseller),
            code=str(customer.reseller_code),
            channel=customer.get_channel_display(),
            created_date=customer.created_at.astimezone(zone).date(),
            state=customer.get_state_display(),
            first_invoice=customer.first_number or "",
            first_invoice_date=customer.first_date,
        )
        for customer in customers
    ]


def acquisition(scope: Scope, period: Period) -> list[Acquisition]:
    """Counts by month and code, where anybody has come or gone or is there."""
    zone = _zone(scope)
    codes = ResellerCode.objects.visible_to(scope).select_related("reseller")
    created = _counts(scope, "created_at", zone)
    invoiced = _counts(scope, "created_at", zone, invoices__issue_date__isnull=False)
    terminated = _counts(scope, "terminated_at", zone)
    rows = []
    first = period.from_date
    while first < period.to_date:
        following = month(first.year, first.month).to_date
        for code in codes.order_by("reseller__number", "code", "pk"):
            key = (code.pk, first)
            there = _before(created, code, following) - _before(terminated, code, following)
            if there or created[key] or terminated[key]:
                rows.append(
                    Acquisition(
                        month=f"{first:%Y-%m}",
                        reseller_number=code.reseller.number,
                        reseller=str(code.reseller),
                        code=str(code),
                        acquired_count=created[key],
                        invoiced_count=invoiced[key],
                        terminated_count=terminated[key],
                        customer_count=there,
                    )
                )
        first = following
    return rows


def _zone(scope: Scope) -> ZoneInfo:
    return ZoneInfo(Provider.objects.get(pk=scope.provider_id).time_zone)


def _counts(
    scope: Scope, instant: str, zone: ZoneInfo, **conditions: object
) -> Counter[tuple[int, date]]:
    """How many customers by code and the month of `instant`."""
    counted = (
        Customer.objects.visible_to(scope)
        .filter(Q(**{f"{instant}__isnull": False}), reseller_code__isnull=False, **conditions)
        .annotate(month=TruncMonth(instant, tzinfo=zone))
        .values_list("reseller_code_id", "month")
        .annotate(count=Count("pk", distinct=True))
        .order_by()
    )
    found: Counter[tuple[int, date]] = Counter()
    for code_id, first, count in counted:
        assert isinstance(first, datetime)
        found[code_id, first.date()] = count
    return found


def _before(counts: Counter[tuple[int, date]], code: ResellerCode, day: date) -> int:
    return sum(
        count for (code_id, first), count in counts.items() if code_id == code.pk and first < day
    )
