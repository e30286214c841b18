"""Rate imports in the console: what each does row by row, how far it is, and what became of it."""

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.http import content_disposition_header
from django.utils.timezone import localtime

from catalogue import selectors
from catalogue.models import RateImport, RateImportRow
from catalogue.rules.rate_layouts import Absent, Duplicates, Errors, Unchanged
from catalogue.rules.rate_row_classes import RowClass
from catalogue.selectors.rate_imports import (
    PastRates,
    past_rates,
    rate_import,
    rate_import_rows,
    rate_imports,
)
from catalogue.services.rate_files import path_of
from common import clock
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.console.reratings import rerating_url
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter, text_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    InstantColumn,
    LinkColumn,
    MoneyColumn,
    NumberColumn,
    Table,
)

State = RateImport.State
CURRENCY = "rate_import__rate_table__currency"
WRITE = "catalogue.write"
SAID = {
    Duplicates.LATEST: "the last row counts",
    Duplicates.FIRST: "the first row counts",
    Duplicates.REFUSE: "all of them are wrong",
    Errors.ABORT: "nothing is imported while there are any",
    Errors.SKIP: "left out",
    Unchanged.SKIP: "left out",
    Unchanged.KEEP: "written as rates that begin anew",
    Absent.KEEP: "stay as they are",
    Absent.CLOSE: "those in force end",
    Absent.CLOSE_AND_STASH: "those in force end, future ones are stashed",
}


class RateImportTable(Table):
    name = LinkColumn("File")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    new = NumberColumn("New", accessor="counts__new")
    increased = NumberColumn("Increased", accessor="counts__increased")
    decreased = NumberColumn("Decreased", accessor="counts__decreased")
    changed = NumberColumn("Changed", accessor="counts__changed")
    closed = NumberColumn("Closed", accessor="counts__closed")
    error = NumberColumn("Wrong", accessor="counts__error")
    received_at = InstantColumn("Received", orderable=True)
    received_by = Column("By")
    confirmed_by = Column("Confirmed by")


class RateImportFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name of the file"

    state = choice_filter("State", "state", State.choices)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_import_list(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)
    upload = reverse("console_rate_import_upload", kwargs={"table_id": table.pk})
    load = Action("Import rates", upload, "arrow-up-tray", needs=WRITE, is_main=True)
    templates = Action("Templates", reverse("console_rate_file_templates"), "bookmark")
    return list_page(
        request,
        title=f"Imports into {table}",
        rows=rate_imports(request.scope, table),
        table=RateImportTable,
        filters=RateImportFilters,
        name=f"rate-imports-{table.pk}",
        actions=[templates, load],
        empty=Empty("Nothing was imported yet", "Send a file of rates.", load),
        template="console/rates/rate_import_list.html",
        context={"rate_table": table},
    )


class RateImportRowTable(Table):
    line = NumberColumn("Line")
    row_class = BadgeColumn("Class", accessor="get_row_class_display", value="row_class")
    prefix = Column("Prefix", empty_values=(None,))
    destination = Column("Destination")
    before_rate = MoneyColumn("Rate before", currency=CURRENCY, is_exact=True)
    rate = MoneyColumn("Rate", currency=CURRENCY, is_exact=True)
    effective_from = InstantColumn("From")
    effective_to = InstantColumn("Until")
    error = Column("What is wrong")

    def render_line(self, record: RateImportRow, value: int) -> str:
        return f"{record.sheet}, {value:,}" if record.sheet else f"{value:,}"

    def render_prefix(self, value: str) -> str:
        return value or "any number"

    def render_error(self, record: RateImportRow, value: str) -> str:
        return f"{record.wrong_field}: {value}"


class RateImportRowFilters(Filters):
    row_class = choice_filter("Class", "row_class", RateImportRow.RowClass.choices)
    prefix = text_filter("Prefix", "prefix__startswith")
    destination = text_filter("Destination", "destination__icontains")


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_import_rows_page(request: SurfaceRequest, import_id: int) -> HttpResponse:
    imported = rate_import(request.scope, import_id)
    past = past_of(request, imported)
    return list_page(
        request,
        title=imported.name,
        rows=rate_import_rows(request.scope, imported),
        table=RateImportRowTable,
        filters=RateImportRowFilters,
        name=f"rate-import-{imported.pk}",
        actions=_actions(imported),
        empty=Empty("No rows yet", "Say what the columns mean, and every row is compared."),
        template="console/rates/rate_import.html",
        context={
            "imported": imported,
            "rate_table": imported.rate_table,
            "counts": [(each.value, imported.count(each)) for each in RowClass],
            "facts": import_facts(imported),
            "past_count": past.count,
            **_offers(request, imported, past),
            **_progress(imported),
        },
    )


def past_of(request: SurfaceRequest, imported: RateImport) -> PastRates:
    """Rates that begin or end before they were written, or would be now."""
    if imported.state not in (State.COMPARED, State.STASHED, State.DONE):
        return PastRates(0, None)
    return past_rates(request.scope, imported, imported.written_at or clock.now())


