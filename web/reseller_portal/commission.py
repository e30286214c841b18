"""A reseller's own payout statements, approved ones only, and their files."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from payouts.documents.kept import statement_pdf
from payouts.documents.layout import lay_out
from payouts.documents.statement_csv import COLUMNS, statement_rows
from payouts.models import PayoutStatement
from payouts.selectors import statements
from resellers.rules.openings import COMMISSION
from web.access import SurfaceRequest
from web.reseller_portal.opened import opened_page
from web.shared.actions import Action
from web.shared.documents import pdf_response
from web.shared.exports import csv_response, xlsx_response
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, DateColumn, LinkColumn, MoneyColumn, Table

_STATES = [
    choice for choice in PayoutStatement.State.choices if choice[0] != PayoutStatement.State.DRAFT
]


class StatementTable(Table):
    number = LinkColumn("Statement", attrs={"td": {"class": "code"}})
    period_from = DateColumn("Period from")
    period_to = DateColumn("Ends before")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    accrued_amount = MoneyColumn("Accrued")
    clawed_back_amount = MoneyColumn("Clawed back")
    closing_amount = MoneyColumn("Closing")
    settled_date = DateColumn("Paid on")
    settlement_reference = Column("Reference")


class StatementFilters(Filters):
    searches = ("number__istartswith",)
    search_hint = "Number"

    state = choice_filter("State", "state", _STATES)
    since = since_filter("Period since", "period_from")
    until = until_filter("Period until", "period_from")


@opened_page(COMMISSION)
def statement_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Commission and payouts",
        lead="What you earned from your customers' invoices, and what was paid out of it.",
        rows=statements(request.scope),
        table=StatementTable,
        filters=StatementFilters,
        name="payout-statements",
        empty=Empty("No statements yet", f"{request.provider} approves one for each period."),
    )


@opened_page(COMMISSION)
def statement_show(request: SurfaceRequest, statement_id: int) -> HttpResponse:
    statement = statements(request.scope).get(pk=statement_id)
    files = [
        Action(label, reverse(url_name, kwargs={"statement_id": statement.pk}), icon)
        for label, url_name, icon in (
            ("PDF", "reseller_portal_statement_pdf", "document-text"),
            ("CSV", "reseller_portal_statement_csv", "arrow-down-tray"),
            ("Excel", "reseller_portal_statement_xlsx", "arrow-down-tray"),
        )
    ]
    context = {"statement": statement, "layout": lay_out(statement), "actions": files}
    return render(request, "reseller_portal/commission/statement_show.html", context)


@opened_page(COMMISSION)
def statement_document(request: SurfaceRequest, statement_id: int) -> HttpResponse:
    statement = statements(request.scope).select_related("provider").get(pk=statement_id)
    return pdf_response(request, str(statement), lambda: statement_pdf(request.scope, statement))


@opened_page(COMMISSION)
def statement_file(request: SurfaceRequest, statement_id: int, kind: str) -> HttpResponse:
    statement = statements(request.scope).get(pk=statement_id)
    respond = {"csv": csv_response, "xlsx": xlsx_response}[kind]
    return respond(f"payout-{statement}", COLUMNS, statement_rows(statement))


_ONE = "commission/<int:statement_id>/"
urls = [
    path("commission/", statement_list, name="reseller_portal_statements"),
    path(_ONE, statement_show, name="reseller_portal_statement"),
    path(f"{_ONE}pdf/", statement_document, name="reseller_portal_statement_pdf"),
    path(
        f"{_ONE}accruals.csv",
        statement_file,
        {"kind": "csv"},
        name="reseller_portal_statement_csv",
    ),
    path(
        f"{_ONE}accruals.xlsx",
        statement_file,
        {"kind": "xlsx"},
        name="reseller_portal_statement_xlsx",
    ),
]
