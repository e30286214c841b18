"""Billing mode in the console: from when to when a reseller pays its parent, and by which table."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from catalogue.models import ProductKind, RateTable
from catalogue.selectors import rate_tables
from cdr.selectors.internal_calls import TableNotRated, internal_calls
from common import clock
from resellers import selectors
from resellers.models import BillingModeAssignment, Reseller
from resellers.services.billing_mode import (
    BillingModeEmpty,
    BillingModeOverlaps,
    InternalTableNeeded,
    RateTableDoesNotFit,
    assign_billing_mode,
    end_billing_mode,
)
from web.access import FORM_METHODS, SurfaceRequest
from web.console.reseller_pages import TAB, address, find, frame, reseller_page
from web.console.steps import Step, StepsColumn
from web.shared.actions import Action
from web.shared.form_fields import Form, InstantField
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, InstantColumn, LinkColumn, Table
from web.shared.writing import money_html, plain_number

MODES = "console_reseller_billing_modes"
POLICIES = {
    BillingModeAssignment.Policy.PARENT_VENDORS_ONLY: "Not charged (usual)",
    BillingModeAssignment.Policy.EVERY_CALL: "Charged like every call",
    BillingModeAssignment.Policy.INTERNAL_TABLE: "Charged at a table of their own",
}
WARNING_PERIOD = timedelta(days=30)


class ModeTable(Table):
    product = LinkColumn("Product", accessor="product__name", to="product")
    rate_table = LinkColumn("Rate table", accessor="rate_table__name", to="rate_table")
    policy = BadgeColumn("Internal calls", value="policy")
    internal_rate_table = LinkColumn(
        "Their table", accessor="internal_rate_table__name", to="internal_rate_table"
    )
    valid_from = InstantColumn("From")
    valid_to = InstantColumn("Until", default="further notice")


def _steps(mode: BillingModeAssignment) -> list[Step]:
    of_mode = {"reseller_id": mode.reseller_id, "assignment_id": mode.pk}
    return [("End", reverse("console_reseller_billing_mode_end", kwargs=of_mode))]


class ChangeableModeTable(ModeTable):
    steps = StepsColumn(_steps)


@reseller_page("resellers.read")
def reseller_billing_modes(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    may_change = "resellers.write" in request.scope.permissions
    assign = Action(
        "Assign billing mode",
        address("console_reseller_billing_mode_assign", reseller),
        "plus",
        needs="resellers.write",
        is_main=True,
    )
    what_if = Action(
        "What if",
        f"{reverse('console_what_if_ask')}?reseller={reseller.pk}",
        "calculator",
        needs="resellers.write",
    )
    return list_page(
        request,
        title=f"Billing mode of {reseller}",
        rows=selectors.billing_modes(request.scope, reseller),
        table=ChangeableModeTable if may_change else ModeTable,
        name=f"billing-mode-of-reseller-{reseller.number}",
        empty=Empty(
            "Billing mode is off",
            "The reseller pays its parent nothing for its customers' calls. In billing mode it"
            " does, at a rate table.",
            action=assign,
        ),
        template=TAB,
        context=frame(request, reseller, what_if, assign),
    )


class ModeForm(Form):
    groups = (
        ("What it pays", ("rate_table", "policy", "internal_rate_table")),
        ("When", ("valid_from", "valid_to")),
    )

    rate_table = forms.ModelChoiceField(
        queryset=RateTable.objects.none(),
        empty_label="Choose a rate table",
        help_text="In the reseller's currency; it also says for which product.",
    )
    policy = forms.ChoiceField(
        label="Calls between its own customers",
        choices=list(POLICIES.items()),
        help_text="They use no vendor of the parent.",
    )
    internal_rate_table = forms.ModelChoiceField(
        queryset=RateTable.objects.none(),
        required=False,
        label="Rate table of those calls",
        empty_label="None",
    )
    valid_from = InstantField(label="From")
    valid_to = InstantField(label="Until", required=False, help_text="Empty: further notice.")

    def __init__(self, *args: Any, tables: QuerySet[RateTable], **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("rate_table", "internal_rate_table"):
            self.fields[name].queryset = tables  # type: ignore[attr-defined]


@reseller_page("resellers.write", FORM_METHODS)
def reseller_billing_mode_assign(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    at = clock.now()

    def save(form: ModeForm) -> str:
        assign_billing_mode(
            reseller=reseller, **form.cleaned_data, at=at, actor_id=request.scope.user_id
        )
        messages.success(request, f"{reseller} pays {reseller.parent or request.provider} then.")
        return address(MODES, reseller)

    page = FormPage(
        f"Billing mode of {reseller}",
        submit="Continue",
        cancel_url=address(MODES, reseller),
        lead="In billing mode the reseller pays its parent whenever its customers' calls use the"
        " parent's vendors.",
    )
    tables = rate_tables(request.scope).filter(
        currency=reseller.currency, product__kind=ProductKind.VOICE
    )
    return form_page(
        request,
        page,
        form=ModeForm,
        save=save,
        review=lambda form: _review(request, reseller, form, at),
        fields_of={
            BillingModeEmpty: "valid_to",
            BillingModeOverlaps: "valid_from",
            InternalTableNeeded: "internal_rate_table",
            RateTableDoesNotFit: "internal_rate_table",
            TableNotRated: "rate_table",
        },
        initial={"policy": BillingModeAssignment.Policy.PARENT_VENDORS_ONLY},
        tables=tables,
    )


def _review(request: SurfaceRequest, reseller: Reseller, form: ModeForm, at: datetime) -> Review:
    chosen = form.cleaned_data
    charges_all = chosen["policy"] == BillingModeAssignment.Policy.EVERY_CALL
    warning = _cost_of_internal_calls(request, reseller, form, at) if charges_all else []
    return Review(
        title=f"Have {reseller} pay its parent?",
        lead="It will also pay for calls between its own customers, though they use no vendor of"
        " its parent."
        if charges_all
        else "",
        facts=[
            ("Paid to", reseller.parent or request.provider),
            ("Product", chosen["rate_table"].product),
            ("Rate table", chosen["rate_table"]),
            ("Calls between its own customers", POLICIES[chosen["policy"]]),
            ("Their rate table", chosen["internal_rate_table"]),
            ("From", _written(chosen["valid_from"])),
            ("Until", _written(chosen["valid_to"]) or "further notice"),
            *warning,
        ],
        submit="Assign",
        is_dangerous=charges_all,
    )


def _cost_of_internal_calls(
    request: SurfaceRequest, reseller: Reseller, form: ModeForm, at: datetime
) -> list[tuple[str, object]]:
    calls = internal_calls(
        request.scope,
        reseller,
        form.cleaned_data["rate_table"],
        started_from=at - WARNING_PERIOD,
        started_to=at,
    )
    unrated = f", {plain_number(calls.unrated_count)} without a rate" if calls.unrated_count else ""
    return [
        ("Such calls in the last 30 days", f"{plain_number(calls.call_count)}{unrated}"),
        ("What they would have cost it", money_html(calls.amount, calls.currency)),
    ]


def _written(instant: datetime | None) -> str:
    return date_format(localtime(instant), "DATETIME_FORMAT") if instant else ""


class EndForm(Form):
    valid_to = InstantField(
        label="Ends", help_text="The first instant at which the reseller pays nothing."
    )


@reseller_page("resellers.write", FORM_METHODS)
def reseller_billing_mode_end(
    request: SurfaceRequest, reseller_id: int, assignment_id: int
) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    mode = selectors.billing_modes(request.scope, reseller).get(pk=assignment_id)

    def review(form: EndForm) -> Review:
        return Review(
            title=f"End the billing mode of {reseller}?",
            lead="What was rated before is owed all the same.",
            facts=[
                ("Rate table", mode.rate_table),
                ("From", _written(mode.valid_from)),
                ("Ended so far", _written(mode.valid_to) or "not"),
                ("Ends", _written(form.cleaned_data["valid_to"])),
            ],
            submit="End it",
            is_dangerous=True,
        )

    def save(form: EndForm) -> str:
        end_billing_mode(
            assignment=mode,
            valid_to=form.cleaned_data["valid_to"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "The end of billing mode was saved.")
        return address(MODES, reseller)

    page = FormPage(
        f"End the billing mode of {reseller}",
        submit="Continue",
        cancel_url=address(MODES, reseller),
    )
    return form_page(
        request,
        page,
        form=EndForm,
        save=save,
        review=review,
        fields_of={BillingModeEmpty: "valid_to", BillingModeOverlaps: "valid_to"},
        initial={"valid_to": mode.valid_to or clock.now()},
    )


urls = [
    path("resellers/<int:reseller_id>/billing-mode/", reseller_billing_modes, name=MODES),
    path(
        "resellers/<int:reseller_id>/billing-mode/new/",
        reseller_billing_mode_assign,
        name="console_reseller_billing_mode_assign",
    ),
    path(
        "resellers/<int:reseller_id>/billing-mode/<int:assignment_id>/end/",
        reseller_billing_mode_end,
        name="console_reseller_billing_mode_end",
    ),
]
