"""Suspense in the console: what waits for the same thing, row by row, and one of them."""

from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localdate, localtime

from cdr.models import IdentifiedBy, PartyKind, Source, Suspense, SuspenseReason
from cdr.rules.mending import Choice
from cdr.selectors import suspense as selectors
from cdr.selectors.parties import parties
from cdr.selectors.sources import sources
from cdr.selectors.suspense_groups import SuspenseGroup, suspense_groups, worth_of_groups
from common import clock
from common.csv_files import Cell
from common.scope import Surface
from customers.selectors import customers
from web.access import SurfaceRequest, page_of
from web.console.reratings import rerating_url
from web.console.suspense_choices import (
    address,
    choice_if_any,
    query,
    query_of,
    steps,
    subject_text,
    worth_text,
)
from web.console.suspense_remedies import REMEDIES, remedies
from web.shared.actions import Action, allowed
from web.shared.exports import csv_response, xlsx_response
from web.shared.filters import Filters, choice_filter, row_filter, text_filter
from web.shared.lists import Empty, exported, list_page
from web.shared.tables import (
    NUMBER,
    BadgeColumn,
    Column,
    InstantColumn,
    LinkColumn,
    MoneyColumn,
    NumberColumn,
    Table,
    instant_html,
)
from web.shared.writing import NONE, money_html, plain_number

MOST_GROUPS = 200
_FILES = {"csv": csv_response, "xlsx": xlsx_response}


class SubjectColumn(Column):
    """What a group waits for, leading to its rows."""

    def render(self, record: SuspenseGroup) -> SafeString:
        url = address("console_suspense_rows", query(record.choice))
        text = subject_text(record) or "all of them"
        link = format_html('<a href="{}">{}</a>', url, text)
        return _lines(link, format_html("<small>{}</small>", record.source))

    def export_cells(self, record: SuspenseGroup, value: object) -> list[Cell]:
        return [subject_text(record)]


class StartsColumn(Column):
    """From when to when xDRs started; in files two columns."""

    def render(self, record: SuspenseGroup) -> SafeString:
        oldest, newest = localtime(record.oldest_at), localtime(record.newest_at)
        return _lines(*(instant_html(each) for each in dict.fromkeys((oldest, newest))))

    def export_headings(self, heading: str) -> list[str]:
        return ["Oldest", "Newest"]

    def export_cells(self, record: SuspenseGroup, value: object) -> list[Cell]:
        return [localtime(record.oldest_at), localtime(record.newest_at)]


class WorthColumn(Column):
    """What a group is worth by currency, and how sure that is; in files three columns."""

    def render(self, record: SuspenseGroup) -> SafeString:
        lines = [money_html(each.amount, each.currency) for each in record.worth if each.amount]
        notes = [
            format_html("{} by averages", money_html(each.average_amount, each.currency))
            for each in record.worth
            if each.average_amount
        ]
        if record.unpriced_count:
            notes.append(format_html("{} unknown", plain_number(record.unpriced_count)))
        small = (format_html("<small>{}</small>", note) for note in notes)
        return _lines(*lines, *small)

    def export_headings(self, heading: str) -> list[str]:
        return ["Worth by its rates", "Worth by averages", "Of unknown worth"]

    def export_cells(self, record: SuspenseGroup, value: object) -> list[Cell]:
        known = [(each.known_amount, each.currency) for each in record.worth]
        average = [(each.average_amount, each.currency) for each in record.worth]
        return [worth_text(known), worth_text(average), record.unpriced_count]


def _lines(*lines: SafeString) -> SafeString:
    """One below the other, also where a row is shown as a card."""
    return format_html(
        "<div>{}</div>", format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines))
    )


class GroupTable(Table):
    reason = Column("Reason", accessor="reason__label")
    subject = SubjectColumn("Waits for", accessor="row_count", attrs={"td": {"class": "wide"}})
    # In files only: beside what it waits for on the page.
    source = Column("Source", visible=False)
    row_count = NumberColumn("Rows")
    starts = StartsColumn("Started, first and last", accessor="oldest_at")
    worth = WorthColumn("Worth", accessor="row_count", attrs=NUMBER)


def _sources(request: SurfaceRequest) -> QuerySet[Source]:
    return sources(request.scope)


