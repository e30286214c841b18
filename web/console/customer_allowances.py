"""What a customer used in a month of what its subscriptions include."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from cdr.selectors.allowances import allowances_of_month
from common.scope import Surface
from customers import selectors
from web.access import SurfaceRequest, page_of
from web.console.customer_tabs import frame
from web.shared.allowances import allowances_csv
from web.shared.months import shown_month


@page_of(Surface.CONSOLE, "usage.read")
def customer_allowances(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    shown = shown_month(request)
    allowances = allowances_of_month(request.scope, customer, shown.period)
    if request.GET.get("format") == "csv":
        return allowances_csv(f"allowances-{customer.number}", shown.period, allowances)
    context = {"shown": shown, "allowances": allowances, **frame(request, customer)}
    return render(request, "console/customers/customer_allowances.html", context)


urls = [
    path(
        "customers/<int:customer_id>/allowances/",
        customer_allowances,
        name="console_customer_allowances",
    ),
]
