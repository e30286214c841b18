"""What was done about suspense: watched while a worker is at it, and its result."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse

from cdr.models import Mending, SuspenseReason
from cdr.rules.mending import CORRECTABLE, FIELDS, Change, ChangeKind
from cdr.selectors.suspense import discarded_rows, mendings
from cdr.services.mending import start_mending_again, take_back
from common import clock
from common.scope import Surface
from customers.selectors import customers
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.suspense_choices import HEADINGS, address, query, title_of
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, choice_filter, since_filter
from web.shared.form_pages import Review, confirm_page
from web.shared.links import url_of
from web.shared.lists import Empty, list_page
from web.shared.progress import time_left
from web.shared.tables import BadgeColumn, Column, InstantColumn, LinkColumn, NumberColumn, Table
from web.shared.writing import plain_number

State = Mending.State


class MendingTable(Table):
    pk = LinkColumn("Number")
    kind = Column("What", accessor="get_kind_display")
    choice = Column("Of", accessor="choice")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    created_at = InstantColumn("Asked for")
    created_by = Column("By")
    freed_count = NumberColumn("Freed")
    waiting_count = NumberColumn("Wait on")
    left_count = NumberColumn("Left as they are")
    # In files only: the page of each says them.
    note = Column("Why", visible=False)
    finished_at = InstantColumn("Finished", visible=False)

    def render_choice(self, record: Mending) -> str:
        return title_of(record.choice)


class MendingFilters(Filters):
    searches = ("note__icontains",)
    search_hint = "Why"

    kind = choice_filter("What", "kind", Mending.Kind.choices)
    state = choice_filter("State", "state", State.choices)
    since = since_filter("Asked for since", "created_at", of_instants=True)


@page_of(Surface.CONSOLE, "usage.read")
def mending_list(request: SurfaceRequest) -> HttpResponse:
    back = Action("Suspense", reverse("console_suspense"), "arrow-left")
    return list_page(
        request,
        title="What was done about suspense",
        lead="Tried again, corrected, accepted and discarded, with who wanted it.",
        rows=mendings(request.scope),
        table=MendingTable,
        filters=MendingFilters,
        name="mendings",
        actions=[back],
        empty=Empty("Nothing was done yet", "What waits can be tried again, or corrected."),
    )


@page_of(Surface.CONSOLE, "usage.read")
def mending_show(request: SurfaceRequest, mending_id: int) -> HttpResponse:
    mending = mendings(request.scope).get(pk=mending_id)
    customer = customers(request.scope).filter(pk=mending.customer_id or 0).first()
    context = {
        "mending": mending,
        "title": f"{mending.get_kind_display()}: {title_of(mending.choice)}",
        "has_failed": mending.state == State.FAILED,
        "change": change_text(mending.correction),
        "waiting": _waiting(mending),
        "rows_url": f"{reverse('console_suspense_rows')}?mending={mending.pk}",
        "customer": customer,
        "group_url": address("console_suspense_rows", query(mending.choice, customer)),
        "actions": allowed(request.scope, _actions(mending)),
        **_progress(mending),
    }
    return render(request, "console/usage/mending_show.html", context)


def _waiting(mending: Mending) -> list[tuple[str, int]]:
    found = sorted(mending.waiting_counts.items(), key=lambda each: -each[1])
    return [(SuspenseReason(reason).label, count) for reason, count in found]


def change_text(change: Change | None) -> str:
    """A correction in words; nothing where there is none."""
    if change is None:
        return ""
    match change.kind:
        case ChangeKind.SET:
            return f"{CORRECTABLE[change.field]} is “{change.new_text}”"
        case ChangeKind.PREFIX:
            field = FIELDS[change.field]
            return f"{field} that begins with “{change.old_text}” begins with “{change.new_text}”"
        case ChangeKind.TEXT:
            return f"“{change.old_text}” is read as “{change.new_text}”"
        case ChangeKind.ZONE:
            zone = change.new_text or "the time zone that the source says"
            return f"local times are of {zone}"
        case ChangeKind.LINE:
            return f"the line is read as “{change.new_text}”"


def _actions(mending: Mending) -> list[Action]:
    if mending.state == State.FAILED:
        url = reverse("console_mending_again", kwargs={"mending_id": mending.pk})
        return [Action("Start again", url, "arrow-path", needs="usage.write", is_main=True)]
    if mending.kind != Mending.Kind.DISCARD or mending.state != State.DONE:
        return []
    url = reverse("console_mending_take_back", kwargs={"mending_id": mending.pk})
    return [Action("Take it back", url, "arrow-uturn-left", needs="usage.write")]


@page_of(Surface.CONSOLE, "usage.read")
def mending_progress_part(request: SurfaceRequest, mending_id: int) -> HttpResponse:
    mending = mendings(request.scope).get(pk=mending_id)
    if mending.state != State.AT_WORK:
        url = url_of(request.scope, mending)
        return HttpResponse(headers={"HX-Redirect": url}) if request.htmx else redirect(url)
    return render(request, "console/usage/_mending_progress.html", _progress(mending))


def _progress(mending: Mending) -> dict[str, Any]:
    """How far it is, for the partial that htmx asks for while there is something to wait for."""
    is_at_work = mending.state == State.AT_WORK
    url = reverse("console_mending_progress", kwargs={"mending_id": mending.pk})
    return {
        "done": mending.done_count,
        "total": mending.row_count,
        "is_at_work": is_at_work,
        "time_left": time_left(mending.created_at, mending.done_count, mending.row_count),
        "refresh_url": url if is_at_work else "",
    }


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def mending_take_back(request: SurfaceRequest, mending_id: int) -> HttpResponse:
    mending = mendings(request.scope).get(pk=mending_id)
    row_count = discarded_rows(request.scope, mending).count()

    def confirm() -> str:
        back = take_back(
            mending_id=mending.pk,
            stated_count=row_count,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return url_of(request.scope, back)

    review = Review(
        title="Take back what was discarded?",
        lead="It waits in suspense again, for what it waited for.",
        facts=[("Why it was discarded", mending.note)],
        headings=HEADINGS,
        rows=[("Rows discarded still", plain_number(row_count))],
        submit="Take it back",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url_of(request.scope, mending))


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def mending_again(request: SurfaceRequest, mending_id: int) -> HttpResponse:
    mending = mendings(request.scope).get(pk=mending_id)

    def confirm() -> str:
        user_id = request.scope.user_id
        again = start_mending_again(mending_id=mending.pk, at=clock.now(), actor_id=user_id)
        return url_of(request.scope, again)

    review = Review(
        title="Start it again?",
        lead="It goes on where it failed. What can be rated then is charged.",
        facts=[
            ("What", f"{mending.get_kind_display()}: {title_of(mending.choice)}"),
            ("Rows done before", plain_number(mending.done_count)),
            ("Rows left", plain_number(mending.row_count - mending.done_count)),
            ("What went wrong", mending.try_error),
        ],
        submit="Start again",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url_of(request.scope, mending))


_AT = "usage/suspense/done/"
urls = [
    path(_AT, mending_list, name="console_mendings"),
    path(f"{_AT}<int:mending_id>/", mending_show, name="console_mending"),
    path(
        f"{_AT}<int:mending_id>/progress/", mending_progress_part, name="console_mending_progress"
    ),
    path(f"{_AT}<int:mending_id>/again/", mending_again, name="console_mending_again"),
    path(f"{_AT}<int:mending_id>/take-back/", mending_take_back, name="console_mending_take_back"),
]
