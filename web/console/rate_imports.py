"""Rate files in the console: sent, looked at line by line, and only then imported; and exported."""

from datetime import datetime
from secrets import token_urlsafe
from typing import TypedDict

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse

from catalogue import selectors
from catalogue.models import RateTable
from catalogue.rules.rate_files import COLUMNS, PlannedRow, RateFileUnreadable, RowClass
from catalogue.services.rate_imports import import_rates, plan_rate_import
from common import clock
from common.csv_files import Cell
from common.errors import DomainError
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.exports import csv_response
from web.shared.form_fields import Form, InstantField
from web.shared.form_pages import FormPage, form_page

MOST_BYTES = 16 * 1024 * 1024
MOST_SHOWN = 500
KEPT_SECONDS = 3600
PLAN_COLUMNS = (
    *("line", "class", "prefix", "destination", "rate before", "rate", "in force from"),
    *("column", "error"),
)


class SentFile(TypedDict):
    """A file between the dry run and the import; it is kept for an hour."""

    name: str
    text: str
    default_start: datetime


class ImportForm(Form):
    file = forms.FileField(
        help_text=f"CSV with a header of these columns: {', '.join(COLUMNS)}."
        " Only prefix and rate are required.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv"}),
        error_messages={"empty": "The file is empty."},
    )
    default_start = InstantField(
        label="In force from", help_text="For lines that do not say it themselves."
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if not str(file.name).lower().endswith(".csv"):
            raise forms.ValidationError("Send a file that ends in .csv.")
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError("It is larger than 16 MB: split it by destination.")
        try:
            self.text = file.read().decode()
        except UnicodeDecodeError as error:
            raise forms.ValidationError("It is not UTF-8 text: save it as CSV UTF-8.") from error
        return file


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_import(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)

    def save(form: ImportForm) -> str:
        start = form.cleaned_data["default_start"]
        plan_rate_import(table=table, text=form.text, default_start=start)
        sent = SentFile(name=form.cleaned_data["file"].name, text=form.text, default_start=start)
        token = token_urlsafe(16)
        cache.set(_key(table, token), sent, KEPT_SECONDS)
        return reverse("console_rate_import_plan", kwargs={"table_id": table.pk, "token": token})

    page = FormPage(
        f"Import rates into {table}",
        submit="Look at what it changes",
        cancel_url=_url(table),
        lead=f"Amounts are in {table.currency} per {table.product.rating_unit}. You see what each"
        " line does before anything is written.",
    )
    return form_page(
        request,
        page,
        form=ImportForm,
        save=save,
        fields_of={RateFileUnreadable: "file"},
        initial={"default_start": clock.now()},
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_import_plan(request: SurfaceRequest, table_id: int, token: str) -> HttpResponse:
    """The dry run of a file that was sent, and, by POST, the import of exactly that."""
    table = selectors.rate_table(request.scope, table_id)
    sent: SentFile | None = cache.get(_key(table, token))
    if sent is None:
        raise Http404
    refusal = ""
    if request.method == "POST":
        try:
            return _import(request, table, sent, token)
        except DomainError as error:
            refusal = str(error)
    plan = plan_rate_import(table=table, text=sent["text"], default_start=sent["default_start"])
    if request.GET.get("format") == "csv":
        return csv_response("rate-import", PLAN_COLUMNS, [_plan_cells(row) for row in plan.rows])
    chosen = request.GET.get("class", "")
    rows = [row for row in plan.rows if not chosen or row.row_class == chosen]
    context = {
        "table": table,
        "sent": sent,
        "plan": plan,
        "counts": [(each, count) for each, count in plan.counts.items() if count],
        "rows": rows[:MOST_SHOWN],
        "row_count": len(rows),
        "chosen": chosen,
        "refusal": refusal,
        "has_errors": bool(plan.counts[RowClass.ERROR]),
        "has_changes": any(row.writes for row in plan.rows),
        "past_count": sum(_is_past(row) for row in plan.rows),
        "table_url": _url(table),
        "again_url": reverse("console_rate_import", kwargs={"table_id": table.pk}),
    }
    status = 422 if refusal else 200
    return render(request, "console/rates/rate_import_plan.html", context, status=status)


def _import(request: SurfaceRequest, table: RateTable, sent: SentFile, token: str) -> HttpResponse:
    revision = request.POST.get("revision", "")
    imported = import_rates(
        table=table,
        text=sent["text"],
        default_start=sent["default_start"],
        revision=int(revision) if revision.isdecimal() else 0,
        at=clock.now(),
        actor_id=request.scope.user_id,
    )
    cache.delete(_key(table, token))
    written = sum(row.writes for row in imported.rows)
    messages.success(request, f"{written:,} rates of {sent['name']} were imported.")
    return HttpResponseRedirect(_url(table))


def _is_past(row: PlannedRow) -> bool:
    terms = row.line.terms
    return row.writes and terms is not None and terms.effective_from < clock.now()


def _plan_cells(row: PlannedRow) -> list[Cell]:
    terms = row.line.terms
    return [
        row.line.number,
        row.row_class.value,
        row.line.prefix,
        terms.destination if terms else None,
        row.before.rate if row.before else None,
        terms.rate if terms else None,
        terms.effective_from if terms else None,
        row.line.column,
        row.line.error,
    ]


def _key(table: RateTable, token: str) -> str:
    return f"rate-file:{table.provider_id}:{table.pk}:{token}"


def _url(table: RateTable) -> str:
    return reverse("console_rates", kwargs={"table_id": table.pk})


urls = [
    path("rate-tables/<int:table_id>/import/", rate_import, name="console_rate_import"),
    path(
        "rate-tables/<int:table_id>/import/<slug:token>/",
        rate_import_plan,
        name="console_rate_import_plan",
    ),
]