class GroupFilters(Filters):
    reason = choice_filter("Reason", "reason", SuspenseReason.choices)
    source = row_filter("Source", "source", _sources)


@page_of(Surface.CONSOLE, "usage.read")
def suspense_list(request: SurfaceRequest) -> HttpResponse:
    filters = GroupFilters(request.GET, selectors.open_suspense(request.scope), request=request)
    said = filters.form.cleaned_data if filters.form.is_valid() else {}
    groups = suspense_groups(
        request.scope,
        localdate(clock.now()),
        reason=said.get("reason") or "",
        source_id=said["source"].pk if said.get("source") else None,
    )
    if respond := _FILES.get(request.GET.get("format", "")):
        return respond("suspense", *exported(GroupTable(groups, request=request)))
    context = {
        "filters": filters,
        "is_filtering": filters.is_filtering,
        "table": GroupTable(groups[:MOST_GROUPS], request=request) if groups else None,
        "hidden_count": max(0, len(groups) - MOST_GROUPS),
        "row_count": sum(group.row_count for group in groups),
        "unpriced_count": sum(group.unpriced_count for group in groups),
        "worth": worth_of_groups(groups),
        "at_work": selectors.mendings_at_work(request.scope),
        "actions": allowed(request.scope, _actions()),
    }
    part = "_suspense_groups" if request.htmx.target == "list" else "suspense_list"
    return render(request, f"console/usage/{part}.html", context)


def _actions() -> list[Action]:
    retry = reverse("console_suspense_retry")
    return [
        Action("What was done", reverse("console_mendings"), "clock"),
        Action("Rate again", rerating_url(), "arrow-path", needs="usage.write"),
        Action("Try all again", retry, "arrow-path", needs="usage.write", is_main=True),
    ]


class EstimateColumn(MoneyColumn):
    """What the customer would pay, where a rate for it is known."""

    def render(self, record: Any, value: Decimal) -> Any:
        return super().render(record, value) if value else NONE


class ChosenColumn(Column):
    """A box that chooses the row for the buttons below the list."""

    def render(self, record: Suspense) -> SafeString:
        box = '<input type="checkbox" name="row" value="{}" form="chosen" aria-label="Choose {}">'
        return format_html(box, record.pk, f"line {record.line_number} of {record.chunk.file}")


class RowTable(Table):
    reason = LinkColumn("Reason", accessor="get_reason_display")
    detail = Column("Detail")
    customer = LinkColumn("Customer", to="customer")
    started_at = InstantColumn("Started")
    volume = NumberColumn("Volume")
    estimated_amount = EstimateColumn("Estimated value")
    # In files only: the row's page names its file.
    state = BadgeColumn("State", accessor="get_state_display", value="state", visible=False)
    source = Column("Source", visible=False)
    file = Column("File", accessor="chunk__file", visible=False)
    line_number = NumberColumn("Line")
    raw = Column("As received", visible=False)


class ChoosableTable(RowTable):
    chosen = ChosenColumn(
        "Choose", accessor="pk", exclude_from_export=True, attrs={"td": {"class": "narrow"}}
    )

    class Meta:
        sequence = ("chosen", "...")