def _offers(request: SurfaceRequest, imported: RateImport, past: PastRates) -> dict[str, str]:
    """Where the calls that past rates concern are counted, and where they are rated again."""
    if imported.state != State.DONE or not past.count:
        return {}
    affected = reverse("console_rate_import_affected", kwargs={"import_id": imported.pk})
    again = rerating_url(
        started_from=past.since,
        rate_table_id=imported.rate_table_id,
        reason=f"Rates of {imported.name}",
    )
    permissions = request.scope.permissions
    return {
        "affected_url": affected if "usage.read" in permissions else "",
        "again_url": again if "usage.write" in permissions else "",
    }


def _actions(imported: RateImport) -> list[Action]:
    of_import = {"import_id": imported.pk}
    columns = Action(
        "Change how it is read",
        reverse("console_rate_import_columns", kwargs=of_import),
        "adjustments-horizontal",
        needs=WRITE,
        is_main=imported.state in (State.RECEIVED, State.FAILED),
    )
    discard = Action(
        "Throw away", reverse("console_rate_import_discard", kwargs=of_import), "trash", needs=WRITE
    )
    confirm = Action(
        "Confirm the rates" if imported.state == State.STASHED else "Import the rates",
        reverse("console_rate_import_confirm", kwargs=of_import),
        "check",
        needs=WRITE,
        is_main=True,
    )
    undo = Action(
        "Take back",
        reverse("console_rate_import_undo", kwargs=of_import),
        "arrow-uturn-left",
        needs=WRITE,
    )
    by_state = {
        State.RECEIVED: [discard, columns],
        State.FAILED: [discard, columns],
        State.COMPARED: [discard, columns, confirm],
        State.STASHED: [discard, confirm],
        State.DONE: [undo],
    }
    file = Action(
        "The file", reverse("console_rate_import_file", kwargs=of_import), "arrow-down-tray"
    )
    rows = Action(
        "All rows as a file",
        reverse("console_rate_import_all_rows", kwargs=of_import),
        "table-cells",
    )
    offered = [file, rows] if imported.counts else [file]
    return [*offered, *by_state.get(State(imported.state), [])]


def import_facts(imported: RateImport) -> list[tuple[str, object]]:
    """Who did what when, and what was to be done with the rows."""
    options = imported.options
    close_at = f", at {_when(options.close_at)}" if options.close_at else ""
    done: list[tuple[str, datetime | None, object]] = [
        ("Received", imported.received_at, imported.received_by),
        ("Written", imported.written_at, imported.confirmed_by),
        ("Ended", imported.ended_at, imported.ended_by),
    ]
    return [
        *(
            (label, f"{_when(at)}{f', by {who}' if who else ''}")
            for label, at, who in done
            if at is not None
        ),
        ("Size", filesizeformat(imported.size_bytes)),
        ("SHA-256", imported.sha256),
        ("Same prefix and start twice", SAID[options.duplicates]),
        ("Rows that are wrong", SAID[options.errors]),
        ("Rows that change nothing", SAID[options.unchanged]),
        ("Rates that the file does not have", f"{SAID[options.absent]}{close_at}"),
        ("Written as", "stashed rates" if options.stash else "rates in force"),
    ]


def _when(at: datetime) -> str:
    return str(date_format(localtime(at), "DATETIME_FORMAT"))


def _progress(imported: RateImport) -> dict[str, object]:
    labels = {
        State.COMPARING: "Reading and comparing; lines read",
        State.WRITING: "Writing all rates at once",
        State.CONFIRMING: "Comparing again and confirming",
        State.DISCARDING: "Taking the stashed rates out",
        State.UNDOING: "Putting everything back",
    }
    of_import = {"import_id": imported.pk}
    return {
        "is_working": imported.is_working,
        "label": labels.get(State(imported.state), ""),
        "done": imported.read_count,
        "refresh_url": reverse("console_rate_import_progress", kwargs=of_import),
    }


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_import_progress(request: SurfaceRequest, import_id: int) -> HttpResponse:
    """The progress bar; when the work is over the whole page is asked for again."""
    imported = rate_import(request.scope, import_id)
    response = render(request, "console/rates/_rate_import_progress.html", _progress(imported))
    if not imported.is_working:
        response.headers["HX-Refresh"] = "true"
    return response


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_import_file(request: SurfaceRequest, import_id: int) -> HttpResponse:
    """The file as it was received."""
    imported = rate_import(request.scope, import_id)
    headers = {
        "Content-Disposition": content_disposition_header(True, imported.name) or "attachment"
    }
    content = path_of(imported).read_bytes()
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)


urls = [
    path("rate-tables/<int:table_id>/imports/", rate_import_list, name="console_rate_imports"),
    path("rate-imports/<int:import_id>/", rate_import_rows_page, name="console_rate_import"),
    path(
        "rate-imports/<int:import_id>/progress/",
        rate_import_progress,
        name="console_rate_import_progress",
    ),
    path("rate-imports/<int:import_id>/file/", rate_import_file, name="console_rate_import_file"),
]
