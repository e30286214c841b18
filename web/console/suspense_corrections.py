"""Suspense that is read otherwise than it was received: said, previewed, agreed to."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from cdr.models import IdentifiedBy, Mending, Suspense
from cdr.rules.mending import CORRECTABLE, Change, ChangeKind, Choice
from cdr.selectors.suspense import chosen_suspense, suspense
from cdr.services.mending import ask_for_mending, check_change
from cdr.services.mending_previews import PreviewedRow, StoredXdr, preview_change
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.suspense_choices import choice_of, is_of_lines, title_of
from web.console.suspense_steps import rows_url
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.links import url_of
from web.shared.tables import instant_html
from web.shared.writing import plain_number, price_html

_NAMED_BY = {
    IdentifiedBy.ACCOUNT_CODE: "account_code",
    IdentifiedBy.TRUNK: "trunk",
    IdentifiedBy.IP: "caller_ip",
    IdentifiedBy.NUMBER: "caller_number",
}


class FieldForm(Form):
    """A field of stored xDRs."""

    field = forms.ChoiceField(label="What", choices=list(CORRECTABLE.items()))
    kind = forms.ChoiceField(
        label="How",
        choices=[
            (ChangeKind.SET.value, "It is the text below, whatever was received"),
            (ChangeKind.PREFIX.value, "Where it begins so, another beginning takes its place"),
        ],
    )
    old_text = forms.CharField(
        label="Begins with", required=False, max_length=64, help_text="For another beginning only."
    )
    new_text = forms.CharField(
        label="Is to be",
        required=False,
        max_length=64,
        help_text="A start as 2026-10-05 14:30:00, of the source's zone unless it says +02:00.",
    )

    @property
    def change(self) -> Change:
        said = self.cleaned_data
        kind = ChangeKind(said["kind"])
        old_text = said["old_text"] if kind is ChangeKind.PREFIX else ""
        return Change(kind, said["field"], old_text, said["new_text"])


class LinesForm(Form):
    """Lines that became no xDR."""

    kind = forms.ChoiceField(
        label="How",
        choices=[
            (ChangeKind.TEXT.value, "A text in the lines is read as another"),
            (ChangeKind.ZONE.value, "Local times are of another time zone"),
        ],
    )
    old_text = forms.CharField(
        label="Text as received",
        required=False,
        strip=False,
        max_length=1000,
        help_text="Wherever it stands in a line; lines without it are left as they are.",
    )
    new_text = forms.CharField(
        label="Read as, or the time zone",
        required=False,
        strip=False,
        max_length=1000,
        help_text="A time zone by its name, such as Europe/Berlin; none: what the source says.",
    )

    @property
    def change(self) -> Change:
        said = self.cleaned_data
        kind = ChangeKind(said["kind"])
        old_text = said["old_text"] if kind is ChangeKind.TEXT else ""
        return Change(kind, "", old_text, said["new_text"])


class LineForm(Form):
    new_text = forms.CharField(
        label="Line",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"}),
        help_text="One line, in the format of its source. The line as received is kept.",
    )

    @property
    def change(self) -> Change:
        return Change(ChangeKind.LINE, new_text=self.cleaned_data["new_text"].replace("\r\n", " "))


_ChangeForm = FieldForm | LinesForm | LineForm


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def suspense_correct(request: SurfaceRequest) -> HttpResponse:
    choice = choice_of(request)
    page = FormPage(
        f"Correct: {title_of(choice)}",
        submit="See what it would change",
        cancel_url=rows_url(request),
        lead="What was received is kept, and what it is known by; the correction stands beside it."
        " An xDR that somebody is charged for already is left as it is.",
    )
    form: Any = LinesForm if is_of_lines(choice) else FieldForm
    return _correction_page(request, page, choice, form, _initial(choice))


def _initial(choice: Choice) -> dict[str, str]:
    if not choice.named_by:
        return {}
    return {"field": _NAMED_BY[IdentifiedBy(choice.named_by)], "old_text": choice.subject or ""}


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def suspense_line(request: SurfaceRequest, suspense_id: int) -> HttpResponse:
    row = suspense(request.scope, suspense_id)
    if row.xdr_id is not None:
        raise Suspense.DoesNotExist
    page = FormPage(
        f"Correct line {row.line_number} of {row.chunk.file}",
        submit="See what it would become",
        cancel_url=reverse("console_suspense_row", kwargs={"suspense_id": row.pk}),
        lead=f"Why it waits: {row.detail}.",
    )
    choice = Choice(suspense_ids=(row.pk,))
    initial = {"new_text": row.correction or row.raw}
    return _correction_page(request, page, choice, LineForm, initial)


def _correction_page(
    request: SurfaceRequest, page: FormPage, choice: Choice, form: Any, initial: dict[str, str]
) -> HttpResponse:
    row_count = chosen_suspense(request.scope, choice).count()

    def save(form: _ChangeForm) -> str:
        mending = ask_for_mending(
            provider_id=request.scope.provider_id,
            kind=Mending.Kind.CORRECT,
            choice=choice,
            change=form.change,
            stated_count=row_count,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return url_of(request.scope, mending)

    def review(form: _ChangeForm) -> Review:
        check_change(form.change)
        preview = preview_change(request.scope, choice, form.change, clock.now())
        shown, freed, left = len(preview.rows), preview.freed_count, preview.left_count
        chosen = plain_number(row_count) + (" row" if row_count == 1 else " rows")
        return Review(
            title=page.title,
            lead=f"Chosen: {chosen}. This is what the first of them would become by the terms of"
            " now; nothing is written yet.",
            headings=("What", "Rows"),
            rows=[
                ("Chosen", plain_number(row_count)),
                ("Shown below", plain_number(shown)),
                ("Of those, would wait no more", plain_number(freed)),
                ("Of those, would wait on", plain_number(shown - freed - left)),
                ("Of those, left as they are", plain_number(left)),
            ],
            facts=[(_label(row), _becomes(row)) for row in preview.rows],
            submit=f"Correct {chosen}",
        )

    return form_page(request, page, form=form, save=save, review=review, initial=initial)


def _label(row: PreviewedRow) -> str:
    return f"{row.row.chunk.file}, line {row.row.line_number}"


def _becomes(row: PreviewedRow) -> SafeString:
    if row.is_left and row.duplicate_of is None:
        return format_html("{}", "left as it is: the correction does not concern it")
    return format_html(
        '<span class="code">{}</span> → <span class="code">{}</span><br>{}',
        row.before or "nothing",
        row.after or "nothing",
        _outcome(row),
    )


def _outcome(row: PreviewedRow) -> SafeString:
    charges = format_html_join(
        ", ",
        "{} leg {}",
        (
            (kind.label.lower(), price_html(amount, currency))
            for kind, amount, currency in row.charges
        ),
    )
    stored = row.duplicate_of
    parts: Sequence[SafeString] = [
        *([_duplicate(row.row.provider_id, stored)] if stored else []),
        *([format_html("of {}", row.customer)] if row.customer else []),
        *([charges] if row.charges else []),
        *(
            format_html("waits on, {}: {}", trouble.reason.label.lower(), trouble.detail)
            for trouble in row.waits
        ),
    ]
    return format_html_join("; ", "{}", ((part,) for part in parts)) or format_html("no charge")


def _duplicate(provider_id: int, stored: StoredXdr) -> SafeString:
    key = (provider_id, stored.started_at, stored.id)
    return format_html(
        'duplicate of <a href="{}">xDR {}</a>, stored on {}',
        reverse("console_xdr", kwargs={"xdr_key": key}),
        stored.id,
        instant_html(stored.stored_at) if stored.stored_at else "no known day",
    )


_AT = "usage/suspense/"
urls = [
    path(f"{_AT}correct/", suspense_correct, name="console_suspense_correct"),
    path(f"{_AT}<int:suspense_id>/correct/", suspense_line, name="console_suspense_line"),
]
