"""Telling customers what has changed in a rate table: prepared, looked at, and only then sent."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalogue.models import RateNotice, RateTable
from catalogue.selectors import rate_table
from catalogue.selectors.rate_notices import notice_file, notice_files, rate_notice, rate_notices
from common import clock
from common.csv_files import Cell
from common.scope import Surface
from common.tries import GIVEN_UP
from customers import selectors
from customers.models import RateNotification
from customers.services.rate_notices import (
    COLUMNS,
    NoticeOpen,
    discard_rate_notice,
    request_rate_notice,
    send_rate_notice,
)
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.customer_tabs import frame
from web.shared.actions import Action
from web.shared.exports import kept_file
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.links import url_of
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, InstantColumn, LinkColumn, NumberColumn, Table

READ, WRITE = "catalogue.read", "catalogue.write"
_SHOWN = ("change", "prefix", "destination", "time_profile", "since", "rate_before", "rate")


class NoticeTable(Table):
    requested_at = InstantColumn("Prepared")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    recipient_count = NumberColumn("Recipients")
    unchanged_count = NumberColumn("Know it all")
    requested_by = Column("By")
    sent_at = InstantColumn("Sent")

    def render_requested_at(self, record: RateNotice, value: Any) -> SafeString:
        shown = self.base_columns["requested_at"].render(value)
        return format_html('<a href="{}">{}</a>', _url(record), shown)


@page_of(Surface.CONSOLE, READ)
def notice_list(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = rate_table(request.scope, table_id)
    prepare = Action(
        "Prepare a notice",
        reverse("console_rate_notice_create", kwargs={"table_id": table.pk}),
        "envelope",
        needs=WRITE,
        is_main=True,
    )
    return list_page(
        request,
        title=f"Notices of {table}",
        lead="Who pays by the table is told by e-mail what has changed since they were told last.",
        rows=rate_notices(request.scope, table),
        table=NoticeTable,
        name=f"rate-notices-{table.pk}",
        actions=[prepare],
        empty=Empty("Nobody was told yet", "The first notice holds all rates.", prepare),
        template="console/rates/rate_notice_list.html",
        context={"table_url": reverse("console_rates", kwargs={"table_id": table.pk})},
    )


class NoticeForm(Form):
    format = forms.ChoiceField(label="The attached file", choices=RateNotice.Format.choices)


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def notice_create(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = rate_table(request.scope, table_id)

    def save(form: NoticeForm) -> str:
        notice = request_rate_notice(
            table=table,
            format=RateNotice.Format(form.cleaned_data["format"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return _url(notice)

    page = FormPage(
        f"Prepare a notice of {table}",
        submit="Prepare",
        cancel_url=_list_url(table),
        lead="A worker finds out who pays by the table and what each was not told yet, changes to"
        " come included. You see it all before anything is sent.",
    )
    return form_page(request, page, form=NoticeForm, save=save, fields_of={NoticeOpen: "format"})


class RecipientColumn(Column):
    """A customer or a reseller, with a link to its page."""

    def render(self, record: RateNotification, table: Any) -> SafeString:
        party = record.customer or record.reseller
        url = url_of(table.scope, party) if party else ""
        return format_html('<a href="{}">{}</a>', url, party) if url else format_html("{}", party)

    def export_cells(self, record: RateNotification, value: object) -> list[Cell]:
        return [str(record.customer or record.reseller)]


class ChangesColumn(Column):
    """`2 increased, 1 new`: what the file has, and the way to it."""

    def render(self, record: RateNotification) -> SafeString:
        url = reverse("console_rate_notice_file", kwargs={"file_id": record.file_id})
        return format_html('<a href="{}">{}</a>', url, _changes(record))

    def export_cells(self, record: RateNotification, value: object) -> list[Cell]:
        return [_changes(record)]


class AddressesColumn(Column):
    """E-mail addresses."""

    def render(self, value: list[str]) -> str:
        return ", ".join(value)

    def export_cells(self, record: RateNotification, value: list[str]) -> list[Cell]:
        return [", ".join(value)]


class RecipientTable(Table):
    recipient = RecipientColumn("Recipient", accessor="pk")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    since = InstantColumn("Told last", accessor="since__sent_at")
    changes = ChangesColumn("What changed", accessor="pk")
    sent_at = InstantColumn("Sent")
    error = Column("Failure")


class RecipientFilters(Filters):
    state = choice_filter("State", "state", RateNotification.State.choices)


@page_of(Surface.CONSOLE, READ)
def notice_show(request: SurfaceRequest, notice_id: int) -> HttpResponse:
    """How far it is, what each group of recipients is told, and, as a list, who they are."""
    notice = rate_notice(request.scope, notice_id)
    table = notice.rate_table
    if notice.state in (RateNotice.State.PREPARING, RateNotice.State.FAILED):
        part = "_rate_notice_progress" if request.htmx else "rate_notice_progress"
        failure = GIVEN_UP if notice.state == RateNotice.State.FAILED else ""
        context = {
            "notice": notice,
            "table": table,
            "list_url": _list_url(table),
            "failure": failure,
        }
        return render(request, f"console/rates/{part}.html", context)
    if request.htmx and request.htmx.target != "list":
        # The progress asked, and there is more to show than it has room for.
        return HttpResponse(headers={"HX-Refresh": "true"})
    of_notice = {"notice_id": notice.pk}
    is_open = notice.state == RateNotice.State.PREPARED
    discard = Action(
        "Discard", reverse("console_rate_notice_discard", kwargs=of_notice), "trash", needs=WRITE
    )
    send = Action(
        "Send",
        reverse("console_rate_notice_send", kwargs=of_notice),
        "paper-airplane",
        needs=WRITE,
        is_main=True,
    )
    return list_page(
        request,
        title=f"Notice of {table}",
        rows=selectors.rate_notifications(request.scope, notice),
        table=RecipientTable,
        filters=RecipientFilters,
        name=f"rate-notice-{notice.pk}",
        actions=([discard, send] if notice.recipient_count else [discard]) if is_open else [],
        empty=Empty("Nobody has to be told anything", "Who pays by the table knows its rates."),
        template="console/rates/rate_notice_show.html",
        context={
            "notice": notice,
            "files": notice_files(request.scope, notice),
            "list_url": _list_url(table),
        },
    )


@page_of(Surface.CONSOLE, READ)
def notice_file_show(request: SurfaceRequest, file_id: int) -> HttpResponse:
    """The first changes of a file, or, with `?download`, the file as it is attached."""
    file = notice_file(request.scope, file_id)
    if "download" in request.GET:
        return kept_file(file.notice.format, bytes(file.content), file.name)
    places = [COLUMNS.index(name) for name in _SHOWN]
    context = {
        "file": file,
        "notice": file.notice,
        "table": file.notice.rate_table,
        "notice_url": _url(file.notice),
        "count": sum(file.changes.values()),
        "changes": sorted(file.changes.items()),
        "examples": [_shown([line[place] for place in places]) for line in file.examples],
    }
    return render(request, "console/rates/rate_notice_file.html", context)


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def notice_send(request: SurfaceRequest, notice_id: int) -> HttpResponse:
    notice = rate_notice(request.scope, notice_id)

    def confirm() -> str:
        count = send_rate_notice(notice=notice, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{count:,} e-mails are on their way.")
        return _url(notice)

    review = Review(
        f"Tell {notice.recipient_count:,} recipients what has changed in {notice.rate_table}",
        lead="By e-mail, each with its file. What is sent cannot be called back.",
        facts=[
            ("Recipients", f"{notice.recipient_count:,}"),
            ("Already know all of it", f"{notice.unchanged_count:,}"),
        ],
        submit="Send the e-mails",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_url(notice))


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def notice_discard(request: SurfaceRequest, notice_id: int) -> HttpResponse:
    notice = rate_notice(request.scope, notice_id)

    def confirm() -> str:
        discard_rate_notice(notice=notice, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, "The notice was discarded; nobody was told.")
        return _list_url(notice.rate_table)

    review = Review(
        f"Discard the notice of {notice.rate_table}",
        lead="Nothing is sent. The next notice says what this one would have said.",
        submit="Discard it",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_url(notice))


class CustomerNoticeTable(Table):
    sent_at = InstantColumn("Sent")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    rate_table = LinkColumn("Rate table", to="rate_table")
    changes = ChangesColumn("What changed", accessor="pk")
    addresses = AddressesColumn("To")
    error = Column("Failure")


@page_of(Surface.CONSOLE, "customers.read")
def customer_notices(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    """What a customer was told of rates."""
    customer = selectors.customer(request.scope, customer_id)
    return list_page(
        request,
        title="Rate notices",
        rows=selectors.rate_notifications_to(request.scope, customer),
        table=CustomerNoticeTable,
        name=f"rate-notices-{customer.number}",
        empty=Empty("Told of no rates yet", "A rate table's Notify page sends what changed."),
        template="console/customers/customer_list_tab.html",
        context=frame(request, customer),
    )


def _shown(cells: list[str]) -> list[object]:
    """The cells of a change as its page shows them: with the instant as one."""
    place = _SHOWN.index("since")
    return [*cells[:place], datetime.fromisoformat(cells[place]), *cells[place + 1 :]]


def _changes(notification: RateNotification) -> str:
    changes = notification.file.changes
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(changes.items()))


def _url(notice: RateNotice) -> str:
    return reverse("console_rate_notice", kwargs={"notice_id": notice.pk})


def _list_url(table: RateTable) -> str:
    return reverse("console_rate_notices", kwargs={"table_id": table.pk})


urls = [
    path("rate-tables/<int:table_id>/notices/", notice_list, name="console_rate_notices"),
    path(
        "rate-tables/<int:table_id>/notices/new/", notice_create, name="console_rate_notice_create"
    ),
    path("rate-tables/notices/<int:notice_id>/", notice_show, name="console_rate_notice"),
    path("rate-tables/notices/<int:notice_id>/send/", notice_send, name="console_rate_notice_send"),
    path(
        "rate-tables/notices/<int:notice_id>/discard/",
        notice_discard,
        name="console_rate_notice_discard",
    ),
    path(
        "rate-tables/notices/files/<int:file_id>/",
        notice_file_show,
        name="console_rate_notice_file",
    ),
    path(
        "customers/<int:customer_id>/rate-notices/",
        customer_notices,
        name="console_customer_rate_notices",
    ),
]
