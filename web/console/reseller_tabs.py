"""The pages about one reseller, one for each tab."""

from datetime import timedelta
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.timezone import localdate

from audit.selectors import entries_about
from billing.selectors.invoices import invoices
from cdr.selectors.reseller_usage import reseller_usage
from common.scope import Scope
from customers.models import Customer
from customers.selectors import customers
from payouts.models import CommissionPlan, PayoutStatement
from payouts.selectors import commission_plans, statements
from resellers import selectors
from resellers.models import BillingModeAssignment, Reseller, ResellerCode, ResellerUser
from web.access import SurfaceRequest
from web.console.history import HistoryTable
from web.console.payouts import StatementColumn
from web.console.reseller_pages import TAB, address, find, frame, reseller_page
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    DateColumn,
    InstantColumn,
    LinkColumn,
    MoneyColumn,
    NumberColumn,
    Table,
)
from web.shared.writing import money_html, plain_number

# A year of whole months, the present one included.
DAYS_OF_USAGE = 335


def _action(reseller: Reseller, label: str, url_name: str, icon: str, **options: Any) -> Action:
    options = {"needs": "resellers.write", **options}
    return Action(label, address(url_name, reseller), icon, **options)


@reseller_page("resellers.read")
def reseller_details(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    is_active = reseller.state == Reseller.State.ACTIVE
    actions = [
        _action(reseller, "Move", "console_reseller_move", "arrows-right-left"),
        _action(reseller, "Disable", "console_reseller_disable", "no-symbol")
        if is_active
        else _action(reseller, "Enable", "console_reseller_enable", "check-circle"),
        _action(reseller, "Edit", "console_reseller_edit", "pencil-square"),
    ]
    tree = selectors.reseller_tree(request.scope)
    below = selectors.resellers(request.scope).filter(pk__in=tree.children(reseller.pk))
    context = {"below": below, **frame(request, reseller, *actions)}
    return render(request, "console/resellers/reseller_details.html", context)


class CustomerTable(Table):
    number = LinkColumn("Number", orderable=True)
    name = LinkColumn("Name", order_by=("organisation", "last_name"))
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    code = Column("Code", accessor="reseller_code__code")
    channel = Column("By", accessor="get_channel_display")
    created_at = InstantColumn("Created", orderable=True)


class CustomerFilters(Filters):
    searches = ("organisation__icontains", "last_name__icontains", "number__startswith")
    search_hint = "Name or number"

    state = choice_filter("State", "state", Customer.State.choices)


@reseller_page("customers.list")
def reseller_customers(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    return list_page(
        request,
        title=f"Customers of {reseller}",
        rows=customers(request.scope).filter(reseller=reseller),
        table=CustomerTable,
        filters=CustomerFilters,
        name=f"customers-of-reseller-{reseller.number}",
        empty=Empty("No customers yet", "Who signs up with one of its codes appears here."),
        template=TAB,
        context=frame(request, reseller),
    )


class SettlementTable(Table):
    number = LinkColumn("Number")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    issue_date = DateColumn("Issued")
    due_date = DateColumn("Due")
    net_amount = MoneyColumn("Net")
    tax_amount = MoneyColumn("Tax")
    gross_amount = MoneyColumn("Gross")


@reseller_page("invoices.read")
def reseller_wholesale(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    since = (localdate() - timedelta(days=DAYS_OF_USAGE)).replace(day=1)
    usage = [
        [
            f"{row.month:%B %Y}",
            plain_number(row.call_count),
            money_html(row.charged_amount, row.currency),
            money_html(row.owed_amount, row.currency),
        ]
        for row in reseller_usage(request.scope, reseller, since)
    ]
    return list_page(
        request,
        title=f"Settlement invoices of {reseller}",
        rows=invoices(request.scope).filter(reseller=reseller),
        table=SettlementTable,
        name=f"settlement-invoices-{reseller.number}",
        empty=Empty(
            "No settlement invoices yet",
            "A bill run makes them for resellers in billing mode.",
        ),
        template="console/resellers/reseller_wholesale.html",
        context={
            "usage_headings": ["Month", "Calls", "Owes its parent", "Owed by sub-resellers"],
            "usage": usage,
            **frame(request, reseller),
        },
    )


class PlanTable(Table):
    valid_from = DateColumn("From")
    valid_to = DateColumn("Until, not included")
    percent = NumberColumn("Percent")
    base = Column("Of", accessor="get_base_display")


@reseller_page("payouts.read")
def reseller_commission(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    agree = _action(
        reseller,
        "Set a plan",
        "console_reseller_plan_create",
        "plus",
        needs="payouts.write",
        is_main=True,
    )
    return list_page(
        request,
        title=f"Commission of {reseller}",
        rows=commission_plans(request.scope, reseller=reseller),
        table=PlanTable,
        name=f"commission-plans-{reseller.number}",
        empty=Empty(
            "No commission agreed",
            "Its customers earn it nothing until a plan begins.",
            action=agree,
        ),
        template=TAB,
        context=frame(request, reseller, agree),
    )


class StatementTable(Table):
    name = StatementColumn("Statement", accessor="pk", attrs={"td": {"class": "code"}})
    period_from = DateColumn("Period from")
    period_to = DateColumn("Ends before")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    opening_amount = MoneyColumn("Opening")
    accrued_amount = MoneyColumn("Accrued")
    clawed_back_amount = MoneyColumn("Clawed back")
    closing_amount = MoneyColumn("Closing")
    settled_date = DateColumn("Settled")


class StatementFilters(Filters):
    searches = ("number__istartswith",)
    search_hint = "Number"

    state = choice_filter("State", "state", PayoutStatement.State.choices)


@reseller_page("payouts.read")
def reseller_payouts(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    return list_page(
        request,
        title=f"Payout statements of {reseller}",
        rows=statements(request.scope).filter(reseller=reseller),
        table=StatementTable,
        filters=StatementFilters,
        name=f"payout-statements-{reseller.number}",
        empty=Empty("No statements yet", "They are prepared when a month is over, under Payouts."),
        template=TAB,
        context=frame(request, reseller),
    )


@reseller_page("resellers.read")
def reseller_history(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    return list_page(
        request,
        title=f"History of {reseller}",
        rows=entries_about(request.scope, _rows_of(request.scope, reseller)),
        table=HistoryTable,
        name=f"history-of-reseller-{reseller.number}",
        empty=Empty("Nothing changed yet", "Every change of the reseller is kept here."),
        template=TAB,
        context=frame(request, reseller),
    )


def _rows_of(scope: Scope, reseller: Reseller) -> dict[type[Model], list[int]]:
    """The reseller itself and what belongs to it, as far as the user may read of that."""
    rows: dict[type[Model], list[int]] = {
        Reseller: [reseller.pk],
        ResellerCode: _ids(selectors.codes(scope, reseller)),
        BillingModeAssignment: _ids(selectors.billing_modes(scope, reseller)),
        ResellerUser: _ids(selectors.viewers(scope, reseller)),
    }
    if "payouts.read" in scope.permissions:
        rows[CommissionPlan] = _ids(commission_plans(scope, reseller=reseller))
    return rows


def _ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


urls = [
    path("resellers/<int:reseller_id>/", reseller_details, name="console_reseller"),
    path(
        "resellers/<int:reseller_id>/customers/",
        reseller_customers,
        name="console_reseller_customers",
    ),
    path(
        "resellers/<int:reseller_id>/wholesale/",
        reseller_wholesale,
        name="console_reseller_wholesale",
    ),
    path(
        "resellers/<int:reseller_id>/commission/",
        reseller_commission,
        name="console_reseller_commission",
    ),
    path("resellers/<int:reseller_id>/payouts/", reseller_payouts, name="console_reseller_payouts"),
    path("resellers/<int:reseller_id>/history/", reseller_history, name="console_reseller_history"),
]
