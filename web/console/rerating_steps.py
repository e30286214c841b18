"""One re-rating in the console: its dry run watched, its differences, agreed to or discarded."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse

from cdr.models import LegKind, PartyKind, Rerating, ReratingDelta
from cdr.selectors import reratings as selectors
from cdr.selectors.parties import parties
from cdr.selectors.reratings import DeltaTotal, ReratingProgress
from cdr.selectors.suspense import lines_beside
from cdr.services.rerating import apply_rerating, discard_rerating
from common import clock
from common.scope import Scope, Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, choice_filter, text_filter
from web.shared.form_pages import Review, confirm_page
from web.shared.links import url_of
from web.shared.lists import Empty, list_page
from web.shared.progress import time_left
from web.shared.tables import BadgeColumn, LinkColumn, MoneyColumn, NumberColumn, Table
from web.shared.writing import plain_number, price_html

State = Rerating.State
AT_WORK = (State.PLANNING, State.MEASURING, State.APPLYING)
DISCARDABLE = (State.PLANNING, State.MEASURING, State.MEASURED)
SUMS = ("Legs of", "Before", "After", "Difference")


@page_of(Surface.CONSOLE, "usage.read")
def rerating_show(request: SurfaceRequest, rerating_id: int) -> HttpResponse:
    rerating = selectors.reratings(request.scope).get(pk=rerating_id)
    totals = selectors.delta_totals(request.scope, rerating)
    progress = _progress(request.scope, rerating)
    context = {
        "rerating": rerating,
        "actions": allowed(request.scope, _actions(rerating, progress["progress"])),
        "totals": totals,
        "was_applied": rerating.applying_since is not None,
        "is_unchanged": rerating.state == State.MEASURED and not _changes(progress["progress"]),
        "line_count": lines_beside(request.scope, rerating),
        "lines_url": _lines_url(rerating),
        "deltas_url": reverse("console_rerating_deltas", kwargs={"rerating_id": rerating.pk}),
        **progress,
    }
    return render(request, "console/usage/rerating_show.html", context)


@page_of(Surface.CONSOLE, "usage.read")
def rerating_progress_part(request: SurfaceRequest, rerating_id: int) -> HttpResponse:
    rerating = selectors.reratings(request.scope).get(pk=rerating_id)
    if rerating.state not in AT_WORK:
        url = url_of(request.scope, rerating)
        return HttpResponse(headers={"HX-Redirect": url}) if request.htmx else redirect(url)
    context = _progress(request.scope, rerating)
    return render(request, "console/usage/_rerating_progress.html", context)


def _progress(scope: Scope, rerating: Rerating) -> dict[str, Any]:
    """How far it is, for the partial that htmx asks for while there is something to wait for."""
    seen = selectors.rerating_progress(scope, rerating)
    is_at_work = rerating.state in AT_WORK
    url = reverse("console_rerating_progress", kwargs={"rerating_id": rerating.pk})
    return {
        "progress": seen,
        "is_at_work": is_at_work,
        "time_left": time_left(seen.since, seen.done_count, seen.total_count),
        "refresh_url": url if is_at_work else "",
    }


def _lines_url(rerating: Rerating) -> str:
    url = reverse("console_suspense")
    return url if rerating.source_id is None else f"{url}?source={rerating.source_id}"


def _changes(progress: ReratingProgress) -> bool:
    return bool(progress.changing_slice_count)


def _actions(rerating: Rerating, progress: ReratingProgress) -> list[Action]:
    of_rerating = {"rerating_id": rerating.pk}
    actions = []
    if rerating.state in DISCARDABLE:
        url = reverse("console_rerating_discard", kwargs=of_rerating)
        actions.append(Action("Discard", url, "trash", needs="usage.write"))
    # Months at tiers that cannot be made right are not begun: the page says so.
    is_refused = bool(progress.tiered_xdr_count)
    if rerating.state == State.MEASURED and _changes(progress) and not is_refused:
        url = reverse("console_rerating_apply", kwargs=of_rerating)
        actions.append(Action("Apply", url, "check", needs="usage.write", is_main=True))
    return actions


class DeltaTable(Table):
    """With the payers of all its rows, looked up at once."""

    payer = LinkColumn("Payer", to="payer")
    kind = BadgeColumn("Legs of", accessor="get_kind_display", value="get_kind_display")
    leg_count = NumberColumn("Legs", orderable=True, order_by=("leg_count", "id"))
    before_amount = MoneyColumn("Before", is_exact=True)
    after_amount = MoneyColumn("After", is_exact=True)
    delta_amount = MoneyColumn(
        "Difference", is_exact=True, orderable=True, order_by=("delta_amount", "id")
    )
    applied_amount = MoneyColumn("Applied", is_exact=True)

    def __init__(self, rows: Sequence[ReratingDelta], **options: Any) -> None:
        super().__init__(rows, **options)
        keys = {(row.payer_kind, row.payer_id) for row in rows}
        known = parties(self.scope, keys)
        for row in rows:
            row.payer = known.get((row.payer_kind, row.payer_id))  # type: ignore[attr-defined]


class DeltaFilters(Filters):
    kind = choice_filter("Legs of", "kind", LegKind.choices)
    payer_kind = choice_filter("Paid by", "payer_kind", PartyKind.choices)
    currency = text_filter("Currency", "currency__iexact")


@page_of(Surface.CONSOLE, "usage.read")
def rerating_deltas(request: SurfaceRequest, rerating_id: int) -> HttpResponse:
    rerating = selectors.reratings(request.scope).get(pk=rerating_id)
    back = Action(str(rerating), url_of(request.scope, rerating), "arrow-left")
    return list_page(
        request,
        title=f"Differences of re-rating {rerating.pk}",
        lead="Of the legs that change, payer by payer; currencies are never added up.",
        rows=selectors.deltas(request.scope, rerating),
        table=DeltaTable,
        filters=DeltaFilters,
        name=f"re-rating-{rerating.pk}",
        actions=[back],
        empty=Empty("No amount changes", "Nobody pays more or less than before."),
    )


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def rerating_apply(request: SurfaceRequest, rerating_id: int) -> HttpResponse:
    rerating = selectors.reratings(request.scope).get(pk=rerating_id)
    url = url_of(request.scope, rerating)

    def confirm() -> str:
        apply_rerating(rerating_id=rerating.pk, at=clock.now(), actor_id=request.scope.user_id)
        return url

    seen = selectors.rerating_progress(request.scope, rerating)
    review = Review(
        title=f"Apply re-rating {rerating.pk}?",
        lead="Legs are replaced, and their usage is reversed and charged anew. Issued invoices stay"
        " as they are: differences go to the next. What has changed since the dry run is left"
        " alone.",
        facts=[
            ("Why", rerating.reason),
            ("xDRs that change", plain_number(seen.changed_xdr_count)),
            ("Legs released from suspense", plain_number(seen.released_leg_count)),
            ("Legs put into suspense", plain_number(seen.suspended_leg_count)),
        ],
        submit="Apply these differences",
        is_dangerous=True,
        headings=SUMS,
        rows=_sums(selectors.delta_totals(request.scope, rerating)),
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


def _sums(totals: Sequence[DeltaTotal]) -> list[tuple[object, ...]]:
    return [
        (
            f"{total.kind.label}s",
            price_html(total.before_amount, total.currency),
            price_html(total.after_amount, total.currency),
            price_html(total.delta_amount, total.currency),
        )
        for total in totals
    ]


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def rerating_discard(request: SurfaceRequest, rerating_id: int) -> HttpResponse:
    rerating = selectors.reratings(request.scope).get(pk=rerating_id)

    def confirm() -> str:
        discard_rerating(rerating_id=rerating.pk, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{rerating} was discarded; nothing was changed.")
        return reverse("console_reratings")

    review = Review(
        title=f"Discard re-rating {rerating.pk}?",
        lead="Its dry run ends here. Nothing was changed, and nothing will be.",
        submit="Discard it",
    )
    cancel_url = url_of(request.scope, rerating)
    return confirm_page(request, review, confirm=confirm, cancel_url=cancel_url)


_ONE = "usage/re-rating/<int:rerating_id>/"
urls = [
    path(_ONE, rerating_show, name="console_rerating"),
    path(f"{_ONE}progress/", rerating_progress_part, name="console_rerating_progress"),
    path(f"{_ONE}differences/", rerating_deltas, name="console_rerating_deltas"),
    path(f"{_ONE}apply/", rerating_apply, name="console_rerating_apply"),
    path(f"{_ONE}discard/", rerating_discard, name="console_rerating_discard"),
]
