"""Which invoices the customers have and whether they are paid, without amounts and lines."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.timezone import localdate

from billing.models import Invoice
from billing.selectors.statuses import invoice_statuses
from common import clock
from common.csv_files import Cell
from resellers.rules.openings import INVOICE_STATUS
from web.access import SurfaceRequest
from web.reseller_portal.opened import opened_page
from web.shared.badges import badge
from web.shared.filters import Filters, choice_filter, since_filter, text_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, DateColumn, LinkColumn, Table

OVERDUE = "OVERDUE"
_STATES = [choice for choice in Invoice.State.choices if choice[0] != Invoice.State.ESTIMATE]


class StatusColumn(Column):
    """An invoice's state as a badge; what is late says so."""

    def render(self, record: Invoice) -> SafeString:
        state = _state_of(record)
        return badge(state, state)

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [_state_of(record)]


def _state_of(invoice: Any) -> str:
    return OVERDUE if invoice.is_late else str(invoice.state)


class StatusTable(Table):
    number = Column("Number", attrs={"td": {"class": "code"}})
    customer = LinkColumn("Customer", to="customer")
    state = StatusColumn("State")
    issue_date = DateColumn("Issued", orderable=True, order_by=("issue_date", "pk"))
    due_date = DateColumn("Due")


class StatusFilters(Filters):
    searches = (
        "number__istartswith",
        "customer__organisation__icontains",
        "customer__last_name__icontains",
    )
    search_hint = "Number or customer"

    state = choice_filter("State", "state", [*_STATES, (OVERDUE, "Overdue")], method="in_state")
    customer = text_filter("Customer number", "customer__number__exact", method="of_customer")
    since = since_filter("Issued since", "issue_date")
    until = until_filter("Issued until", "issue_date")

    def in_state(self, rows: QuerySet[Invoice], name: str, state: str) -> QuerySet[Invoice]:
        return rows.filter(Q(("is_late", True))) if state == OVERDUE else rows.filter(state=state)

    def of_customer(self, rows: QuerySet[Invoice], name: str, number: str) -> QuerySet[Invoice]:
        return rows.filter(customer__number=int(number)) if number.isdecimal() else rows.none()


@opened_page(INVOICE_STATUS)
def invoice_status_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Invoices of customers",
        lead=f"Whether {request.provider}'s invoices to your customers are paid.",
        rows=invoice_statuses(request.scope, localdate(clock.now())),
        table=StatusTable,
        filters=StatusFilters,
        name="invoices-of-customers",
        empty=Empty("No invoices yet", "They appear here when your customers are billed."),
    )


urls = [
    path("customer-invoices/", invoice_status_list, name="reseller_portal_invoice_statuses"),
]
