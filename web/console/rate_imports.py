"""The import wizard: a rate file is sent, and somebody says how to read it; then it is compared."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from catalogue import selectors
from catalogue.importers.proposals import Proposal, propose_layout
from catalogue.importers.rate_files import sheet_names
from catalogue.importers.refusals import RateFileUnreadable
from catalogue.models import RateFileTemplate, RateImport, RateTable
from catalogue.rules.rate_layouts import ImportOptions, Layout
from catalogue.selectors.rate_imports import (
    rate_file_templates,
    rate_import,
    time_profile_ids,
)
from catalogue.services.rate_file_templates import save_template
from catalogue.services.rate_files import path_of
from catalogue.services.rate_imports import receive_rate_file, start_comparing
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.rate_import_forms import ColumnsForm, RateFileForm, ReadingForm, said_before
from web.shared.form_pages import FormPage, form_page

MOST_SHOWN_ROWS = 8


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_import_upload(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)

    def save(form: RateFileForm) -> str:
        file = form.cleaned_data["file"]
        received = receive_rate_file(
            content=file,
            name=PurePath(str(file.name)).name[:255],
            table=table,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return reverse("console_rate_import_columns", kwargs={"import_id": received.pk})

    page = FormPage(
        f"Import rates into {table}",
        submit="Go on",
        cancel_url=_table_url(table),
        lead=f"Amounts are in {table.currency} per {table.product.rating_unit}. Next you say what"
        " the columns mean, and then you see what every row does before anything is written.",
    )
    return form_page(
        request, page, form=RateFileForm, save=save, fields_of={RateFileUnreadable: "file"}
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_import_columns(request: SurfaceRequest, import_id: int) -> HttpResponse:
    """How the file is read, in the address, and what its columns mean, in the form."""
    imported = rate_import(request.scope, import_id)
    url = _url(imported)
    if imported.state not in ("RECEIVED", "COMPARED", "FAILED"):
        return HttpResponseRedirect(url)
    reading = _reading(request, imported)
    proposal, unreadable = _proposal(imported, reading)
    known = _known(imported, reading)
    if not unreadable and not reading.errors:
        # Shown as it was read, whether that was said or found out.
        asked = reading.cleaned_data if reading.is_bound else {}
        shown = {**proposal.layout.as_json(), "template": asked.get("template")}
        reading = _reading_form(request, proposal.sheets, initial=shown)
    profiles = time_profile_ids(request.scope)

    def save(form: ColumnsForm) -> str:
        start_comparing(
            rate_import=imported,
            layout=form.layout,
            options=form.options,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        _save_template(request, form)
        return url

    page = FormPage(
        f"What {imported} means",
        submit="See what it changes",
        cancel_url=url,
        lead=f"For {imported.rate_table}. Times are those of {imported.rate_table.time_zone}.",
        template="console/rates/rate_import_columns.html",
        context={
            "imported": imported,
            "reading": reading,
            "proposal": proposal,
            "unreadable": unreadable,
            "shown_rows": [
                (number, list(zip(proposal.headings, cells, strict=False)))
                for number, cells in proposal.rows[:MOST_SHOWN_ROWS]
            ],
        },
    )
    return form_page(
        request,
        page,
        form=ColumnsForm,
        save=save,
        initial=said_before(proposal, *known, clock.now()),
        proposal=proposal,
        zone=ZoneInfo(imported.rate_table.time_zone),
        time_profiles=profiles,
    )


def _reading(request: SurfaceRequest, imported: RateImport) -> ReadingForm:
    """How the address says that the file is written, else how it was read before."""
    try:
        sheets = sheet_names(path_of(imported))
    except RateFileUnreadable:
        sheets = []
    layout = imported.layout
    kept = {} if layout is None else layout.as_json()
    form = _reading_form(request, sheets, request.GET or None, initial=kept)
    form.full_clean()
    return form


def _reading_form(
    request: SurfaceRequest, sheets: Sequence[str], *asked: Any, initial: dict[str, Any]
) -> ReadingForm:
    templates = rate_file_templates(request.scope)
    return ReadingForm(*asked, templates=templates, sheets=sheets, initial=initial)


def _proposal(imported: RateImport, reading: ReadingForm) -> tuple[Proposal, str]:
    """The beginning of the file so read; why it cannot be, where it cannot."""
    said: dict[str, Any] = dict(reading.initial)
    if reading.is_bound:
        said = {
            name: value for name, value in reading.cleaned_data.items() if value not in ("", [])
        }
    if template := said.pop("template", None):
        said = {**template.layout, **said}
        if said.get("header_line") is None:
            said["header_line"] = template.layout["header_line"]
    try:
        return propose_layout(path_of(imported), said), ""
    except RateFileUnreadable as error:
        return Proposal(Layout(columns={}), [], [], []), str(error)


def _known(
    imported: RateImport, reading: ReadingForm
) -> tuple[Layout | None, ImportOptions | None]:
    """What the chosen template, or an earlier look at this file, says of the columns."""
    if reading.is_bound and (template := reading.cleaned_data.get("template")):
        return _of_template(template)
    if imported.layout is not None and not reading.is_bound:
        return imported.layout, imported.options
    return None, None


def _of_template(template: RateFileTemplate) -> tuple[Layout, ImportOptions]:
    return Layout.from_json(template.layout), ImportOptions.from_json(template.options)


def _save_template(request: SurfaceRequest, form: ColumnsForm) -> None:
    name = form.cleaned_data["save_as"]
    if name:
        save_template(
            provider_id=request.scope.provider_id,
            name=name,
            layout=form.layout,
            options=form.options,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"The template {name} was kept.")


def _table_url(table: RateTable) -> str:
    return reverse("console_rates", kwargs={"table_id": table.pk})


def _url(imported: RateImport) -> str:
    return reverse("console_rate_import", kwargs={"import_id": imported.pk})


urls = [
    path(
        "rate-tables/<int:table_id>/import/", rate_import_upload, name="console_rate_import_upload"
    ),
    path(
        "rate-imports/<int:import_id>/columns/",
        rate_import_columns,
        name="console_rate_import_columns",
    ),
]
