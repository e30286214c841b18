"""Bill runs in the console: from pre-flight to issued, watched and confirmed step by step."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localdate

from billing.models import BillRun, BillRunItem
from billing.selectors.bill_runs import (
    KindTotal,
    RunProgress,
    bill_runs,
    compared_totals,
    failed_items,
    run_progress,
    run_totals,
)
from billing.selectors.changes import biggest_changes
from billing.selectors.invoices import estimates
from billing.selectors.preflight import preflight
from billing.services.bill_runs import (
    approve_bill_run,
    retry_failed,
    start_calculation,
    start_issuing,
)
from billing.services.discarding import discard_bill_run
from common import clock
from common.errors import DomainError
from common.periods import Period
from common.scope import Scope, Surface
from web.access import ACTION_METHODS, FORM_METHODS, SurfaceRequest, page_of
from web.console.estimates import EstimateTable
from web.shared.actions import Action, allowed
from web.shared.form_pages import Review, confirm_page
from web.shared.lists import Empty, list_page
from web.shared.progress import time_left
from web.shared.tables import BadgeColumn, Column, DateColumn, InstantColumn, LinkColumn, Table
from web.shared.writing import money_html, plain_number

State = BillRun.State
ItemState = BillRunItem.State
AT_WORK = (State.CALCULATING, State.ISSUING)
CALCULABLE = (State.DRAFT, State.REVIEW, State.FAILED)
COMPARED = (State.REVIEW, State.APPROVED)
RETRIED = (State.REVIEW, State.FAILED)
DISCARDABLE = (State.DRAFT, State.REVIEW, State.APPROVED, State.FAILED)
LARGEST = 10
SUMS = ("Kind", "Invoices", "Net", "Tax", "Gross")


class PeriodColumn(LinkColumn):
    """The run's days, which lead to it."""

    def render(self, record: BillRun, value: Any, table: Any) -> SafeString:
        return super().render(record=record, value=run_title(record), table=table)


class RunTable(Table):
    period_from = PeriodColumn("Period")
    is_partial = Column("Of")
    period_to = DateColumn("Ends before")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    created_at = InstantColumn("Created")
    issue_date = DateColumn("Issued")
    finished_at = InstantColumn("Finished")

    def render_is_partial(self, value: bool) -> str:
        return "chosen customers" if value else "everybody"


@page_of(Surface.CONSOLE, "money.list")
def run_list(request: SurfaceRequest) -> HttpResponse:
    new = Action(
        "New bill run",
        reverse("console_bill_run_create"),
        "plus",
        needs="money.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Bill runs",
        rows=bill_runs(request.scope),
        table=RunTable,
        name="bill-runs",
        empty=Empty(
            "Nothing billed yet",
            "A bill run invoices everybody, or some, for a month.",
            new,
        ),
        actions=[new],
    )


@page_of(Surface.CONSOLE, "money.read")
def run_show(request: SurfaceRequest, run_id: int) -> HttpResponse:
    run = bill_runs(request.scope).get(pk=run_id)
    largest = list(estimates(request.scope, run.pk)[:LARGEST])
    is_compared = run.state in COMPARED
    progress = _progress(request.scope, run)
    context = {
        "run": run,
        "title": run_title(run),
        "actions": allowed(request.scope, _actions(run, progress["progress"])),
        "preflight": preflight(request.scope, run, localdate(clock.now()))
        if run.state == State.DRAFT
        else None,
        "totals": compared_totals(request.scope, run),
        "largest": EstimateTable(largest, request=request) if largest else None,
        "changes": biggest_changes(request.scope, run) if is_compared else [],
        "failed": failed_items(request.scope, run.pk),
        "can_retry": run.state in RETRIED and "money.write" in request.scope.permissions,
        **progress,
    }
    return render(request, "console/billing/bill_run_show.html", context)


@page_of(Surface.CONSOLE, "money.read")
def run_progress_part(request: SurfaceRequest, run_id: int) -> HttpResponse:
    run = bill_runs(request.scope).get(pk=run_id)
    if run.state not in AT_WORK:
        if request.htmx:
            return HttpResponse(headers={"HX-Redirect": run_url(run)})
        return redirect(run_url(run))
    context = _progress(request.scope, run)
    return render(request, "console/billing/_bill_run_progress.html", context)


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def run_calculate(request: SurfaceRequest, run_id: int) -> HttpResponse:
    run = bill_runs(request.scope).get(pk=run_id)

    def confirm() -> str:
        start_calculation(run_id=run.pk, at=clock.now(), actor_id=request.scope.user_id)
        return run_url(run)

    found = preflight(request.scope, run, localdate(clock.now()))
    again = run.state != State.DRAFT
    review = Review(
        title=f"Calculate {run_title(run)}{' again' if again else ''}?",
        lead="Makes estimates, which nobody but your staff sees. Issued invoices stay as they are.",
        facts=[
            ("Customers", plain_number(found.customer_count)),
            ("In suspense", plain_number(sum(row.row_count for row in found.suspense))),
            ("Files at work", plain_number(found.open_file_count)),
        ],
        submit="Calculate",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=run_url(run))


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def run_approve(request: SurfaceRequest, run_id: int) -> HttpResponse:
    run = bill_runs(request.scope).get(pk=run_id)

    def confirm() -> str:
        approve_bill_run(run_id=run.pk, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, "The estimates are approved; they can be issued now.")
        return run_url(run)

    review = Review(
        title=f"Approve {run_title(run)}?",
        lead="Once approved, the estimates are not calculated any more.",
        submit="Approve all estimates",
        headings=SUMS,
        rows=sums(run_totals(request.scope, run.pk, item_states=[ItemState.ESTIMATED])),
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=run_url(run))


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def run_issue(request: SurfaceRequest, run_id: int) -> HttpResponse:
    run = bill_runs(request.scope).get(pk=run_id)

    def confirm() -> str:
        start_issuing(run_id=run.pk, at=clock.now(), actor_id=request.scope.user_id)
        return run_url(run)

    review = Review(
        title=f"Issue {run_title(run)}?",
        lead="The invoices get numbers and today's date, and can never be changed after that.",
        submit="Issue the approved invoices",
        is_dangerous=True,
        headings=SUMS,
        rows=sums(run_totals(request.scope, run.pk, item_states=[ItemState.APPROVED])),
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=run_url(run))


