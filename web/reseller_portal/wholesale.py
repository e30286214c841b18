"""What a reseller in billing mode pays its parent for usage, month by month."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.formats import date_format

from cdr.selectors.own_usage import OwnUsage, own_usage
from common.csv_files import Cell
from common.money import ZERO
from common.periods import Period
from common.scope import Surface
from web.access import WHOLESALE, SurfaceRequest, page_of
from web.reseller_portal.months import asked_month, month_after, month_before, name_of
from web.shared.actions import Action
from web.shared.exports import csv_response
from web.shared.writing import money_html, plain_number

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


@page_of(Surface.RESELLER_PORTAL, WHOLESALE)
def usage(request: SurfaceRequest) -> HttpResponse:
    """The own legs of the month that the address asks for, or of this one."""
    period = asked_month(request.GET.get("month", ""))
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
        return csv_response(f"usage-{name_of(period)}", COLUMNS, cells)
    context = {
        "title": f"Usage in {period.from_date:%B %Y}",
        "month": name_of(period),
        "totals": _totals(rows),
        "day_headings": ["Day", "Calls", "Amount"],
        "destination_headings": ["Destination, product", "Calls", "Amount"],
        "by_day": _summed(rows, lambda row: date_format(row.day, "DATE_FORMAT")),
        "by_destination": _summed(rows, lambda row: f"{row.destination}, {row.product_name}"),
        "actions": _neighbours(period),
    }
    return render(request, "reseller_portal/wholesale/usage.html", context)


def _neighbours(period: Period) -> list[Action]:
    """Ways to the month before, and to the one after where it has begun."""
    url = reverse("reseller_portal_usage")
    before, after = month_before(period), month_after(period)
    actions = [Action("Month before", f"{url}?month={name_of(before)}", "chevron-left")]
    if after is not None:
        actions.append(Action("Month after", f"{url}?month={name_of(after)}"))
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


urls = [path("usage/", usage, name="reseller_portal_usage")]
