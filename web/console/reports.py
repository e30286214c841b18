"""Reports in the console: which there are, and each with its chart, table, formula and files."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.timezone import localdate

from common import clock
from common.scope import Scope, Surface
from reports.columns import file_cell
from reports.library import REPORTS, Group, Report, Span, UnknownReport, report_named
from web.access import SurfaceRequest, page_of
from web.console.report_charts import charts_of
from web.console.report_filters import ReportFilters, usual_ranges
from web.console.report_links import Behind
from web.console.report_tables import report_table, rows_page, sorted_rows, totals
from web.shared.actions import Tab
from web.shared.exports import csv_response, xlsx_response
from web.shared.lists import MOST_EXPORTED_ROWS

NEEDS = "payouts.read"
_FILES = {"csv": csv_response, "xlsx": xlsx_response}


@page_of(Surface.CONSOLE, "payouts.list")
def report_index(request: SurfaceRequest) -> HttpResponse:
    groups = [
        (group.value, [report for report in REPORTS if report.group is group])
        for group in Group
        if group is not Group.RESELLERS or request.scope.has_resellers
    ]
    context = {"groups": groups, "has_resellers": request.scope.has_resellers}
    return render(request, "console/reports/report_index.html", context)


@page_of(Surface.CONSOLE, NEEDS)
def report_show(request: SurfaceRequest, name: str) -> HttpResponse:
    """A report for what the address asks, a page of its rows, or all of them as a file."""
    report = find(request.scope, name)
    filters = ReportFilters(request, report)
    sort = request.GET.get("sort", "")
    rows = sorted_rows(report, filters.rows(), sort)
    respond = _FILES.get(request.GET.get("format", ""))
    if respond and len(rows) <= MOST_EXPORTED_ROWS and filters.form.is_valid():
        cells = ([file_cell(row, column) for column in report.columns] for row in rows)
        return respond(report.name, report.columns, cells)
    page = rows_page(rows, before=request.GET.get("before", ""), after=request.GET.get("after", ""))
    context = {
        "report": report,
        "filters": filters,
        "ranges": _ranges(request, report),
        "row_count": len(rows),
        "page": page,
        "is_too_long": respond is not None and len(rows) > MOST_EXPORTED_ROWS,
        "charts": charts_of(report, rows),
    }
    if rows:
        behind = Behind(request.scope, report, filters.period, page.rows)
        context |= {
            "table": report_table(
                report, page.rows, request=request, sort=sort, url_of=behind.url_of
            ),
            "totals": totals(report, rows),
        }
    is_part = request.htmx.target == "list"
    template = "console/reports/_report.html" if is_part else "console/reports/report_show.html"
    return render(request, template, context)


def find(scope: Scope, name: str) -> Report:
    """A report by its name.

    :raises UnknownReport: for one that there is not, or that is about resellers where none are.
    """
    report = report_named(name)
    if report.group is Group.RESELLERS and not scope.has_resellers:
        raise UnknownReport(f"The report '{name}' is about resellers, which are switched off.")
    return report


def _ranges(request: SurfaceRequest, report: Report) -> list[Tab]:
    """Ways to the usual times, with all other filters kept."""
    if report.span is not Span.PERIOD:
        return []
    kept = {
        name: value
        for name, value in request.GET.items()
        if name not in ("since", "until", "before", "after", "format")
    }
    asked = {name: request.GET.get(name) for name in ("since", "until")}
    address = reverse("console_report", kwargs={"name": report.name})
    return [
        Tab(label, f"{address}?{urlencode({**kept, **days})}", is_current=days == asked)
        for label, days in usual_ranges(localdate(clock.now()))
    ]


urls = [
    path("reports/", report_index, name="console_reports"),
    path("reports/<slug:name>/", report_show, name="console_report"),
]
