"""What billing mode would have cost: asked for resellers and a past period, and the answer."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime

from catalogue.models import ProductKind, RateTable
from catalogue.selectors import rate_tables
from cdr.models import WhatIf
from cdr.selectors import what_ifs as selectors
from cdr.services.what_ifs import (
    NobodyAskedAbout,
    WhatIfTooLong,
    ask_what_if,
    cancel_what_if,
)
from common import clock
from common.csv_files import Cell
from common.periods import Period
from resellers.models import BillingModeAssignment, Reseller
from resellers.selectors import resellers
from resellers.services.billing_mode import InternalTableNeeded, RateTableDoesNotFit
from web.access import FORM_METHODS, SurfaceRequest
from web.console.reseller_billing_modes import POLICIES
from web.console.reseller_pages import reseller_page
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, choice_filter, row_filter, since_filter
from web.shared.form_fields import DateField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.progress import time_left
from web.shared.tables import BadgeColumn, DateColumn, InstantColumn, LinkColumn, Table

DAYS_ASKED_ABOUT = 30


class AskedColumn(LinkColumn):
    """When it was asked, leading to the answer."""

    def render(self, record: Any, value: datetime, table: Any) -> Any:
        return super().render(record, date_format(localtime(value), "DATETIME_FORMAT"), table)

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [localtime(value)]


class WhatIfTable(Table):
    asked_at = AskedColumn("Asked", orderable=True)
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    rate_table = LinkColumn("Rate table", accessor="rate_table__name", to="rate_table")
    policy = BadgeColumn("Internal calls", value="policy")
    from_date = DateColumn("From day")
    last_date = DateColumn("To day")
    finished_at = InstantColumn("Answered")


def _tables(request: SurfaceRequest) -> QuerySet[RateTable]:
    return rate_tables(request.scope).filter(product__kind=ProductKind.VOICE)


class WhatIfFilters(Filters):
    state = choice_filter("State", "state", WhatIf.State.choices)
    rate_table = row_filter("Rate table", "rate_table", _tables)
    since = since_filter("Asked since", "asked_at", of_instants=True)


@reseller_page("resellers.read")
def what_if_list(request: SurfaceRequest) -> HttpResponse:
    ask = Action(
        "Ask what if",
        reverse("console_what_if_ask"),
        "plus",
        needs="resellers.write",
        is_main=True,
    )
    return list_page(
        request,
        title="What if billing mode had been on",
        lead="What resellers would have paid their parents in a past period. Nobody is charged.",
        rows=selectors.what_ifs(request.scope),
        table=WhatIfTable,
        filters=WhatIfFilters,
        name="what-ifs",
        actions=[ask],
        empty=Empty(
            "Nothing asked yet",
            "Ask before you switch billing mode on: the answer says what it moves from whom to"
            " whom.",
            ask,
        ),
    )


class AskForm(Form):
    groups = (
        ("Who and when", ("resellers", "from_date", "last_date")),
        ("What they would pay", ("rate_table", "policy", "internal_rate_table")),
    )

    resellers = forms.ModelMultipleChoiceField(
        queryset=Reseller.objects.none(), help_text="One or more, of one currency."
    )
    from_date = DateField(label="From day")
    last_date = DateField(label="To day", help_text="Inclusive.")
    rate_table = forms.ModelChoiceField(
        queryset=RateTable.objects.none(),
        empty_label="Choose a rate table",
        help_text="In the resellers' currency; it also says for which product.",
    )
    policy = forms.ChoiceField(
        label="Calls between their own customers", choices=list(POLICIES.items())
    )
    internal_rate_table = forms.ModelChoiceField(
        queryset=RateTable.objects.none(),
        required=False,
        label="Rate table of those calls",
        empty_label="None",
    )

    def __init__(
        self,
        *args: Any,
        tables: QuerySet[RateTable],
        asked_about: QuerySet[Reseller],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["resellers"].queryset = asked_about  # type: ignore[attr-defined]
        for name in ("rate_table", "internal_rate_table"):
            self.fields[name].queryset = tables  # type: ignore[attr-defined]

    def clean_last_date(self) -> date:
        last: date = self.cleaned_data["last_date"]
        first = self.cleaned_data.get("from_date")
        if first is not None and last < first:
            raise forms.ValidationError("It is before the first day.")
        return last

    @property
    def period(self) -> Period:
        values = self.cleaned_data
        return Period(values["from_date"], values["last_date"] + timedelta(days=1))


@reseller_page("resellers.write", FORM_METHODS)
def what_if_ask(request: SurfaceRequest) -> HttpResponse:
    def save(form: AskForm) -> str:
        chosen = form.cleaned_data
        question = ask_what_if(
            provider_id=request.scope.provider_id,
            resellers=list(chosen["resellers"]),
            rate_table=chosen["rate_table"],
            policy=BillingModeAssignment.Policy(chosen["policy"]),
            internal_rate_table=chosen["internal_rate_table"],
            period=form.period,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return reverse("console_what_if", kwargs={"what_if_id": question.pk})

    page = FormPage(
        "What if billing mode had been on?",
        submit="Reckon",
        cancel_url=reverse("console_what_ifs"),
        lead="Calls of the period are rated as if these resellers had been in billing mode, in the"
        " background. Nobody is charged.",
    )
    return form_page(
        request,
        page,
        form=AskForm,
        save=save,
        fields_of={
            NobodyAskedAbout: "resellers",
            WhatIfTooLong: "last_date",
            InternalTableNeeded: "internal_rate_table",
            RateTableDoesNotFit: "rate_table",
        },
        initial=_initial(request),
        tables=_tables(request),
        asked_about=resellers(request.scope),
    )


def _initial(request: SurfaceRequest) -> dict[str, object]:
    """The last days up to yesterday, and the reseller whose page led here."""
    yesterday = localdate(clock.now()) - timedelta(days=1)
    named = request.GET.get("reseller", "")
    return {
        "resellers": [named] if named.isdecimal() else [],
        "from_date": yesterday - timedelta(days=DAYS_ASKED_ABOUT - 1),
        "last_date": yesterday,
        "policy": BillingModeAssignment.Policy.PARENT_VENDORS_ONLY,
    }


@reseller_page("resellers.read")
def what_if_show(request: SurfaceRequest, what_if_id: int) -> HttpResponse:
    question = selectors.what_if(request.scope, what_if_id)
    cancel = Action(
        "Cancel",
        reverse("console_what_if_cancel", kwargs={"what_if_id": question.pk}),
        "no-symbol",
        needs="resellers.write",
    )
    is_done = question.state == WhatIf.State.DONE
    context = {
        **_progress(question),
        "policy": POLICIES[BillingModeAssignment.Policy(question.policy)],
        "actions": [] if question.has_ended else allowed(request.scope, [cancel]),
        "resellers": selectors.resellers_asked_about(request.scope, question),
        "margins": selectors.margins_of(request.scope, question) if is_done else [],
        "is_done": is_done,
        "was_cancelled": question.state == WhatIf.State.CANCELLED,
    }
    return render(request, "console/resellers/what_if_show.html", context)


@reseller_page("resellers.read")
def what_if_progress(request: SurfaceRequest, what_if_id: int) -> HttpResponse:
    question = selectors.what_if(request.scope, what_if_id)
    if question.has_ended:
        url = reverse("console_what_if", kwargs={"what_if_id": question.pk})
        if request.htmx:
            return HttpResponse(headers={"HX-Redirect": url})
        return redirect(url)
    return render(request, "console/resellers/_what_if_progress.html", _progress(question))


def _progress(question: WhatIf) -> dict[str, object]:
    """What the partial shows that htmx asks for again until there is an answer."""
    address = reverse("console_what_if_progress", kwargs={"what_if_id": question.pk})
    return {
        "question": question,
        "time_left": time_left(question.asked_at, question.done_count, question.day_count),
        "refresh_url": "" if question.has_ended else address,
    }


@reseller_page("resellers.write", FORM_METHODS)
def what_if_cancel(request: SurfaceRequest, what_if_id: int) -> HttpResponse:
    question = selectors.what_if(request.scope, what_if_id)
    url = reverse("console_what_if", kwargs={"what_if_id": question.pk})

    def confirm() -> str:
        cancel_what_if(what_if_id=question.pk, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, "It was cancelled.")
        return url

    review = Review(
        title="Cancel this question?",
        lead="No more of it is reckoned, and there will be no answer.",
        submit="Cancel it",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


_AT = "resellers/what-if/<int:what_if_id>/"
urls = [
    path("resellers/what-if/", what_if_list, name="console_what_ifs"),
    path("resellers/what-if/new/", what_if_ask, name="console_what_if_ask"),
    path(_AT, what_if_show, name="console_what_if"),
    path(f"{_AT}progress/", what_if_progress, name="console_what_if_progress"),
    path(f"{_AT}cancel/", what_if_cancel, name="console_what_if_cancel"),
]
