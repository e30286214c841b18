"""Customers that resellers brought, and those of them who left."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, DateField, OuterRef, Subquery, Value, When
from django.db.models.functions import Cast, TruncMonth

from billing.models import Invoice
from common.periods import Period, months
from common.scope import Scope
from customers.models import Customer
from resellers.models import ResellerCode
from tenancy.selectors import provider_zone

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

_EARLIER = date.min


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
    zone = provider_zone(scope)
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
    zone = provider_zone(scope)
    created = _counts(scope, "created_at", period, zone)
    invoiced = _counts(scope, "created_at", period, zone, invoices__issue_date__isnull=False)
    terminated = _counts(scope, "terminated_at", period, zone)
    rows = []
    for code in ResellerCode.objects.visible_to(scope).select_related("reseller"):
        there = created[code.pk, _EARLIER] - terminated[code.pk, _EARLIER]
        for part in months(period):
            key = (code.pk, part.from_date.replace(day=1))
            there += created[key] - terminated[key]
            if there or created[key] or terminated[key]:
                rows.append(
                    Acquisition(
                        month=f"{part.from_date:%Y-%m}",
                        reseller_number=code.reseller.number,
                        reseller=str(code.reseller),
                        code=str(code),
                        acquired_count=created[key],
                        invoiced_count=invoiced[key],
                        terminated_count=terminated[key],
                        customer_count=there,
                    )
                )
    return sorted(rows, key=lambda row: (row.month, row.reseller_number, row.code))


def _counts(
    scope: Scope, instant: str, period: Period, zone: ZoneInfo, **conditions: object
) -> Counter[tuple[int, date]]:
    """How many customers by code and the month of `instant`, all before the period at once."""
    begins, ends = period.instants(zone)
    earlier = When(**{f"{instant}__lt": begins}, then=Value(_EARLIER))
    month_of = Cast(TruncMonth(instant, tzinfo=zone), DateField())
    counted = (
        Customer.objects.visible_to(scope)
        .filter(**{f"{instant}__lt": ends}, reseller_code__isnull=False, **conditions)
        .annotate(month=Case(earlier, default=month_of, output_field=DateField()))
        .values_list("reseller_code_id", "month")
        .annotate(count=Count("pk", distinct=True))
        .order_by()
    )
    return Counter({(code_id, first): count for code_id, first, count in counted})
