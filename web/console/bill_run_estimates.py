"""A bill run's estimates in the console: approved or discarded by the payer, one or many."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import BillRun, BillRunItem, Invoice
from billing.selectors.bill_runs import bill_runs, open_items, run_totals
from billing.selectors.invoices import estimates
from billing.services.bill_runs import approve_bill_run
from billing.services.discarding import discard_estimates
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.bill_runs import SUMS, run_title, sums
from web.console.estimates import EstimateColumn
from web.console.invoices import PayerColumn
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, MoneyColumn, Table

APPROVE, DISCARD = "approve", "discard"
State = BillRunItem.State


class ChoiceColumn(Column):
    """A box that chooses the row's payer for the buttons below the list."""

    def render(self, record: Invoice) -> SafeString:
        return format_html(
            '<input type="checkbox" name="items" value="{}" form="chosen" aria-label="Choose {}">',
            record.bill_run_item_id,
            record.buyer["name"],
        )


class RunEstimateTable(Table):
    chosen = ChoiceColumn("Choose", accessor="pk", exclude_from_export=True)
    pk = EstimateColumn("Estimate")
    payer = PayerColumn("Customer or reseller", accessor="buyer__name")
    state = BadgeColumn(
        "State",
        accessor="bill_run_item__get_state_display",
        value="bill_run_item__state",
    )
    kind = BadgeColumn("Kind", accessor="get_kind_display", value="kind")
    net_amount = MoneyColumn("Net")
    tax_amount = MoneyColumn("Tax")
    gross_amount = MoneyColumn("Gross")


class RunEstimateFilters(Filters):
    searches = (
        "customer__organisation__icontains",
        "customer__last_name__icontains",
        "reseller__organisation__icontains",
    )
    search_hint = "Customer or reseller"

    state = choice_filter(
        "State",
        "bill_run_item__state",
        [(State.ESTIMATED, "Waits for approval"), (State.APPROVED, "Approved")],
    )
    kind = choice_filter("Kind", "kind", Invoice.Kind.choices)


class ChosenForm(Form):
    items = forms.ModelMultipleChoiceField(queryset=BillRunItem.objects.none())
    decision = forms.ChoiceField(choices=[(APPROVE, "Approve"), (DISCARD, "Discard")])

    def __init__(self, *args: Any, open_items: QuerySet[BillRunItem], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["items"].queryset = open_items  # type: ignore[attr-defined]


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def run_estimates(request: SurfaceRequest, run_id: int) -> HttpResponse:
    run = bill_runs(request.scope).get(pk=run_id)
    if request.method == "POST":
        return _decide(request, run)
    return list_page(
        request,
        title=f"Estimates of {run_title(run)}",
        rows=estimates(request.scope, run.pk).select_related("bill_run_item"),
        table=RunEstimateTable,
        filters=RunEstimateFilters,
        name=f"estimates-{run.period_from:%Y-%m}",
        empty=Empty("No estimates left", "All of them are issued or discarded."),
        template="console/billing/bill_run_estimates.html",
        context={"run_url": reverse("console_bill_run", kwargs={"run_id": run.pk})},
    )


def _decide(request: SurfaceRequest, run: BillRun) -> HttpResponse:
    address = reverse("console_bill_run_estimates", kwargs={"run_id": run.pk})
    if not request.POST.getlist("items"):
        messages.error(request, "Choose at least one estimate.")
        return redirect(address)

    def review(form: ChosenForm) -> Review:
        ids = [item.pk for item in form.cleaned_data["items"]]
        rows = sums(run_totals(request.scope, run.pk, item_ids=ids))
        if form.cleaned_data["decision"] == APPROVE:
            return Review(
                title=f"Approve the estimates of {_payers(ids)}?",
                lead="They are issued by the run's next step; the others wait.",
                submit="Approve",
                headings=SUMS,
                rows=rows,
            )
        return Review(
            title=f"Discard the estimates of {_payers(ids)}?",
            lead="Their charges stay unbilled, for another run; this one leaves them out.",
            submit="Discard",
            is_dangerous=True,
            headings=SUMS,
            rows=rows,
        )

    def save(form: ChosenForm) -> str:
        ids = [item.pk for item in form.cleaned_data["items"]]
        at, actor_id = clock.now(), request.scope.user_id
        if form.cleaned_data["decision"] == APPROVE:
            approve_bill_run(run_id=run.pk, item_ids=ids, at=at, actor_id=actor_id)
            messages.success(request, f"The estimates of {_payers(ids)} are approved.")
        else:
            discard_estimates(run_id=run.pk, item_ids=ids, at=at, actor_id=actor_id)
            messages.success(request, f"The estimates of {_payers(ids)} were discarded.")
        return address

    page = FormPage("Choose estimates", submit="Continue", cancel_url=address)
    return form_page(
        request,
        page,
        form=ChosenForm,
        save=save,
        review=review,
        open_items=open_items(request.scope, run.pk),
    )


def _payers(ids: Sequence[int]) -> str:
    return "1 payer" if len(ids) == 1 else f"{len(ids)} payers"


urls = [
    path("billing/runs/<int:run_id>/estimates/", run_estimates, name="console_bill_run_estimates"),
]
