"""The account centre's first page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from billing.selectors.invoices import open_invoices, overdue_invoices
from cdr.selectors.customer_usage import usage_by_day
from common.periods import month
from common.scope import Surface
from customers import selectors as customers
from customers.models import Customer
from payments.selectors.service_balance import service_balance
from subscriptions.selectors import next_charges
from web.access import SurfaceRequest, page_of
from web.account_centre.own import own_customer, today
from web.account_centre.usage import usage_chart

SHOWN = 5


@page_of(Surface.ACCOUNT_CENTRE)
def home(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    this_month = month(today().year, today().month)
    days = usage_by_day(request.scope, customer, customer.currency, this_month)
    context = {
        "customer": customer,
        "member": customers.team(request.scope, customer).get(user=request.user),
        "chart": usage_chart(request, days, customer.currency),
    }
    if "money.read" in request.scope.permissions:
        context |= _money(request, customer)
    return render(request, "account_centre/home.html", context)


def _money(request: SurfaceRequest, customer: Customer) -> dict[str, object]:
    """What only those see who see money."""
    return {
        "balance": service_balance(request.scope, customer_id=customer.pk),
        "due": open_invoices(request.scope, customer.pk, customer.currency)[:SHOWN],
        "is_overdue": overdue_invoices(request.scope, today()).exists(),
        "next_charges": next_charges(request.scope, customer, today())[:SHOWN],
    }


urls = [path("", home, name="account_centre_home")]
