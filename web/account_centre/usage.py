"""Usage in the account centre: a month's days and destinations, every call, what is unbilled."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from billing.selectors.unbilled import unbilled_lines
from cdr.models import Xdr
from cdr.selectors.allowances import allowances_of_month
from cdr.selectors.customer_usage import DayOfUsage, usage_by_day, usage_by_destination
from cdr.selectors.tier_totals import months_at_tiers
from cdr.selectors.xdrs import with_charges, xdrs
from common.money import ZERO
from common.scope import Scope, Surface
from payments.selectors.service_balance import first_unbilled_day
from web.access import SurfaceRequest, page_of
from web.account_centre.own import own_customer
from web.shared.actions import Tab
from web.shared.allowances import allowances_csv
from web.shared.charts import Chart, bar_chart
from web.shared.exports import csv_response
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.months import shown_month
from web.shared.tables import (
    BadgeColumn,
    Column,
    InstantColumn,
    MoneyColumn,
    NumberColumn,
    Table,
)


def usage_chart(request: SurfaceRequest, days: list[DayOfUsage], currency: str) -> Chart:
    """Money by day; calls by day for people who see no money."""
    labels = [str(day.day.day) for day in days]
    if "money.read" in request.scope.permissions:
        return bar_chart("Usage by day", labels, {"Usage": [d.amount for d in days]}, unit=currency)
    return bar_chart("Calls by day", labels, {"Calls": [day.call_count for day in days]})


def _tabs(current: str) -> list[Tab]:
    pages = (
        ("By month", reverse("account_centre_usage")),
        ("Calls", reverse("account_centre_calls")),
        ("Allowances", reverse("account_centre_allowances")),
    )
    return [Tab(label, url, is_current=url == current) for label, url in pages]


@page_of(Surface.ACCOUNT_CENTRE, "usage.read")
def usage(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    shown = shown_month(request)
    period = shown.period
    days = usage_by_day(request.scope, customer, customer.currency, period)
    context = {
        "tabs": _tabs(request.path),
        "currency": customer.currency,
        "month": period.from_date,
        "earlier": shown.earlier,
        "later": shown.later,
        "call_count": sum(day.call_count for day in days),
        "amount": sum((day.amount for day in days), ZERO),
        "chart": usage_chart(request, days, customer.currency),
        "destinations": usage_by_destination(request.scope, customer, customer.currency, period),
        "tier_months": months_at_tiers(request.scope, customer, period),
    }
    return render(request, "account_centre/usage/usage.html", context)


class CallTable(Table):
    started_at = InstantColumn("Started", orderable=True, order_by=("started_at", "id"))
    caller_number = Column("From")
    destination_number = Column("To")
    duration_seconds = NumberColumn("Seconds")
    result = BadgeColumn("Result", accessor="get_result_display", value="get_result_display")


class PricedCallTable(CallTable):
    charge_amount = MoneyColumn("Price", currency="charge_currency", is_exact=True)


class CallFilters(Filters):
    searches = ("destination_number__startswith", "caller_number__startswith")
    search_hint = "Start of a number"

    since = since_filter("Since", "started_at", of_instants=True)
    until = until_filter("Until", "started_at", of_instants=True)
    result = choice_filter("Result", "result", Xdr.Result.choices)


@page_of(Surface.ACCOUNT_CENTRE, "usage.read")
def call_list(request: SurfaceRequest) -> HttpResponse:
    sees_money = "money.read" in request.scope.permissions
    rows = xdrs(request.scope)
    return list_page(
        request,
        title="Usage",
        rows=with_charges(rows) if sees_money else rows,
        table=PricedCallTable if sees_money else CallTable,
        filters=CallFilters,
        name="calls",
        empty=Empty("No calls yet", "Calls appear here minutes after they were rated."),
        template="account_centre/usage/call_list.html",
        context={"tabs": _tabs(request.path)},
    )


@page_of(Surface.ACCOUNT_CENTRE, "usage.read")
def allowances(request: SurfaceRequest) -> HttpResponse:
    shown = shown_month(request)
    rows = allowances_of_month(request.scope, own_customer(request), shown.period)
    if request.GET.get("format") == "csv":
        return allowances_csv("allowances", shown.period, rows)
    context = {"tabs": _tabs(request.path), "shown": shown, "allowances": rows}
    return render(request, "account_centre/usage/allowances.html", context)


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def unbilled(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    period_from = first_unbilled_day(Scope.system(request.scope.provider_id))
    lines = unbilled_lines(request.scope, customer, period_from)
    if request.GET.get("format") == "csv":
        columns = ("Group", "Product", "Description", "Calls", "Net", "Currency")
        rows = [
            (
                line.group,
                line.product_name,
                line.description,
                line.call_count,
                line.net_amount,
                line.currency,
            )
            for line in lines
        ]
        return csv_response("unbilled", columns, rows)
    totals = {
        currency: sum((line.net_amount for line in lines if line.currency == currency), ZERO)
        for currency in sorted({line.currency for line in lines})
    }
    context = {"lines": lines, "totals": totals.items()}
    return render(request, "account_centre/usage/unbilled.html", context)


urls = [
    path("usage/", usage, name="account_centre_usage"),
    path("usage/calls/", call_list, name="account_centre_calls"),
    path("usage/allowances/", allowances, name="account_centre_allowances"),
    path("unbilled/", unbilled, name="account_centre_unbilled"),
]
