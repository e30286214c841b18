"""The console's first page: the month so far, what waits for somebody, and how to begin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate

from billing.models import BillRun
from billing.selectors.bill_runs import bill_runs
from cdr.selectors.suspense_groups import suspense_counts
from common import clock
from common.periods import Period
from common.scope import Scope, Surface
from reports.columns import heading
from reports.selectors.overview import (
    FirstSteps,
    Receivable,
    first_steps,
    receivables,
    unbilled_by_currency,
)
from reports.selectors.receivables import AgedReceivable
from reports.selectors.sales import DirectSales, ResellerSales, sales_by_tag
from resellers.selectors import module
from tenancy import selectors
from web.access import SurfaceRequest, page_of
from web.console.home_alerts import notices
from web.console.report_charts import by_month
from web.console.report_filters import default_range
from web.console.report_tables import amounts_html
from web.shared.badges import badge
from web.shared.charts import Chart, bar_chart, stacked_chart
from web.shared.links import url_of
from web.shared.writing import plain_number

MONTHS_SHOWN = 12
BANDS = [name for name in AgedReceivable.__dataclass_fields__ if name.endswith("_amount")][:-1]


@dataclass(frozen=True)
class Tile:
    """A figure with what it is called, a note below it, and the list it leads to."""

    label: str
    value: SafeString | str
    note: SafeString | str
    url: str


@dataclass(frozen=True)
class Step:
    """One thing that a new provider does, in order."""

    text: str
    url: str
    is_done: bool


@page_of(Surface.CONSOLE)
def home(request: SurfaceRequest) -> HttpResponse:
    """What the user may see of it, section by section."""
    scope, now = request.scope, clock.now()
    tiles, charts = _money(request, localdate(now)) if _may(scope, "invoices.list") else ([], [])
    membership = selectors.staff(scope).get(user=request.user)
    context = {
        "role": membership.role.name,
        "today": localdate(now),
        "steps": _steps(scope),
        "notices": notices(scope, now),
        "tiles": [*tiles, *_suspense(scope, localdate(now)), *_last_run(scope)],
        "charts": charts,
    }
    return render(request, "console/home.html", context)


def _may(scope: Scope, needs: str) -> bool:
    return needs in scope.permissions


def _money(request: SurfaceRequest, today: date) -> tuple[list[Tile], list[Chart]]:
    """Sales, unbilled and receivables, with sales by resellers where there are any."""
    scope, currency = request.scope, request.provider.currency
    since = date.fromisoformat(default_range(today, MONTHS_SHOWN)["since"])
    tagged, direct = sales_by_tag(scope, Period(since, today + timedelta(days=1)))
    due = receivables(scope, today)
    has_resellers = module(scope).is_enabled and _may(scope, "payouts.read")
    tiles = [
        _revenue([*tagged, *direct], today),
        Tile(
            "Unbilled",
            amounts_html(unbilled_by_currency(scope)),
            "Charges and usage, before tax",
            _report(scope, "unbilled"),
        ),
        _receivables(scope, due),
    ]
    if has_resellers:
        tiles.append(_reseller_sales(tagged, today))
    charts = _sales_charts(tagged, direct, currency, has_resellers)
    return tiles, [*charts, *_age_charts(due, currency)]


def _report(scope: Scope, name: str, **query: str) -> str:
    """The address of a report, for those who may see reports."""
    if not _may(scope, "payouts.read"):
        return ""
    address = reverse("console_report", kwargs={"name": name})
    return f"{address}?{urlencode(query)}" if query else address


def _revenue(rows: Iterable[ResellerSales | DirectSales], today: date) -> Tile:
    days = urlencode(default_range(today, 1))
    return Tile(
        "Revenue this month",
        amounts_html(_this_month(rows, today)),
        "Invoiced less credited, before tax",
        f"{reverse('console_invoices')}?{days}",
    )


def _reseller_sales(rows: Iterable[ResellerSales], today: date) -> Tile:
    days = urlencode(default_range(today, 1))
    return Tile(
        "Reseller sales this month",
        amounts_html(_this_month(rows, today)),
        "To customers whom resellers brought",
        f"{reverse('console_reseller_dashboard')}?{days}",
    )


def _this_month(rows: Iterable[ResellerSales | DirectSales], today: date) -> Mapping[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row in rows:
        if row.month == f"{today:%Y-%m}":
            sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.net_amount
    return dict(sorted(sums.items()))


def _receivables(scope: Scope, due: list[Receivable]) -> Tile:
    late = {row.currency: row.overdue_amount for row in due if row.overdue_count}
    note: SafeString | str = "Nothing of it is overdue"
    if late:
        count = sum(row.overdue_count for row in due)
        words = f"{plain_number(count)} invoice{'' if count == 1 else 's'}"
        url = f"{reverse('console_invoices')}?state=OVERDUE"
        note = format_html('Overdue: {} <a href="{}">on {}</a>', amounts_html(late), url, words)
    by_currency = {row.currency: row.due_amount for row in due}
    url = _report(scope, "aged-receivables") or reverse("console_invoices")
    return Tile("Receivables", amounts_html(by_currency), note, url)


def _suspense(scope: Scope, today: date) -> list[Tile]:
    if not _may(scope, "usage.read"):
        return []
    counts = suspense_counts(scope, today)
    worth: dict[str, Decimal] = {}
    for row in counts:
        if row.estimated_amount:
            worth[row.currency] = worth.get(row.currency, Decimal(0)) + row.estimated_amount
    waiting = sum(row.row_count for row in counts)
    note: SafeString | str = "Nothing waits" if not waiting else "Of unknown value"
    if worth:
        note = format_html("Worth about {}", amounts_html(worth))
    return [Tile("In suspense", plain_number(waiting), note, reverse("console_suspense"))]


def _last_run(scope: Scope) -> list[Tile]:
    if not _may(scope, "money.list"):
        return []
    run = bill_runs(scope).first()
    if run is None:
        return []
    state = badge(run.state, BillRun.State(run.state).label)
    url = url_of(scope, run) if _may(scope, "money.read") else reverse("console_bill_runs")
    note = f"For {Period(run.period_from, run.period_to)}"
    return [Tile("Latest bill run", state, note, url)]


def _sales_charts(
    tagged: list[ResellerSales], direct: list[DirectSales], currency: str, has_resellers: bool
) -> list[Chart]:
    """Sales by month in the provider's own currency; pictures never add up several."""
    through = [row for row in tagged if row.currency == currency]
    without = [row for row in direct if row.currency == currency]
    if not through and not without:
        return []
    lots: dict[str, Sequence[object]] = {"Through resellers": through, "Without": without}
    if not has_resellers:
        lots = {"Sales": [*through, *without]}
    labels, parts = by_month(lots, "net_amount")
    return [stacked_chart("Net sales by month", labels, parts, unit=currency)]


