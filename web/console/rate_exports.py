"""Rate tables as files: asked for, written in the background, and taken away."""

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from catalogue.models import RateExport
from catalogue.selectors import rate_table
from catalogue.selectors.rate_exports import rate_export, rate_exports
from catalogue.selectors.rate_imports import rate_import
from catalogue.services.rate_exports import KEPT_DAYS, request_import_file, request_rate_export
from common import clock
from common.scope import Surface
from common.tries import GIVEN_UP
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.exports import kept_file
from web.shared.form_fields import Form, InstantField
from web.shared.form_pages import FormPage, form_page

_SHOWN = 10


class ExportForm(Form):
    format = forms.ChoiceField(choices=RateExport.Format.choices)
    prefix_layout = forms.ChoiceField(label="Prefixes", choices=RateExport.PrefixLayout.choices)
    in_force_at = InstantField(
        label="In force at",
        required=False,
        help_text="Empty: all rates, also those that ended, begin later, or are stashed.",
    )


@page_of(Surface.CONSOLE, "catalogue.read", FORM_METHODS)
def rates_export(request: SurfaceRequest, table_id: int) -> HttpResponse:
    """What to write, and the files that were written before."""
    table = rate_table(request.scope, table_id)

    def save(form: ExportForm) -> str:
        values: dict[str, Any] = form.cleaned_data
        export = request_rate_export(
            table=table,
            format=RateExport.Format(values["format"]),
            prefix_layout=RateExport.PrefixLayout(values["prefix_layout"]),
            in_force_at=values["in_force_at"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return reverse("console_rate_export", kwargs={"export_id": export.pk})

    page = FormPage(
        f"Export the rates of {table}",
        submit="Write the file",
        cancel_url=reverse("console_rates", kwargs={"table_id": table.pk}),
        lead="With every column of a rate. Imported into an empty table, the whole file makes the"
        " same table again.",
        template="console/rates/rates_export.html",
        context={"exports": rate_exports(request.scope, table)[:_SHOWN]},
    )
    return form_page(request, page, form=ExportForm, save=save)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_export_show(request: SurfaceRequest, export_id: int) -> HttpResponse:
    """How far it is, and the file; while it is written, htmx asks for the state every second."""
    export = rate_export(request.scope, export_id)
    is_old = export.done_at is not None and (clock.now() - export.done_at).days >= KEPT_DAYS
    is_there = export.state == RateExport.State.DONE and not is_old
    context = {
        "export": export,
        "table": export.rate_table,
        "is_there": is_there,
        "failure": GIVEN_UP if export.state == RateExport.State.FAILED else "",
    }
    part = "_rate_export_state" if request.htmx else "rate_export_show"
    return render(request, f"console/rates/{part}.html", context)


class ImportFileForm(Form):
    format = forms.ChoiceField(choices=RateExport.Format.choices)


@page_of(Surface.CONSOLE, "catalogue.read", FORM_METHODS)
def rate_import_all_rows(request: SurfaceRequest, import_id: int) -> HttpResponse:
    """Every row of an import as a file, however many there are."""
    imported = rate_import(request.scope, import_id)

    def save(form: ImportFileForm) -> str:
        export = request_import_file(
            rate_import=imported,
            format=RateExport.Format(form.cleaned_data["format"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return reverse("console_rate_export", kwargs={"export_id": export.pk})

    page = FormPage(
        f"What {imported} does, as a file",
        submit="Write the file",
        cancel_url=reverse("console_rate_import", kwargs={"import_id": imported.pk}),
        lead=f"All {sum(imported.counts.values()):,} rows: where each is in the file that was sent,"
        " what it does, the price before, what is wrong with it, and every column of its rate.",
    )
    return form_page(request, page, form=ImportFileForm, save=save)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_export_file(request: SurfaceRequest, export_id: int) -> HttpResponse:
    export = rate_export(request.scope, export_id)
    if export.content is None:
        raise Http404
    return kept_file(export.format, bytes(export.content), export.file_name)


urls = [
    path(
        "rate-imports/<int:import_id>/rows/",
        rate_import_all_rows,
        name="console_rate_import_all_rows",
    ),
    path("rate-tables/<int:table_id>/export/", rates_export, name="console_rates_export"),
    path("rate-tables/exports/<int:export_id>/", rate_export_show, name="console_rate_export"),
    path(
        "rate-tables/exports/<int:export_id>/file/",
        rate_export_file,
        name="console_rate_export_file",
    ),
]
