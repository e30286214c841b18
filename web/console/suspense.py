"""Suspense in the console: what waits and why, what it is worth, corrected or tried again."""

from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse

from cdr.models import PartyKind, Suspense, SuspenseReason
from cdr.selectors import suspense as selectors
from cdr.selectors.parties import parties
from cdr.services.retries import ask_for_correction, ask_for_retry
from cdr.services.suspense import LineStillUnreadable
from common import clock
from common.scope import Surface
from customers.selectors import customers
from web.access import ACTION_METHODS, FORM_METHODS, SurfaceRequest, page_of
from web.console.reratings import rerating_url
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, LinkColumn, MoneyColumn, NumberColumn, Table
from web.shared.writing import NONE, money_html, plain_number

REMEDIES = {
    SuspenseReason.UNPARSABLE: "Correct the line; it is read again as you wrote it.",
    SuspenseReason.UNKNOWN_CUSTOMER: "Give the account code or number to a customer, on its page"
    " under Numbers, then try again.",
    SuspenseReason.UNKNOWN_VENDOR: "Give the source a vendor, or a trunk for the tech prefix, then"
    " try again.",
    SuspenseReason.UNRATED_CUSTOMER: "Add a rate for the destination to the customer's rate table,"
    " then try again.",
    SuspenseReason.UNRATED_VENDOR: "Add a rate for the destination to the vendor's rate table, then"
    " try again.",
    SuspenseReason.RESELLER_UNRATED: "Add a rate for the destination to the table assigned to the"
    " reseller, then try again.",
    SuspenseReason.FOREIGN_VENDOR: "The vendor belongs to another branch: correct the trunk, or let"
    " the source take foreign vendors, then try again.",
    SuspenseReason.BLOCKED: "A rate blocks this destination: change its status, then try again.",
    SuspenseReason.TOO_OLD: "Let the source take older xDRs, then try again.",
    SuspenseReason.IN_FUTURE: "Check the clock and time zone of the switch; try again once its time"
    " has come.",
    SuspenseReason.OVERFLOW: "The charge is larger than any real one: check the rate, then try"
    " again.",
}


class EstimateColumn(MoneyColumn):
    """What the customer would pay, where a rate for it is known."""

    def render(self, record: Any, value: Decimal) -> Any:
        return super().render(record, value) if value else NONE


class SuspenseTable(Table):
    reason = LinkColumn("Reason", accessor="get_reason_display")
    detail = Column("Detail")
    customer = LinkColumn("Customer", to="customer")
    started_at = InstantColumn("Started")
    volume = NumberColumn("Volume")
    estimated_amount = EstimateColumn("Estimated value")
    # In files only: the row's page names its file.
    file = Column("File", accessor="chunk__file", visible=False)
    line_number = NumberColumn("Line")
    raw = Column("As received", visible=False)


class SuspenseFilters(Filters):
    reason = choice_filter("Reason", "reason", SuspenseReason.choices)
    customer = django_filters.NumberFilter(label="Customer number", method="of_customer")
    file = django_filters.NumberFilter(label="File number", field_name="chunk__file_id")

    def of_customer(self, rows: QuerySet[Suspense], _: str, number: int) -> QuerySet[Suspense]:
        found = customers(self.request.scope).filter(number=number).first()
        return rows.none() if found is None else rows.filter(customer_id=found.pk)


