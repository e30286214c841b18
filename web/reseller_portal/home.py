"""The reseller portal's first page: who it brought, and since when."""

from datetime import date, datetime, time

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.timezone import get_current_timezone, localdate

from common import clock
from common.scope import Scope, Surface
from customers.models import Customer
from customers.selectors import customers_by_month, customers_by_state
from resellers import selectors as resellers
from web.access import SurfaceRequest, page_of
from web.shared.charts import Chart, bar_chart

MONTHS_SHOWN = 12


@page_of(Surface.RESELLER_PORTAL)
def home(request: SurfaceRequest) -> HttpResponse:
    own = request.scope.alone
    by_state = customers_by_state(own)
    context = {
        "reseller": resellers.resellers(own).get(),
        "customer_count": sum(by_state.values()),
        "states": _states(by_state),
        "acquired": _acquired(own),
    }
    return render(request, "reseller_portal/home.html", context)


def _states(by_state: dict[str, int]) -> list[tuple[str, int, str]]:
    """What each state is called, how many are in it, and the list of them."""
    url = reverse("reseller_portal_customers")
    return [
        (label.capitalize(), by_state[state], f"{url}?state={state}")
        for state, label in Customer.State.choices
        if state in by_state
    ]


def _acquired(scope: Scope) -> Chart:
    months = _last_months(localdate(clock.now()))
    since = datetime.combine(months[0], time.min, get_current_timezone())
    by_month = customers_by_month(scope, since)
    return bar_chart(
        "Customers acquired in the last 12 months",
        [f"{first:%b}" for first in months],
        {"Customers": [by_month.get(first, 0) for first in months]},
    )


def _last_months(today: date) -> list[date]:
    """The first days of this month and those before it, in order."""
    this = today.year * 12 + today.month - 1
    return [
        date(month // 12, month % 12 + 1, 1) for month in range(this - MONTHS_SHOWN + 1, this + 1)
    ]


urls = [path("", home, name="reseller_portal_home")]
