"""How much each customer used in a month, without what it cost."""

from typing import Any

from django.http import HttpResponse
from django.urls import path, reverse

from cdr.selectors.usage_totals import customers_with_usage
from common.csv_files import Cell
from resellers.rules.openings import USAGE_TOTALS
from web.access import SurfaceRequest
from web.reseller_portal.months import asked_month, month_after, month_before, name_of
from web.reseller_portal.opened import opened_page
from web.shared.actions import Action
from web.shared.filters import Filters
from web.shared.lists import Empty, list_page
from web.shared.tables import NUMBER, Column, LinkColumn, NumberColumn, Table
from web.shared.writing import NONE, plain_number


class VolumeColumn(Column):
    """Volumes by the unit that they count, which are never added up."""

    def render(self, value: list[dict[str, Any]]) -> str:
        return ", ".join(self._words(value)) or NONE

    def export_cells(self, record: Any, value: list[dict[str, Any]]) -> list[Cell]:
        return [", ".join(f"{row['volume']} {row['unit']}" for row in value)]

    def _words(self, value: list[dict[str, Any]]) -> list[str]:
        return [f"{plain_number(row['volume'])} {row['unit']}" for row in value]


class UsageTable(Table):
    number = LinkColumn("Number", orderable=True)
    name = LinkColumn("Customer")
    call_count = NumberColumn("Calls")
    volumes = VolumeColumn("Volume", attrs=NUMBER)


class UsageFilters(Filters):
    searches = (
        "organisation__icontains",
        "first_name__icontains",
        "last_name__icontains",
        "number__startswith",
    )
    search_hint = "Name, organisation or number"


@opened_page(USAGE_TOTALS)
def usage_totals(request: SurfaceRequest, month: str = "") -> HttpResponse:
    """The customers with their sums of the month in the address, or of this one."""
    period = asked_month(month)
    neighbours = [("Month before", month_before(period)), ("Month after", month_after(period))]
    return list_page(
        request,
        title=f"Usage of customers in {period.from_date:%B %Y}",
        lead="How much your customers used. What it costs them is between them and"
        f" {request.provider}.",
        rows=customers_with_usage(request.scope, period),
        table=UsageTable,
        filters=UsageFilters,
        name=f"usage-of-customers-{name_of(period)}",
        actions=[
            Action(label, reverse("reseller_portal_usage_totals_of", args=[name_of(other)]))
            for label, other in neighbours
            if other is not None
        ],
        empty=Empty("No customers yet", "Who signs up with one of your codes appears here."),
    )


urls = [
    path("usage-totals/", usage_totals, name="reseller_portal_usage_totals"),
    path("usage-totals/<str:month>/", usage_totals, name="reseller_portal_usage_totals_of"),
]