@page_of(Surface.CONSOLE, "usage.read")
def suspense_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Suspense",
        lead="Usage that could not be identified or rated. Nothing of it is lost.",
        rows=selectors.open_suspense(request.scope),
        table=SuspenseTable,
        filters=SuspenseFilters,
        name="suspense",
        empty=Empty("Nothing waits", "Every xDR received so far could be rated."),
        template="console/usage/suspense_list.html",
        actions=[Action("Rate again", rerating_url(), "arrow-path", needs="usage.write")],
        context={
            "counts": selectors.suspense_counts(request.scope),
            "asked_count": selectors.asked_count(request.scope),
        },
    )


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def suspense_retry_reason(request: SurfaceRequest, reason: str) -> HttpResponse:
    if reason not in SuspenseReason.values or reason == SuspenseReason.UNPARSABLE:
        raise Http404
    counts = [each for each in selectors.suspense_counts(request.scope) if each.reason == reason]

    def confirm() -> str:
        asked = ask_for_retry(
            provider_id=request.scope.provider_id,
            reasons=[reason],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{plain_number(asked)} are being tried again.")
        return reverse("console_suspense")

    review = Review(
        title=f"Try again: {SuspenseReason(reason).label.lower()}",
        lead=REMEDIES[SuspenseReason(reason)]
        + " What can be rated now is charged; the rest goes on waiting.",
        facts=[
            ("Waiting", plain_number(sum(each.row_count for each in counts))),
            *(
                ("Estimated value", money_html(each.estimated_amount, each.currency))
                for each in counts
                if each.estimated_amount
            ),
        ],
        submit="Try again",
    )
    cancel_url = reverse("console_suspense")
    return confirm_page(request, review, confirm=confirm, cancel_url=cancel_url)


@page_of(Surface.CONSOLE, "usage.read")
def suspense_detail(request: SurfaceRequest, suspense_id: int) -> HttpResponse:
    row = selectors.suspense(request.scope, suspense_id)
    kind = None if row.payer_kind is None else PartyKind(row.payer_kind)
    payers = [] if kind is None or row.payer_id is None else [(int(kind), row.payer_id)]
    is_waiting = row.state == Suspense.State.OPEN and row.retry_asked_at is None
    context = {
        "row": row,
        "payer": next(iter(parties(request.scope, payers).values()), None),
        "remedy": REMEDIES[SuspenseReason(row.reason)],
        "xdr_url": _xdr_url(row),
        "actions": allowed(request.scope, _actions(row) if is_waiting else []),
        "can_retry": is_waiting and row.reason != SuspenseReason.UNPARSABLE,
    }
    return render(request, "console/usage/suspense_detail.html", context)


def _actions(row: Suspense) -> list[Action]:
    if row.reason != SuspenseReason.UNPARSABLE:
        return [Action("Rate again", _rerating_url(row), "arrow-path", needs="usage.write")]
    url = reverse("console_suspense_correct", kwargs={"suspense_id": row.pk})
    return [Action("Correct the line", url, "pencil-square", needs="usage.write", is_main=True)]


def _rerating_url(row: Suspense) -> str:
    """A dry run of all that waits for the same from when this began."""
    if row.xdr_id is None:
        return rerating_url(started_from=row.started_at)
    return rerating_url(started_from=row.started_at, suspense_reason=row.reason)


def _xdr_url(row: Suspense) -> str:
    if row.xdr_id is None:
        return ""
    key = (row.provider_id, row.started_at, row.xdr_id)
    return reverse("console_xdr", kwargs={"xdr_key": key})


@page_of(Surface.CONSOLE, "usage.write", ACTION_METHODS)
def suspense_retry(request: SurfaceRequest, suspense_id: int) -> HttpResponse:
    row = selectors.suspense(request.scope, suspense_id)
    asked = ask_for_retry(
        provider_id=request.scope.provider_id,
        suspense_ids=[row.pk],
        at=clock.now(),
        actor_id=request.scope.user_id,
    )
    if asked:
        messages.success(request, "It is being tried again.")
    else:
        messages.error(request, "It does not wait for this any more: nothing was changed.")
    return HttpResponseRedirect(_url(row))


class CorrectionForm(Form):
    raw = forms.CharField(
        label="Line",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"}),
        help_text="One line, in the format of its source. The line as received is kept.",
    )


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def suspense_correct(request: SurfaceRequest, suspense_id: int) -> HttpResponse:
    row = selectors.suspense(request.scope, suspense_id)

    def save(form: CorrectionForm) -> str:
        ask_for_correction(
            provider_id=request.scope.provider_id,
            suspense_id=row.pk,
            raw=form.cleaned_data["raw"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"Line {row.line_number} is being rated as corrected.")
        return _url(row)

    page = FormPage(
        f"Correct line {row.line_number} of {row.chunk.file}",
        submit="Rate the corrected line",
        cancel_url=_url(row),
        lead=f"It could not be read: {row.detail}.",
    )
    return form_page(
        request,
        page,
        form=CorrectionForm,
        save=save,
        fields_of={LineStillUnreadable: "raw"},
        initial={"raw": row.correction or row.raw},
    )


def _url(row: Suspense) -> str:
    return reverse("console_suspense_row", kwargs={"suspense_id": row.pk})


urls = [
    path("usage/suspense/", suspense_list, name="console_suspense"),
    path(
        "usage/suspense/<slug:reason>/try-again/",
        suspense_retry_reason,
        name="console_suspense_retry_reason",
    ),
    path("usage/suspense/<int:suspense_id>/", suspense_detail, name="console_suspense_row"),
    path("usage/suspense/<int:suspense_id>/retry/", suspense_retry, name="console_suspense_retry"),
    path(
        "usage/suspense/<int:suspense_id>/correct/",
        suspense_correct,
        name="console_suspense_correct",
    ),
]
