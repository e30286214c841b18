"""Files of xDRs in the console: received, and watched while they are rated; their sources."""

from pathlib import PurePath
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse

from cdr.importers.chunks import FileTooLarge, FileUnreadable
from cdr.importers.unpacking import ArchiveRefused, FileExpandsTooMuch
from cdr.models import Source, XdrFile
from cdr.selectors import files as selectors
from cdr.selectors.sources import sources
from cdr.services.giving_up import start_file_again
from cdr.services.intake import (
    SourceDisabled,
    XdrFileEmpty,
    XdrFileKnown,
    XdrFileUnlikeSource,
    receive_file,
)
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, choice_filter, row_filter, since_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.links import url_of
from web.shared.lists import Empty, list_page
from web.shared.progress import time_left
from web.shared.tables import BadgeColumn, Column, InstantColumn, LinkColumn, NumberColumn, Table
from web.shared.writing import plain_number

ENDINGS = (".csv", ".txt", ".log", ".json", ".ndjson", ".gz", ".zip")
ENDED = (XdrFile.State.DONE, XdrFile.State.FAILED)
_COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04")
_BYTES_LOOKED_AT = 4096
_REFUSALS = (
    *(XdrFileKnown, XdrFileEmpty, XdrFileUnlikeSource, FileTooLarge, FileUnreadable),
    *(FileExpandsTooMuch, ArchiveRefused),
)


class FileTable(Table):
    name = LinkColumn("File")
    source = Column("Source", accessor="source__name")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    line_count = NumberColumn("Lines")
    rated_count = NumberColumn("Rated")
    zero_count = NumberColumn("Unbilled")
    duplicate_count = NumberColumn("Duplicate")
    suspended_count = NumberColumn("Suspended")
    received_at = InstantColumn("Received", orderable=True)
    received_by = Column("By")


def _sources(request: SurfaceRequest) -> QuerySet[Source]:
    return sources(request.scope)


class FileFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name of the file"

    source = row_filter("Source", "source", _sources)
    state = choice_filter("State", "state", XdrFile.State.choices)
    since = since_filter("Received since", "received_at", of_instants=True)


@page_of(Surface.CONSOLE, "usage.read")
def file_list(request: SurfaceRequest) -> HttpResponse:
    upload = Action(
        "Upload a file",
        reverse("console_xdr_file_upload"),
        "arrow-up-tray",
        needs="usage.write",
        is_main=True,
    )
    return list_page(
        request,
        title="xDR files",
        rows=selectors.files(request.scope),
        table=FileTable,
        filters=FileFilters,
        name="xdr-files",
        actions=[upload],
        empty=Empty(
            "No files yet", "Upload what a switch recorded, and watch it being rated.", upload
        ),
    )


