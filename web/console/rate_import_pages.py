"""Rate imports in the console: what each does row by row, how far it is, and what became of it."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from catalogue import selectors
from catalogue.models import RateFileTemplate, RateImport, RateImportRow
from catalogue.rules.rate_layouts import Absent, Duplicates, Errors, Unchanged
from catalogue.rules.rate_row_classes import RowClass
from catalogue.selectors.rate_imports import (
    PastRates,
    past_rates,
    rate_file_templates,
    rate_import,
    rate_import_rows,
    rate_imports,
)
from catalogue.services.rate_file_templates import delete_template
from catalogue.services.rate_files import path_of
from catalogue.services.rate_imports import confirm_import, discard_import
from cdr.services.rate_undoing import ask_to_undo
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.reratings import rerating_url
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter, text_filter
from web.shared.form_pages import Review, confirm_page
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
    past = _past(request, imported)
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
            "facts": _facts(imported),
            "past_count": past.count,
            **_offers(request, imported, past),
            **_progress(imported),
        },
    )


def _past(request: SurfaceRequest, imported: RateImport) -> PastRates:
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
    return [file, *by_state.get(State(imported.state), [])]


def _facts(imported: RateImport) -> list[tuple[str, object]]:
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


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def rate_import_confirm(request: SurfaceRequest, import_id: int) -> HttpResponse:
    imported = rate_import(request.scope, import_id)
    was_stashed = imported.state == State.STASHED
    review = Review(
        title=f"{'Confirm' if was_stashed else 'Import'} {imported}?",
        lead=f"Into {imported.rate_table}, in {imported.rate_table.currency}. All of it or nothing."
        " Calls that were rated before keep their cost.",
        facts=[
            *_facts(imported)[-5:],
            ("Begin or end in the past", _past(request, imported).count),
        ],
        headings=("Rows", "Number"),
        rows=[
            (each.value, f"{imported.count(each):,}") for each in RowClass if imported.count(each)
        ],
        submit="Confirm the rates" if was_stashed else "Import the rates",
    )
    return _confirm(request, imported, review, confirm_import, "is being imported")


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def rate_import_discard(request: SurfaceRequest, import_id: int) -> HttpResponse:
    imported = rate_import(request.scope, import_id)
    review = Review(
        title=f"Throw {imported} away?",
        lead="What it would have done is not done; rates that it stashed leave the table.",
        facts=[("Rate table", imported.rate_table)],
        submit="Throw away",
        is_dangerous=True,
    )
    return _confirm(request, imported, review, discard_import, "is thrown away")


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def rate_import_undo(request: SurfaceRequest, import_id: int) -> HttpResponse:
    imported = rate_import(request.scope, import_id)
    review = Review(
        title=f"Take {imported} back?",
        lead="Rates that it added are removed; those it replaced, closed or stashed are again what"
        " they were. Possible until usage was priced by one of its rates.",
        facts=[("Rate table", imported.rate_table)],
        headings=("Rows", "Number"),
        rows=[
            (each.value, f"{imported.count(each):,}") for each in RowClass if imported.count(each)
        ],
        submit="Take back",
        is_dangerous=True,
    )
    return _confirm(request, imported, review, ask_to_undo, "is being taken back")


def _counted(imported: RateImport) -> list[tuple[str, str]]:
    """Rows by class, those without any left out."""
    counts = {each.value: imported.count(each) for each in RowClass}
    return [(row_class, f"{count:,}") for row_class, count in counts.items() if count]


def _confirm(
    request: SurfaceRequest,
    imported: RateImport,
    review: Review,
    service: Callable[..., RateImport],
    done: str,
) -> HttpResponse:
    url = reverse("console_rate_import", kwargs={"import_id": imported.pk})

    def confirm() -> str:
        service(rate_import=imported, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{imported} {done}.")
        return url

    return confirm_page(request, review, confirm=confirm, cancel_url=url)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_import_file(request: SurfaceRequest, import_id: int) -> HttpResponse:
    """The file as it was received."""
    imported = rate_import(request.scope, import_id)
    headers = {
        "Content-Disposition": content_disposition_header(True, imported.name) or "attachment"
    }
    content = path_of(imported).read_bytes()
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)


class RateFileTemplateTable(Table):
    name = Column("Template")
    columns = Column("Columns", accessor="layout__columns")
    created_at = InstantColumn("Kept")
    delete = Column("", accessor="pk", exclude_from_export=True)

    def render_delete(self, value: int) -> SafeString:
        url = reverse("console_rate_file_template_delete", kwargs={"template_id": value})
        return format_html('<a href="{}">Delete</a>', url)

    def render_columns(self, value: dict[str, str]) -> str:
        return ", ".join(value.values())


class RateFileTemplateFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name of the template"


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_file_template_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Templates of rate files",
        lead="How the files of your vendors are laid out. Keep one while you import a file.",
        rows=rate_file_templates(request.scope),
        table=RateFileTemplateTable,
        filters=RateFileTemplateFilters,
        name="rate-file-templates",
        empty=Empty("No templates yet", "Name one when you say what the columns of a file mean."),
        template="console/rates/rate_list.html",
    )


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def rate_file_template_delete(request: SurfaceRequest, template_id: int) -> HttpResponse:
    template: RateFileTemplate = rate_file_templates(request.scope).get(pk=template_id)
    url = reverse("console_rate_file_templates")

    def confirm() -> str:
        delete_template(template=template, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"The template {template} is gone.")
        return url

    review = Review(
        title=f"Delete the template {template}?",
        lead="Imports that were made with it stay as they are.",
        submit="Delete",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


urls = [
    path("rate-tables/<int:table_id>/imports/", rate_import_list, name="console_rate_imports"),
    path("rate-imports/<int:import_id>/", rate_import_rows_page, name="console_rate_import"),
    path(
        "rate-imports/<int:import_id>/progress/",
        rate_import_progress,
        name="console_rate_import_progress",
    ),
    path(
        "rate-imports/<int:import_id>/confirm/",
        rate_import_confirm,
        name="console_rate_import_confirm",
    ),
    path(
        "rate-imports/<int:import_id>/discard/",
        rate_import_discard,
        name="console_rate_import_discard",
    ),
    path("rate-imports/<int:import_id>/undo/", rate_import_undo, name="console_rate_import_undo"),
    path("rate-imports/<int:import_id>/file/", rate_import_file, name="console_rate_import_file"),
    path("rate-file-templates/", rate_file_template_list, name="console_rate_file_templates"),
    path(
        "rate-file-templates/<int:template_id>/delete/",
        rate_file_template_delete,
        name="console_rate_file_template_delete",
    ),
]
