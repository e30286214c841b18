"""Trying how a source reads lines, and saying which column of other CSV is what."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from cdr.models import Source
from cdr.rules.column_mapping import (
    COLUMNS,
    DECIMAL_SIGNS,
    LONGEST_NAME,
    NEEDED,
    SEPARATORS,
    ColumnMapping,
    TimeFormat,
    VolumeUnit,
)
from cdr.selectors.sources import sources
from cdr.selectors.suspense_lines import suspense_sample
from cdr.services.sampling import MOST_SHOWN, Sample, try_sample
from cdr.services.source_editing import map_columns
from cdr.services.sources import source_terms
from common import clock
from common.scope import Surface
from web.access import ACTION_METHODS, FORM_METHODS, SurfaceRequest, page_of
from web.console.suspense_choices import address, choice_if_any, query_of
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, form_page

SAMPLE_CHARACTERS = 50_000
_FILE_FIELD = "sample_file"


class SampleForm(Form):
    sample = forms.CharField(
        label="Lines to try",
        max_length=SAMPLE_CHARACTERS,
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"class": "code", "wrap": "off", "spellcheck": "false"}),
        help_text=f"The beginning of a file. The first {MOST_SHOWN} lines are read; nothing is"
        " kept of them.",
    )
    sample_file = forms.FileField(
        label="or a file",
        required=False,
        help_text="Its beginning goes into the box above, if that is empty.",
    )


class MappingForm(SampleForm):
    groups: ClassVar[Any] = (
        (
            "How a line is written",
            ("separator", "has_header", "time_format", "volume_unit", "decimal_sign"),
        ),
        ("Which column is what: its name in the header, or its number from 1", tuple(COLUMNS)),
        ("Try it", ("sample", _FILE_FIELD)),
    )

    separator = forms.ChoiceField(label="Fields are separated by", choices=list(SEPARATORS.items()))
    has_header = forms.BooleanField(label="The first line names the columns", required=False)
    time_format = forms.ChoiceField(
        label="Times are written as",
        choices=[(each.value, each.value) for each in TimeFormat],
        help_text="The end of October 2026. Without an offset they are in the source's time zone.",
    )
    volume_unit = forms.ChoiceField(
        label="Volumes are in", choices=[(each.value, each.value) for each in VolumeUnit]
    )
    decimal_sign = forms.ChoiceField(choices=list(DECIMAL_SIGNS.items()))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, label in COLUMNS.items():
            self.fields[name] = forms.CharField(
                label=label, max_length=LONGEST_NAME, required=name in NEEDED
            )

    @property
    def mapping(self) -> ColumnMapping:
        values = self.cleaned_data
        return ColumnMapping(
            columns={name: values[name] for name in COLUMNS if values.get(name)},
            has_header=values["has_header"],
            separator=values["separator"],
            time_format=TimeFormat(values["time_format"]),
            volume_unit=VolumeUnit(values["volume_unit"]),
            decimal_sign=values["decimal_sign"],
        )


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def source_mapping(request: SurfaceRequest, source_id: int) -> HttpResponse:
    source = sources(request.scope).get(pk=source_id, format=Source.Format.MAPPED_CSV)
    _put_file_into_box(request)

    waiting = suspense_sample(request.scope, choice_if_any(request), source.pk)

    def save(form: MappingForm) -> str:
        map_columns(
            source=source, mapping=form.mapping, at=clock.now(), actor_id=request.scope.user_id
        )
        if waiting:
            messages.success(request, f"The columns of {source} are known: try the lines again.")
            return address("console_suspense_retry", query_of(request))
        messages.success(request, f"The columns of {source} are known now; files can be uploaded.")
        return reverse("console_sources")

    page = FormPage(
        f"Columns of {source}",
        submit="Save the columns",
        cancel_url=reverse("console_sources"),
        lead="They hold for files from now on, and for lines that are tried again.",
        template="console/usage/source_mapping.html",
        context=_sample_context(request, source, "console_source_mapping_preview", waiting),
    )
    initial = {**_initial(source), "sample": waiting}
    return form_page(request, page, form=MappingForm, save=save, initial=initial)


@page_of(Surface.CONSOLE, "usage.write", ACTION_METHODS)
def source_mapping_preview(request: SurfaceRequest, source_id: int) -> HttpResponse:
    """What a sample becomes with the columns as they are typed, while they are."""
    source = sources(request.scope).get(pk=source_id, format=Source.Format.MAPPED_CSV)
    _put_file_into_box(request)
    context = _sample_context(request, source, "console_source_mapping_preview")
    return render(request, "console/usage/_sample.html", context)


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def source_try(request: SurfaceRequest, source_id: int) -> HttpResponse:
    source = sources(request.scope).get(pk=source_id)
    _put_file_into_box(request)
    waiting = suspense_sample(request.scope, choice_if_any(request), source.pk)
    form = SampleForm(request.POST or None, request.FILES or None, initial={"sample": waiting})
    context = {"source": source, "form": form, **_sample_context(request, source, "", waiting)}
    return render(request, "console/usage/source_try.html", context)


def _put_file_into_box(request: SurfaceRequest) -> None:
    """What was sent as a file is tried, and shown again, as if it had been pasted."""
    file = request.FILES.get(_FILE_FIELD)
    if file is not None and not request.POST.get("sample"):
        sent = request.POST.copy()
        sent["sample"] = file.read(SAMPLE_CHARACTERS).decode(errors="replace").replace("\0", "")
        request.POST = sent  # type: ignore[assignment]


def _sample_context(
    request: SurfaceRequest, source: Source, preview: str, waiting: str = ""
) -> dict[str, Any]:
    """The source, what came of the sample that was sent, and where to ask for that anew.

    Before one was sent it is the lines that wait in suspense, where the address chooses some.
    """
    url = reverse(preview, kwargs={"source_id": source.pk}) if preview else ""
    text = request.POST.get("sample", "") if request.method == "POST" else waiting
    sample = _sampled(request, source, text[:SAMPLE_CHARACTERS])
    return {"source": source, "sample": sample, "preview_url": url}


def _sampled(request: SurfaceRequest, source: Source, text: str) -> Sample | None:
    if not text.strip():
        return None
    if source.format != Source.Format.MAPPED_CSV:
        return try_sample(text, source_terms(source.pk), mapping=None)
    if "separator" not in request.POST:
        return try_sample(text, source_terms(source.pk), mapping=source.column_mapping)
    form = MappingForm(request.POST)
    if not form.is_valid():
        return Sample((), "Fill in the fields above that are needed, and it is read.")
    faults = form.mapping.faults()
    if faults:
        return Sample((), " ".join(faults.values()))
    return try_sample(text, source_terms(source.pk), mapping=form.mapping)


def _initial(source: Source) -> dict[str, Any]:
    mapping = source.column_mapping or ColumnMapping(columns={})
    return {**mapping.to_json(), **mapping.columns}


urls = [
    path("usage/sources/<int:source_id>/columns/", source_mapping, name="console_source_mapping"),
    path(
        "usage/sources/<int:source_id>/columns/preview/",
        source_mapping_preview,
        name="console_source_mapping_preview",
    ),
    path("usage/sources/<int:source_id>/try/", source_try, name="console_source_try"),
]
