"""What is done about chosen suspense: tried again, accepted, discarded, given to a customer."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from cdr.models import IdentifiedBy, Mending, SuspenseReason
from cdr.rules.mending import Choice
from cdr.selectors.suspense import chosen_suspense, group_of, suspense
from cdr.selectors.suspense_groups import chosen_worth
from cdr.selectors.suspense_lines import HeadersDiffer, TooManyLines, received_lines
from cdr.services.identifiers import IdentifierRefused, IdentifierTaken, give_identifier
from cdr.services.mending import NotAcceptable, ReasonMissing, ask_for_mending
from common import clock
from common.scope import Scope, Surface
from customers.models import Customer
from customers.selectors import customers
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.suspense_choices import HEADINGS, address, choice_of, query, query_of, title_of
from web.shared.exports import attachment
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.links import url_of
from web.shared.writing import money_html, plain_number

Kind = Mending.Kind
LINES_TYPE = "text/plain; charset=utf-8"


def rows_url(request: SurfaceRequest) -> str:
    """The rows that an address is about."""
    return address("console_suspense_rows", query_of(request))


def stated(scope: Scope, choice: Choice, row_count: int) -> list[tuple[str, object]]:
    """How much is chosen and what it is worth by rates that are known: agreed to as it is."""
    return [
        ("Rows", plain_number(row_count)),
        *(
            (f"Worth by its rates, {each.currency}", money_html(each.known_amount, each.currency))
            for each in chosen_worth(scope, choice)
        ),
    ]


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def suspense_retry(request: SurfaceRequest) -> HttpResponse:
    choice = choice_of(request)
    row_count = chosen_suspense(request.scope, choice).count()

    def confirm() -> str:
        return asked_for(request, Kind.RETRY, choice, row_count)

    review = Review(
        title=f"Try again: {title_of(choice)}",
        lead="What can be read and rated now is charged; the rest goes on waiting.",
        headings=HEADINGS,
        rows=stated(request.scope, choice, row_count),
        submit="Try again",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=rows_url(request))


def asked_for(
    request: SurfaceRequest, kind: Mending.Kind, choice: Choice, row_count: int, note: str = ""
) -> str:
    """Have a mending begun; returns the address of its page."""
    mending = ask_for_mending(
        provider_id=request.scope.provider_id,
        kind=kind,
        choice=choice,
        note=note,
        stated_count=row_count,
        at=clock.now(),
        actor_id=request.scope.user_id,
    )
    return url_of(request.scope, mending)


class NoteForm(Form):
    note = forms.CharField(
        label="Why", max_length=300, help_text="It is kept in the history and the audit log."
    )


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def suspense_accept(request: SurfaceRequest) -> HttpResponse:
    return _decision_page(
        request,
        Kind.ACCEPT,
        "Accept them",
        "Lines that came too late or too early are read and rated whatever their time, but for"
        " months that are kept in files only.",
    )


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def suspense_discard(request: SurfaceRequest) -> HttpResponse:
    return _decision_page(
        request,
        Kind.DISCARD,
        "Discard them",
        "Nobody will be charged for it, also not by rating again. It is kept, and can be taken"
        " back. An xDR that somebody is charged for already is left as it is.",
    )


def _decision_page(
    request: SurfaceRequest, kind: Mending.Kind, submit: str, lead: str
) -> HttpResponse:
    """A page that asks why, and then whether."""
    choice = choice_of(request)
    row_count = chosen_suspense(request.scope, choice).count()
    title = f"{kind.label}: {title_of(choice)}"
    page = FormPage(title, submit="Go on", cancel_url=rows_url(request), lead=lead)
    return form_page(
        request,
        page,
        form=NoteForm,
        save=lambda form: asked_for(request, kind, choice, row_count, form.cleaned_data["note"]),
        review=lambda form: Review(
            title=title,
            lead=lead,
            facts=[("Why", form.cleaned_data["note"])],
            headings=HEADINGS,
            rows=stated(request.scope, choice, row_count),
            submit=submit,
            is_dangerous=kind == Kind.DISCARD,
        ),
        fields_of={ReasonMissing: "note", NotAcceptable: "note"},
    )


class GivingForm(Form):
    customer = forms.IntegerField(label="Customer number", min_value=1, max_value=2**63 - 1)

    def __init__(self, *args: Any, scope: Scope, **options: Any) -> None:
        super().__init__(*args, **options)
        self.scope = scope

    def clean_customer(self) -> Customer:
        number = self.cleaned_data["customer"]
        found = customers(self.scope).filter(number=number).first()
        if found is None:
            raise forms.ValidationError("There is no customer of this number.")
        return found


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def suspense_give(request: SurfaceRequest, suspense_id: int) -> HttpResponse:
    """What names nobody in a row, and in all that wait for the same, names a customer then."""
    row = suspense(request.scope, suspense_id)
    if row.reason != SuspenseReason.UNKNOWN_CUSTOMER or not row.subject:
        raise Http404
    kind, value, choice = IdentifiedBy(row.named_by), row.subject, group_of(row)
    row_count = chosen_suspense(request.scope, choice).count()
    may_try_again = "usage.write" in request.scope.permissions

    def save(form: GivingForm) -> str:
        customer = form.cleaned_data["customer"]
        give_identifier(
            customer=customer,
            kind=kind,
            value=value,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        url = (
            asked_for(request, Kind.RETRY, choice, row_count)
            if may_try_again
            else reverse("console_identifiers", kwargs={"customer_id": customer.pk})
        )
        messages.success(request, f"Usage under {value} is charged to {customer} from now on.")
        return url

    def review(form: GivingForm) -> Review:
        return Review(
            title=page.title,
            lead=page.lead,
            facts=[("Customer", form.cleaned_data["customer"])],
            headings=HEADINGS,
            rows=stated(request.scope, choice, row_count),
            submit=page.submit,
        )

    page = FormPage(
        f"Give {kind.label.lower()} {value} to a customer",
        submit="Give it and try again" if may_try_again else "Give it",
        cancel_url=address("console_suspense_rows", query(choice)),
        lead="Usage under it is charged to this customer from now on"
        + (
            ", and so is what waits for it."
            if may_try_again
            else "; what waits for it once somebody who may tries it again."
        ),
    )
    refusals = dict.fromkeys((IdentifierRefused, IdentifierTaken), "customer")
    return form_page(
        request,
        page,
        form=GivingForm,
        save=save,
        review=review,
        fields_of=refusals,
        scope=request.scope,
    )


@page_of(Surface.CONSOLE, "usage.read")
def suspense_lines(request: SurfaceRequest) -> HttpResponse:
    try:
        text = received_lines(request.scope, choice_of(request))
    except (HeadersDiffer, TooManyLines) as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(rows_url(request))
    return attachment(text.encode(), "suspense-lines.txt", LINES_TYPE)


_AT = "usage/suspense/"
urls = [
    path(f"{_AT}try-again/", suspense_retry, name="console_suspense_retry"),
    path(f"{_AT}accept/", suspense_accept, name="console_suspense_accept"),
    path(f"{_AT}discard/", suspense_discard, name="console_suspense_discard"),
    path(f"{_AT}<int:suspense_id>/give/", suspense_give, name="console_suspense_give"),
    path(f"{_AT}lines/", suspense_lines, name="console_suspense_lines"),
]
