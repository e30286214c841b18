"""What a customer used in a month: by day, by destination, and the way to every xDR."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode

from cdr.selectors.customer_usage import usage_by_day, usage_by_destination
from cdr.selectors.tier_totals import months_at_tiers
from common.money import ZERO
from common.periods import Period
from common.scope import Surface
from customers import selectors
from customers.models import Customer
from web.access import SurfaceRequest, page_of
from web.console.customer_tabs import frame
from web.shared.charts import bar_chart
from web.shared.exports import csv_response
from web.shared.months import shown_month


@page_of(Surface.CONSOLE, "usage.read")
def customer_usage(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    shown = shown_month(request)
    currency = customer.currency
    destinations = usage_by_destination(request.scope, customer, currency, shown.period)
    if request.GET.get("format") == "csv":
        return csv_response(
            f"usage-{customer.number}-{shown.period.from_date:%Y-%m}",
            ("Destination", "Calls", "Amount", "Currency"),
            [(row.destination, row.call_count, row.amount, currency) for row in destinations],
        )
    days = usage_by_day(request.scope, customer, currency, shown.period)
    context = {
        "shown": shown,
        "currency": currency,
        "call_count": sum(day.call_count for day in days),
        "amount": sum((day.amount for day in days), ZERO),
        "chart": bar_chart(
            "Usage by day",
            [str(day.day.day) for day in days],
            {"Usage": [day.amount for day in days]},
            unit=currency,
        ),
        "destinations": destinations,
        "tier_months": months_at_tiers(request.scope, customer, shown.period),
        "xdrs_url": _xdrs_url(customer, shown.period),
        **frame(request, customer),
    }
    return render(request, "console/customers/customer_usage.html", context)


def _xdrs_url(customer: Customer, period: Period) -> str:
    chosen: dict[str, str | int] = {
        "customer": customer.number,
        "since": period.from_date.isoformat(),
        "until": period.last_date.isoformat(),
    }
    return f"{reverse('console_xdrs')}?{urlencode(chosen)}"


urls = [
    path("customers/<int:customer_id>/usage/", customer_usage, name="console_customer_usage"),
]
