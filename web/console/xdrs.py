"""xDRs in the console: the list, and one with its legs and why each costs what it costs."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, register_converter
from django.utils.formats import date_format
from django.utils.timezone import localtime

from cdr.models import Source, Suspense, Xdr
from cdr.rules.xdr_keys import XDR_KEY, format_xdr_key, parse_xdr_key
from cdr.selectors import xdrs as selectors
from cdr.selectors.explaining import explained_legs
from cdr.selectors.reratings import former_legs
from cdr.selectors.retired_months import first_day_taken
from cdr.selectors.sources import sources
from cdr.selectors.suspense import corrections_of_xdr, suspense_of_xdr
from common.csv_files import Cell
from common.scope import Surface
from customers.selectors import customers
from web.access import SurfaceRequest, page_of
from web.shared.filters import Filters, choice_filter, row_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, LinkColumn, MoneyColumn, NumberColumn, Table


class XdrKey:
    """An xDR in an address: its start in microseconds, which finds the month, and its id."""

    regex = XDR_KEY

    def to_python(self, value: str) -> tuple[datetime, int]:
        return parse_xdr_key(value)

    def to_url(self, value: tuple[int, datetime, int]) -> str:
        """From the primary key; the provider is the one of who asks."""
        _, started_at, xdr_id = value
        return format_xdr_key(started_at, xdr_id)


register_converter(XdrKey, "xdr_key")


class StartColumn(LinkColumn):
    """When it started, to the second, leading to the xDR."""

    def render(self, record: Any, value: datetime, table: Any) -> Any:
        return super().render(record, date_format(localtime(value), "j M Y, H:i:s"), table)

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [localtime(value)]


class XdrTable(Table):
    started_at = StartColumn("Started", orderable=True, order_by=("started_at", "id"))
    customer = LinkColumn("Customer", to="customer")
    caller_number = Column("From")
    destination_number = Column("To")
    volume = NumberColumn("Volume")
    charge_amount = MoneyColumn("Customer pays", currency="charge_currency", is_exact=True)
    result = BadgeColumn("Result", accessor="get_result_display", value="get_result_display")
    vendor = Column("Vendor")
    # In files only: the screen is narrow, and the filter finds them.
    source = Column("Source", visible=False)
    call_id = Column("Call id", visible=False)
    tags = Column("Tags", visible=False)


def _sources(request: SurfaceRequest) -> QuerySet[Source]:
    return sources(request.scope)


class XdrFilters(Filters):
    since = since_filter("From day", "started_at", of_instants=True)
    until = until_filter("To day", "started_at", of_instants=True)
    customer = django_filters.NumberFilter(label="Customer number", method="of_customer")
    source = row_filter("Source", "source", _sources)
    result = choice_filter("Result", "result", Xdr.Result.choices)

    def of_customer(self, rows: QuerySet[Xdr], _: str, number: int) -> QuerySet[Xdr]:
        """By the customer's id, found first, so that the index on it answers."""
        found = customers(self.request.scope).filter(number=number).first()
        return rows.none() if found is None else rows.filter(customer_id=found.pk)


def _lead() -> str:
    lead = "Usage as received, the latest first."
    first_day = first_day_taken()
    if first_day is None:
        return lead
    return f"{lead} What started before {date_format(first_day)} (UTC) is kept in files."


@page_of(Surface.CONSOLE, "usage.read")
def xdr_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="xDRs",
        lead=_lead(),
        rows=selectors.with_charges(selectors.xdrs(request.scope)),
        table=XdrTable,
        filters=XdrFilters,
        name="xdrs",
        empty=Empty("No usage yet", "xDRs appear as soon as a file of them is rated."),
    )


@page_of(Surface.CONSOLE, "usage.read")
def xdr_detail(request: SurfaceRequest, xdr_key: tuple[datetime, int]) -> HttpResponse:
    started_at, xdr_id = xdr_key
    xdr = selectors.xdr(request.scope, started_at=started_at, xdr_id=xdr_id)
    if xdr.started_at != started_at:
        return redirect("console_xdr", xdr_key=xdr.pk)
    waiting: QuerySet[Suspense] = suspense_of_xdr(request.scope, xdr)
    context = {
        "xdr": xdr,
        "legs": explained_legs(request.scope, xdr),
        "former_legs": former_legs(request.scope, xdr),
        "waiting": waiting,
        "corrections": corrections_of_xdr(request.scope, xdr),
    }
    return render(request, "console/usage/xdr_detail.html", context)


urls = [
    path("usage/xdrs/", xdr_list, name="console_xdrs"),
    path("usage/xdrs/<xdr_key:xdr_key>/", xdr_detail, name="console_xdr"),
]
