"""What a reseller in billing mode pays itself: its usage by month, and its settlement invoices."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localdate

from billing.documents.kept import invoice_pdf
from billing.models import Invoice
from billing.selectors.invoices import invoice_by_id, invoices
from cdr.selectors.own_usage import OwnUsage, own_usage
from common import clock
from common.csv_files import Cell
from common.money import ZERO
from common.periods import Period, PeriodNotUnderstood, month, parse_month
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.documents import pdf_response
from web.shared.exports import csv_response
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, DateColumn, LinkColumn, MoneyColumn, Table
from web.shared.writing import money_html, plain_number

NEEDS = "wholesale.read"
COLUMNS = (
    "Day",
    "Product",
    "Destination",
    "Calls",
    "Billed volume",
    "Unit",
    "Amount",
    "Amount currency",
)
_SHOWN_STATES = [
    (value, label) for value, label in Invoice.State.choices if value != Invoice.State.ESTIMATE
]


@page_of(Surface.RESELLER_PORTAL, NEEDS)
def usage(request: SurfaceRequest) -> HttpResponse:
    """The own legs of the month that the address asks for, or of this one."""
    this_month = _month_of(localdate(clock.now()))
    period = _asked(request.GET.get("month", ""), this_month)
    rows = own_usage(request.scope, period)
    if request.GET.get("format") == "csv":
        cells: list[list[Cell]] = [
            [
                row.day,
                row.product_name,
                row.destination,
                row.call_count,
                row.billed_volume,
                row.volume_unit,
                row.amount,
                row.currency,
            ]
            for row in rows
        ]
        return csv_response(f"usage-{period.from_date:%Y-%m}", COLUMNS, cells)
    context = {
        "title": f"Usage in {period.from_date:%B %Y}",
        "month": f"{period.from_date:%Y-%m}",
        "totals": _totals(rows),
        "day_headings": ["Day", "Calls", "Amount"],
        "destination_headings": ["Destination, product", "Calls", "Amount"],
        "by_day": _summed(rows, lambda row: date_format(row.day, "DATE_FORMAT")),
        "by_destination": _summed(rows, lambda row: f"{row.destination}, {row.product_name}"),
        "actions": _neighbours(period, this_month),
    }
    return render(request, "reseller_portal/wholesale/usage.html", context)


def _month_of(day: date) -> Period:
    return month(day.year, day.month)


def _asked(text: str, this_month: Period) -> Period:
    try:
        return parse_month(text) if text else this_month
    except PeriodNotUnderstood as fault:
        raise Http404 from fault


def _neighbours(period: Period, this_month: Period) -> list[Action]:
    """Ways to the month before, and to the one after where it has begun."""
    url = reverse("reseller_portal_usage")
    before = _month_of(period.from_date - timedelta(days=1))
    actions = [Action("Month before", f"{url}?month={before.from_date:%Y-%m}", "chevron-left")]
    if period < this_month:
        after = _month_of(period.to_date)
        actions.append(Action("Month after", f"{url}?month={after.from_date:%Y-%m}"))
    return actions


def _totals(rows: Sequence[OwnUsage]) -> list[tuple[str, int, Decimal]]:
    """Currency, calls and amount, never adding currencies."""
    return [
        (
            currency,
            sum(row.call_count for row in rows if row.currency == currency),
            sum((row.amount for row in rows if row.currency == currency), ZERO),
        )
        for currency in sorted({row.currency for row in rows})
    ]


def _summed(rows: Sequence[OwnUsage], label_of: Callable[[OwnUsage], str]) -> list[list[str]]:
    """Calls and amount for each label and currency, as they come first."""
    groups: dict[tuple[str, str], list[OwnUsage]] = {}
    for row in rows:
        groups.setdefault((label_of(row), row.currency), []).append(row)
    return [
        [
            label,
            plain_number(sum(row.call_count for row in group)),
            money_html(sum((row.amount for row in group), ZERO), currency),
        ]
        for (label, currency), group in groups.items()
    ]


class SettlementTable(Table):
    number = LinkColumn("Number (PDF)")
    seller = Column("Billed by", accessor="seller__name")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    issue_date = DateColumn("Issued", orderable=True, order_by=("issue_date", "pk"))
    due_date = DateColumn("Due")
    net_amount = MoneyColumn("Net")
    tax_amount = MoneyColumn("Tax")
    gross_amount = MoneyColumn("Gross")
    due_amount = MoneyColumn("Left to pay")


class SettlementFilters(Filters):
    searches = ("number__icontains",)
    search_hint = "Number"

    state = choice_filter("State", "state", _SHOWN_STATES)
    since = since_filter("Issued since", "issue_date")
    until = until_filter("Issued until", "issue_date")


@page_of(Surface.RESELLER_PORTAL, NEEDS)
def settlement_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Settlement invoices",
        lead="What you owe for the usage of your branch, as it was invoiced to you.",
        rows=invoices(request.scope),
        table=SettlementTable,
        filters=SettlementFilters,
        name="settlement-invoices",
        empty=Empty("No settlement invoices yet", "Each bill run adds those of its period."),
    )


@page_of(Surface.RESELLER_PORTAL, NEEDS)
def settlement_pdf(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    return pdf_response(request, str(invoice), invoice_pdf(request.scope, invoice_id))


urls = [
    path("usage/", usage, name="reseller_portal_usage"),
    path("invoices/", settlement_list, name="reseller_portal_settlement_invoices"),
    path("invoices/<int:invoice_id>/pdf/", settlement_pdf, name="reseller_portal_settlement_pdf"),
]