def _age_charts(due: list[Receivable], currency: str) -> list[Chart]:
    labels = [heading(band) for band in BANDS]
    return [
        bar_chart("Receivables by age", labels, {"Due": row.band_amounts}, unit=currency)
        for row in due
        if row.currency == currency
    ]


def _steps(scope: Scope) -> list[Step]:
    """What a provider that has never billed has to do yet; nothing afterwards."""
    done = first_steps(scope)
    if done.has_billed:
        return []
    return [
        Step(text, reverse(url_name), is_done)
        for text, url_name, needs, is_done in _all_steps(scope, done)
        if _may(scope, needs)
    ]


def _all_steps(scope: Scope, done: FirstSteps) -> list[tuple[str, str, str, bool]]:
    """Text, page, the permission it needs, and whether it was done."""
    codes = ("Add resellers and their codes", "console_resellers", "resellers.write")
    return [
        ("Say which taxes invoices carry", "console_taxes", "settings.write", done.has_taxes),
        (
            "Add products and publish a catalogue",
            "console_catalogues",
            "catalogue.write",
            done.has_catalogue,
        ),
        ("Load rates for calls", "console_rate_tables", "catalogue.write", done.has_rates),
        *([(*codes, done.has_codes)] if module(scope).is_enabled else []),
        ("Add customers", "console_customers", "customers.write", done.has_customers),
        ("Send xDRs from your switch", "console_xdr_files", "usage.write", done.has_usage),
        ("Bill the first month", "console_bill_runs", "money.write", done.has_billed),
    ]


urls = [path("", home, name="console_home")]