class UploadForm(Form):
    source = forms.ModelChoiceField(
        queryset=Source.objects.none(),
        empty_label="Choose a source",
        help_text="It says how the lines are to be read.",
    )
    file = forms.FileField(
        help_text="As the switch wrote it: plain, gzip, or a zip archive of one file.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(ENDINGS)}),
        error_messages={"empty": "The file is empty."},
    )

    def __init__(self, *args: Any, sources: QuerySet[Source], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["source"].queryset = sources  # type: ignore[attr-defined]

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if not str(file.name).lower().endswith(ENDINGS):
            raise forms.ValidationError(f"Send a file that ends in {', '.join(ENDINGS)}.")
        if (file.size or 0) > settings.XDR_UPLOAD_BYTES:
            most = filesizeformat(settings.XDR_UPLOAD_BYTES)
            raise forms.ValidationError(f"It is larger than {most}: compress or split it.")
        start = file.read(_BYTES_LOOKED_AT)
        file.seek(0)
        if not start.startswith(_COMPRESSED) and b"\0" in start:
            raise forms.ValidationError(
                "This is neither text, gzip nor zip: send what the switch wrote."
            )
        return file


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def file_upload(request: SurfaceRequest) -> HttpResponse:
    def save(form: UploadForm) -> str:
        upload = form.cleaned_data["file"]
        file = receive_file(
            content=upload,
            name=PurePath(upload.name).name[:255],
            source=form.cleaned_data["source"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{file.name} was received.")
        return reverse("console_xdr_file", kwargs={"file_id": file.pk})

    page = FormPage(
        "Upload a file of xDRs",
        submit="Upload",
        cancel_url=reverse("console_xdr_files"),
        lead="It is rated in the background. The same file, or the same xDR, is taken only once.",
    )
    return form_page(
        request,
        page,
        form=UploadForm,
        save=save,
        fields_of={
            SourceDisabled: "source",
            **dict.fromkeys(_REFUSALS, "file"),
        },
        sources=sources(request.scope).filter(is_enabled=True),
    )


@page_of(Surface.CONSOLE, "usage.read")
def file_detail(request: SurfaceRequest, file_id: int) -> HttpResponse:
    file = selectors.files(request.scope).get(pk=file_id)
    actions = allowed(request.scope, _actions(file))
    context = {"file": file, "actions": actions, **_progress(request, file)}
    return render(request, "console/usage/file_detail.html", context)


@page_of(Surface.CONSOLE, "usage.read")
def file_progress(request: SurfaceRequest, file_id: int) -> HttpResponse:
    file = selectors.files(request.scope).get(pk=file_id)
    return render(request, "console/usage/_file_progress.html", _progress(request, file))


def _actions(file: XdrFile) -> list[Action]:
    if file.state != XdrFile.State.FAILED and not file.failed_count:  # type: ignore[attr-defined]
        return []
    url = reverse("console_xdr_file_again", kwargs={"file_id": file.pk})
    return [Action("Start again", url, "arrow-path", needs="usage.write", is_main=True)]


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def file_again(request: SurfaceRequest, file_id: int) -> HttpResponse:
    file = selectors.files(request.scope).get(pk=file_id)
    progress = selectors.file_progress(request.scope, file.pk)

    def confirm() -> str:
        start_file_again(file_id=file.pk, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{file.name} was started again.")
        return url_of(request.scope, file)

    left = progress.line_count - progress.done_line_count
    review = Review(
        title=f"Start {file.name} again?",
        lead="What is left of it is rated by what holds now, and charged. What was rated stays.",
        facts=[
            ("Lines rated before", plain_number(progress.done_line_count)),
            ("Lines left", plain_number(left) if progress.line_count else "all of them"),
            ("What went wrong", progress.error or progress.failed_error),
        ],
        submit="Start again",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url_of(request.scope, file))


def _progress(request: SurfaceRequest, file: XdrFile) -> dict[str, object]:
    """What the partial shows that htmx asks for again until the file has ended."""
    progress = selectors.file_progress(request.scope, file.pk)
    has_ended = progress.state in ENDED
    refresh_url = reverse("console_xdr_file_progress", kwargs={"file_id": file.pk})
    waiting = f"{reverse('console_suspense_rows')}?file={file.pk}"
    return {
        "progress": progress,
        "has_failed": progress.state == XdrFile.State.FAILED,
        "has_ended": has_ended,
        "time_left": ""
        if has_ended
        else time_left(file.received_at, progress.done_line_count, progress.line_count),
        "refresh_url": "" if has_ended else refresh_url,
        "suspense_url": waiting,
    }


urls = [
    path("usage/files/", file_list, name="console_xdr_files"),
    path("usage/files/new/", file_upload, name="console_xdr_file_upload"),
    path("usage/files/<int:file_id>/", file_detail, name="console_xdr_file"),
    path("usage/files/<int:file_id>/progress/", file_progress, name="console_xdr_file_progress"),
    path("usage/files/<int:file_id>/again/", file_again, name="console_xdr_file_again"),
]
