"""Reseller management: four figures and four pictures about resellers, on one page."""

from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.timezone import localdate

from common import clock
from common.periods import Period
from reports.selectors.acquisition import Acquisition
from reports.selectors.reseller_overview import ResellerOverview, reseller_overview
from web.access import SurfaceRequest
from web.console.report_charts import Largest, OverTime, by_month
from web.console.report_filters import RangeForm, default_range, usual_ranges
from web.console.report_tables import amounts_html
from web.console.reseller_pages import reseller_page
from web.shared.actions import Action, Tab
from web.shared.charts import Chart, bar_chart, stacked_chart

MONTHS_SHOWN, MOST_CODES = 12, 8


class DashboardForm(RangeForm):
    """The time, and the currency of the pictures."""

    currency = forms.CharField(max_length=3, required=False, widget=forms.Select)


@reseller_page("payouts.read")
def reseller_dashboard(request: SurfaceRequest) -> HttpResponse:
    today = localdate(clock.now())
    form = DashboardForm({**default_range(today, MONTHS_SHOWN), **request.GET.dict()})
    context: dict[str, object] = {
        "filters": {"form": form},
        "is_filtering": bool(request.GET.keys() & form.fields.keys()),
        "ranges": _ranges(request),
        "actions": [Action("All reports", reverse("console_reports"), "chart-bar")],
    }
    if form.is_valid():
        since, until = form.cleaned_data["since"], form.cleaned_data["until"]
        overview = reseller_overview(request.scope, Period(since, until + timedelta(days=1)))
        currency = _currency(request, form, overview)
        days = {"since": since.isoformat(), "until": until.isoformat()}
        context |= {"tiles": _tiles(overview, days), "charts": _charts(overview, currency)}
    is_part = request.htmx.target == "list"
    template = "_reseller_dashboard.html" if is_part else "reseller_dashboard.html"
    return render(request, f"console/reports/{template}", context)


def _currency(request: SurfaceRequest, form: DashboardForm, overview: ResellerOverview) -> str:
    """The currency asked for, or the provider's own; pictures never add up several."""
    codes = sorted({request.provider.currency, *overview.currencies})
    form.fields["currency"].widget.choices = [(code, code) for code in codes]
    return form.cleaned_data["currency"] or request.provider.currency


def _ranges(request: SurfaceRequest) -> list[Tab]:
    kept = {"currency": currency} if (currency := request.GET.get("currency")) else {}
    asked = {name: request.GET.get(name) for name in ("since", "until")}
    address = reverse("console_reseller_dashboard")
    return [
        Tab(label, f"{address}?{urlencode({**kept, **days})}", is_current=days == asked)
        for label, days in usual_ranges(localdate(clock.now()))
    ]


def _tiles(overview: ResellerOverview, days: dict[str, str]) -> list[tuple[str, object, str, str]]:
    """Label, value, note and address of each."""

    def address(name: str) -> str:
        return f"{reverse('console_report', kwargs={'name': name})}?{urlencode(days)}"

    acquired = sum(row.acquired_count for row in overview.acquisition)
    invoiced = sum(row.invoiced_count for row in overview.acquisition)
    gone = sum(row.terminated_count for row in overview.acquisition)
    return [
        (
            "Sales through resellers",
            amounts_html(overview.sales_by_currency),
            "Net of tax and credit notes",
            address("total-reseller-sales"),
        ),
        (
            "Sales without a reseller",
            amounts_html(overview.direct_by_currency),
            "Net of tax and credit notes",
            address("non-reseller-sales"),
        ),
        (
            "Owed to resellers",
            amounts_html(overview.outstanding_by_currency),
            "Commission outstanding in the end",
            address("reseller-payout"),
        ),
        (
            "Customers acquired",
            f"{acquired:,}",
            f"{invoiced:,} of them invoiced, {gone:,} terminated",
            address("acquisition"),
        ),
    ]


def _charts(overview: ResellerOverview, currency: str) -> list[Chart]:
    sales = [row for row in overview.sales if row.currency == currency]
    direct = [row for row in overview.direct if row.currency == currency]
    due = [row for row in overview.outstanding if row.currency == currency]
    charts = []
    if sales:
        by_reseller = OverTime("month", "net_amount", "reseller")
        charts.append(by_reseller("Sales by reseller", sales, currency))
    if sales or direct:
        labels, parts = by_month({"Through resellers": sales, "Without": direct}, "net_amount")
        title = "Sales with and without resellers"
        charts.append(stacked_chart(title, labels, parts, unit=currency))
    if any(row.outstanding_amount for row in due):
        charts.append(Largest("reseller", "outstanding_amount")("Payouts due", due, currency))
    if any(row.acquired_count or row.terminated_count for row in overview.acquisition):
        charts.append(_funnel(overview.acquisition))
    return charts


def _funnel(rows: list[Acquisition]) -> Chart:
    """From acquired to invoiced, and gone, by code: those that brought most."""
    codes = sorted({row.code for row in rows}, key=lambda code: (-_acquired(rows, code), code))
    shown = codes[:MOST_CODES]
    parts = ("acquired_count", "invoiced_count", "terminated_count")
    series = {
        label: [sum(getattr(row, part) for row in rows if row.code == code) for code in shown]
        for label, part in zip(("Acquired", "Invoiced", "Terminated"), parts, strict=True)
    }
    return bar_chart("Acquisition by code", shown, series)


def _acquired(rows: list[Acquisition], code: str) -> int:
    return sum(row.acquired_count for row in rows if row.code == code)


urls = [path("reports/resellers/", reseller_dashboard, name="console_reseller_dashboard")]
