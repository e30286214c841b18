"""Commission plans in the console: what each reseller earns, from a date on."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format

from common import clock
from common.errors import DomainError
from payouts.models import CommissionPlan
from payouts.rules.commission import PERCENT_DIGITS
from payouts.selectors import all_commission_plans
from payouts.services.plans import PercentOutOfRange, PlanPeriodClosed, set_commission_plan
from resellers.models import Reseller
from resellers.selectors import resellers
from web.access import FORM_METHODS, SurfaceRequest
from web.console.reseller_pages import address, find, reseller_page
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter, row_filter
from web.shared.form_fields import DateField, ExactField, Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, DateColumn, LinkColumn, NumberColumn, Table
from web.shared.writing import plain_number

FIELDS_OF: dict[type[DomainError], str] = {
    PercentOutOfRange: "percent",
    PlanPeriodClosed: "valid_from",
}


class PlanTable(Table):
    reseller = LinkColumn("Reseller", to="reseller")
    base = BadgeColumn("Of", accessor="get_base_display", value="base")
    percent = NumberColumn("Percent")
    valid_from = DateColumn("From")
    valid_to = DateColumn("Ends before")


def _resellers(request: HttpRequest) -> QuerySet[Reseller]:
    return resellers(request.scope)  # type: ignore[attr-defined]


class PlanFilters(Filters):
    reseller = row_filter("Reseller", "reseller", _resellers)
    base = choice_filter("Of", "base", CommissionPlan.Base.choices)


@reseller_page("payouts.list")
def plan_list(request: SurfaceRequest) -> HttpResponse:
    agree = Action(
        "Set a plan",
        reverse("console_commission_plan_create"),
        "plus",
        needs="payouts.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Commission plans",
        rows=all_commission_plans(request.scope),
        table=PlanTable,
        filters=PlanFilters,
        name="commission-plans",
        empty=Empty("Nothing agreed yet", "Resellers earn nothing until a plan begins.", agree),
        actions=[agree],
    )


class TermsForm(Form):
    base = forms.ChoiceField(
        choices=CommissionPlan.Base.choices,
        label="Of",
        help_text="Net of tax: of what is invoiced, or of what is collected.",
    )
    percent = ExactField(decimal_places=PERCENT_DIGITS)
    valid_from = DateField(
        label="From", help_text="The plan before it ends there; closed periods never change."
    )


class PlanForm(TermsForm):
    field_order = ("reseller",)

    reseller = forms.ModelChoiceField(
        queryset=Reseller.objects.none(), empty_label="Choose a reseller"
    )

    def __init__(self, *args: Any, rows: QuerySet[Reseller], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reseller"].queryset = rows  # type: ignore[attr-defined]


@reseller_page("payouts.write", FORM_METHODS)
def plan_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: PlanForm) -> str:
        plan = set_commission_plan(
            **form.cleaned_data, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{plan.reseller} earns {plan} from {plan.valid_from}.")
        return reverse("console_commission_plans")

    page = FormPage(
        "Set a commission plan",
        submit="Continue",
        cancel_url=reverse("console_commission_plans"),
    )
    return form_page(
        request,
        page,
        form=PlanForm,
        save=save,
        review=lambda form: _review(form.cleaned_data["reseller"], form),
        fields_of=FIELDS_OF,
        rows=resellers(request.scope),
    )


@reseller_page("payouts.write", FORM_METHODS)
def reseller_plan_create(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    url = address("console_reseller_commission", reseller)

    def save(form: TermsForm) -> str:
        plan = set_commission_plan(
            reseller=reseller,
            **form.cleaned_data,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{reseller} earns {plan} from {plan.valid_from}.")
        return url

    return form_page(
        request,
        FormPage(f"Set a commission plan of {reseller}", submit="Continue", cancel_url=url),
        form=TermsForm,
        save=save,
        review=lambda form: _review(reseller, form),
        fields_of=FIELDS_OF,
    )


def _review(reseller: Reseller, form: TermsForm) -> Review:
    given = form.cleaned_data
    percent = f"{plain_number(given['percent'])} %"
    return Review(
        title=f"Have {reseller} earn {percent}?",
        facts=[
            ("Percent", percent),
            ("Of", CommissionPlan.Base(given["base"]).label.lower()),
            ("From", date_format(given["valid_from"], "DATE_FORMAT")),
        ],
        submit="Set the plan",
    )


urls = [
    path("payouts/plans/", plan_list, name="console_commission_plans"),
    path("payouts/plans/new/", plan_create, name="console_commission_plan_create"),
    path(
        "resellers/<int:reseller_id>/commission/new/",
        reseller_plan_create,
        name="console_reseller_plan_create",
    ),
]
