"""A trunk that is given to a source where its calls wait for it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.urls import path

from catalogue.rules.tags import TAGS_CHARACTERS
from cdr.models import Mending, SuspenseReason
from cdr.selectors.suspense import chosen_suspense, group_of, suspense
from cdr.services.source_editing import SourceRefused, TrunkTaken, add_trunk, trunk_lines
from cdr.services.sources import TrunkTerms
from common import clock
from common.scope import Surface
from resellers.models import Vendor
from resellers.selectors import vendors
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.suspense_choices import HEADINGS, address, query
from web.console.suspense_steps import asked_for, stated
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, form_page


class TrunkForm(Form):
    tech_prefix = forms.CharField(
        max_length=12,
        help_text="How the numbers dialled begin, up to 12 digits, * and #. It is taken off them.",
    )
    vendor = forms.ModelChoiceField(queryset=Vendor.objects.none(), empty_label="Choose a vendor")
    tags = forms.CharField(
        max_length=TAGS_CHARACTERS,
        required=False,
        help_text="Words separated by commas that its calls carry.",
    )

    def __init__(self, *args: Any, terminating: QuerySet[Vendor], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["vendor"].queryset = terminating  # type: ignore[attr-defined]


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def suspense_trunk(request: SurfaceRequest, suspense_id: int) -> HttpResponse:
    """What reaches no vendor in a row, and in all that wait for the same, reaches one then."""
    row = suspense(request.scope, suspense_id)
    if row.reason != SuspenseReason.UNKNOWN_VENDOR or not row.subject:
        raise Http404
    source, choice = row.source, group_of(row)
    row_count = chosen_suspense(request.scope, choice).count()

    def save(form: TrunkForm) -> str:
        said = form.cleaned_data
        add_trunk(
            source=source,
            tech_prefix=said["tech_prefix"],
            trunk=TrunkTerms(said["vendor"].pk, said["tags"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        url = asked_for(request, Mending.Kind.RETRY, choice, row_count)
        told = f"Calls of {source} to {said['tech_prefix']}… go to {said['vendor']} from now on."
        messages.success(request, told)
        return url

    def review(form: TrunkForm) -> Review:
        said = form.cleaned_data
        return Review(
            title=page.title,
            lead=page.lead,
            facts=[
                ("Tech prefix", said["tech_prefix"]),
                ("Vendor", said["vendor"]),
                *([("Tags", said["tags"])] if said["tags"] else []),
                ("Trunks so far", ", ".join(trunk_lines(source)) or "none"),
            ],
            headings=HEADINGS,
            rows=stated(request.scope, choice, row_count),
            submit="Add it and try again",
        )

    page = FormPage(
        f"Add a trunk to {source}",
        submit="See what it concerns",
        cancel_url=address("console_suspense_rows", query(choice)),
        lead="Calls to numbers that begin so go to the vendor from now on, and those that wait for"
        " it are tried again. What was rated stays as it is.",
    )
    return form_page(
        request,
        page,
        form=TrunkForm,
        save=save,
        review=review,
        fields_of=dict.fromkeys((SourceRefused, TrunkTaken), "tech_prefix"),
        initial={"tech_prefix": row.subject},
        terminating=vendors(request.scope),
    )


urls = [
    path("usage/suspense/<int:suspense_id>/trunk/", suspense_trunk, name="console_suspense_trunk"),
]