class RowFilters(Filters):
    reason = choice_filter("Reason", "reason", SuspenseReason.choices)
    source = row_filter("Source", "source", _sources)
    named_by = choice_filter("Named by", "named_by", IdentifiedBy.choices)
    subject = text_filter("Waits for", "subject__exact", strip=False)
    nameless = choice_filter("Names nothing", "subject", [("1", "Yes")], method="of_nothing")
    customer = django_filters.NumberFilter(label="Customer number", method="of_customer")
    file = django_filters.NumberFilter(label="File number", field_name="chunk__file_id")
    rate_table = django_filters.NumberFilter(label="Rate table", field_name="rate_table_id")
    mending = django_filters.NumberFilter(label="Dealt with by", field_name="mending_id")
    state = choice_filter("State", "state", Suspense.State.choices, method="in_state")

    def of_customer(self, rows: QuerySet[Suspense], _: str, number: int) -> QuerySet[Suspense]:
        found = customers(self.request.scope).filter(number=number).first()
        return rows.none() if found is None else rows.filter(customer_id=found.pk)

    def of_nothing(self, rows: QuerySet[Suspense], _: str, __: str) -> QuerySet[Suspense]:
        return rows.filter(subject="")

    def in_state(self, rows: QuerySet[Suspense], _: str, state: str) -> QuerySet[Suspense]:
        return rows.filter(state=state)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Of those that wait, unless the state is said; of rows that were chosen, these."""
        rows = super().filter_queryset(queryset)
        chosen = choice_if_any(self.request)
        if chosen is not None and chosen.suspense_ids:
            rows = rows.filter(pk__in=chosen.suspense_ids)
        return rows if self.form.cleaned_data["state"] else rows.filter(state=Suspense.State.OPEN)


@page_of(Surface.CONSOLE, "usage.read")
def suspense_rows(request: SurfaceRequest) -> HttpResponse:
    asked, choice = query_of(request), _choice_of_all(request)
    may_choose = _is_of_open(request) and "usage.write" in request.scope.permissions
    return list_page(
        request,
        title="Suspense, row by row",
        lead="Filtered, all that is found can be dealt with at once.",
        rows=selectors.all_suspense(request.scope),
        table=ChoosableTable if may_choose else RowTable,
        filters=RowFilters,
        name="suspense-rows",
        empty=Empty("Nothing waits", "Every xDR received so far could be rated."),
        template="console/usage/suspense_rows.html",
        part="console/usage/_suspense_rows.html",
        context={
            "steps": allowed(request.scope, steps(choice, asked)) if choice else [],
            "remedies": allowed(request.scope, remedies(request.scope, choice)) if choice else [],
            "lines_url": address("console_suspense_lines", asked) if choice else "",
            "may_choose": may_choose,
        },
    )


def _is_of_open(request: SurfaceRequest) -> bool:
    return request.GET.get("state", "") in ("", Suspense.State.OPEN)


def _choice_of_all(request: SurfaceRequest) -> Choice | None:
    """The choice of the very rows that the filter finds; None where none says the same."""
    if request.GET.get("mending") or not _is_of_open(request):
        return None
    return choice_if_any(request)


@page_of(Surface.CONSOLE, "usage.read")
def suspense_detail(request: SurfaceRequest, suspense_id: int) -> HttpResponse:
    row = selectors.suspense(request.scope, suspense_id)
    kind = None if row.payer_kind is None else PartyKind(row.payer_kind)
    payers = [] if kind is None or row.payer_id is None else [(int(kind), row.payer_id)]
    context = {
        "row": row,
        "payer": next(iter(parties(request.scope, payers).values()), None),
        "remedy": REMEDIES[SuspenseReason(row.reason)],
        "group_url": address("console_suspense_rows", query(selectors.group_of(row))),
        "subject": subject_text(row),
        "xdr_url": _xdr_url(row),
        "actions": allowed(request.scope, _row_actions(row)),
    }
    return render(request, "console/usage/suspense_detail.html", context)


def _row_actions(row: Suspense) -> list[Action]:
    if row.state != Suspense.State.OPEN:
        return []
    choice = Choice(reason=row.reason, suspense_ids=(row.pk,))
    try_again, correct, *others = steps(choice, query(choice))
    if row.xdr_id is not None:
        rate = Action("Rate again", _rerating_url(row), "arrow-path", needs="usage.write")
        return [rate, correct, *others, try_again]
    url = reverse("console_suspense_line", kwargs={"suspense_id": row.pk})
    line = Action("Correct the line", url, "pencil-square", needs="usage.write")
    return [line, *others, try_again]


def _rerating_url(row: Suspense) -> str:
    """A dry run of all that waits for the same from when this began."""
    return rerating_url(started_from=row.started_at, suspense_reason=row.reason)


def _xdr_url(row: Suspense) -> str:
    if row.xdr_id is None:
        return ""
    key = (row.provider_id, row.started_at, row.xdr_id)
    return reverse("console_xdr", kwargs={"xdr_key": key})


urls = [
    path("usage/suspense/", suspense_list, name="console_suspense"),
    path("usage/suspense/rows/", suspense_rows, name="console_suspense_rows"),
    path("usage/suspense/<int:suspense_id>/", suspense_detail, name="console_suspense_row"),
]