@page_of(Surface.CONSOLE, "money.write", ACTION_METHODS)
def run_retry(request: SurfaceRequest, run_id: int) -> HttpResponse:
    run = bill_runs(request.scope).get(pk=run_id)
    try:
        retry_failed(run_id=run.pk, at=clock.now(), actor_id=request.scope.user_id)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect(run_url(run))


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def run_discard(request: SurfaceRequest, run_id: int) -> HttpResponse:
    run = bill_runs(request.scope).get(pk=run_id)

    def confirm() -> str:
        discard_bill_run(run_id=run.pk, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, "The bill run was discarded; everything is unbilled as before.")
        return reverse("console_bill_runs")

    review = Review(
        title=f"Discard {run_title(run)}?",
        lead="The run and its estimates go for good. Their charges wait for another run.",
        submit="Discard the run",
        is_dangerous=True,
        headings=SUMS,
        rows=sums(run_totals(request.scope, run.pk)),
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=run_url(run))


def sums(totals: list[KindTotal]) -> list[tuple[object, ...]]:
    return [
        (
            total.kind.capitalize(),
            plain_number(total.count),
            money_html(total.net_amount, total.currency),
            money_html(total.tax_amount, total.currency),
            money_html(total.gross_amount, total.currency),
        )
        for total in totals
    ]


def run_title(run: BillRun) -> str:
    last_date = Period(run.period_from, run.period_to).last_date
    return (
        f"{date_format(run.period_from, 'DATE_FORMAT')} to {date_format(last_date, 'DATE_FORMAT')}"
    )


def run_url(run: BillRun) -> str:
    return reverse("console_bill_run", kwargs={"run_id": run.pk})


def _actions(run: BillRun, seen: RunProgress) -> list[Action]:
    of_run = {"run_id": run.pk}
    actions = []
    if run.state in CALCULABLE:
        label = "Calculate" if run.state == State.DRAFT else "Calculate again"
        address = reverse("console_bill_run_calculate", kwargs=of_run)
        is_next = run.state != State.REVIEW or not seen.estimated
        actions.append(Action(label, address, "calculator", needs="money.write", is_main=is_next))
    if run.state in COMPARED and seen.estimated + seen.approved:
        address = reverse("console_bill_run_estimates", kwargs=of_run)
        actions.append(Action("Choose estimates", address, "list-bullet", needs="money.write"))
    if run.state == State.REVIEW and seen.estimated:
        address = reverse("console_bill_run_approve", kwargs=of_run)
        actions.append(Action("Approve all", address, "check", needs="money.write", is_main=True))
    if run.state == State.APPROVED:
        address = reverse("console_bill_run_issue", kwargs=of_run)
        actions.append(
            Action("Issue", address, "paper-airplane", needs="money.write", is_main=True)
        )
    if run.state in DISCARDABLE:
        address = reverse("console_bill_run_discard", kwargs=of_run)
        actions.insert(0, Action("Discard", address, "trash", needs="money.write"))
    return actions


def _progress(scope: Scope, run: BillRun) -> dict[str, Any]:
    """How far it is, for the partial that htmx asks for while there is something to wait for."""
    seen = run_progress(scope, run.pk)
    is_at_work = seen.state in AT_WORK
    address = reverse("console_bill_run_progress", kwargs={"run_id": run.pk})
    done = _done(seen)
    total = seen.payers if seen.state == State.CALCULATING else seen.issued + seen.approved
    return {
        "progress": seen,
        "is_at_work": is_at_work,
        "done": done,
        "total": total,
        "time_left": time_left(seen.started_at, done, total),
        "refresh_url": address if is_at_work else "",
    }


def _done(seen: RunProgress) -> int:
    return seen.payers - seen.waiting if seen.state == State.CALCULATING else seen.issued


urls = [
    path("billing/runs/", run_list, name="console_bill_runs"),
    path("billing/runs/<int:run_id>/", run_show, name="console_bill_run"),
    path(
        "billing/runs/<int:run_id>/progress/", run_progress_part, name="console_bill_run_progress"
    ),
    path("billing/runs/<int:run_id>/calculate/", run_calculate, name="console_bill_run_calculate"),
    path("billing/runs/<int:run_id>/approve/", run_approve, name="console_bill_run_approve"),
    path("billing/runs/<int:run_id>/retry/", run_retry, name="console_bill_run_retry"),
    path("billing/runs/<int:run_id>/discard/", run_discard, name="console_bill_run_discard"),
    path("billing/runs/<int:run_id>/issue/", run_issue, name="console_bill_run_issue"),
]
