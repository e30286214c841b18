"""What was done to a customer and to what belongs to it, by whom."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.urls import path

from audit.selectors import entries_about
from billing.models import CreditNote, Invoice
from billing.selectors.credit_notes import credit_notes
from billing.selectors.invoices import invoices
from common.scope import Scope, Surface
from customers import selectors
from customers.models import Customer, TeamMember
from payments.models import Payment
from payments.selectors.payments import transactions
from subscriptions.models import Charge, Subscription
from subscriptions.selectors import charges_of, subscriptions
from web.access import SurfaceRequest, page_of
from web.console.customer_tabs import frame
from web.console.history import HistoryTable
from web.shared.filters import Filters, since_filter, text_filter, until_filter
from web.shared.lists import Empty, list_page


class ActivityFilters(Filters):
    action = text_filter("What", "action__icontains")
    since = since_filter("Since", "at", of_instants=True)
    until = until_filter("Until", "at", of_instants=True)


@page_of(Surface.CONSOLE, "customers.read")
def customer_activity(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    return list_page(
        request,
        title=f"Activity of {customer}",
        rows=entries_about(request.scope, _rows_of(request.scope, customer)),
        table=HistoryTable,
        filters=ActivityFilters,
        name=f"activity-{customer.number}",
        empty=Empty("Nothing was done yet", "Every change of the customer is kept here."),
        template="console/customers/customer_list_tab.html",
        context=frame(request, customer),
    )


def _rows_of(scope: Scope, customer: Customer) -> dict[type[Model], list[int]]:
    """The customer and what belongs to it, as far as the user may read of that."""
    readable: dict[type[Model], tuple[str, QuerySet[Any]]] = {
        TeamMember: ("customers.read", selectors.team(scope, customer)),
        Subscription: ("subscriptions.read", subscriptions(scope, customer)),
        Charge: ("invoices.read", charges_of(scope, customer)),
        Invoice: ("invoices.read", invoices(scope).filter(customer=customer)),
        CreditNote: ("money.read", credit_notes(scope).filter(customer=customer)),
        Payment: ("money.read", transactions(scope).filter(customer=customer)),
    }
    return {
        Customer: [customer.pk],
        **{
            model: list(rows.order_by().values_list("pk", flat=True))
            for model, (needs, rows) in readable.items()
            if needs in scope.permissions
        },
    }


urls = [
    path(
        "customers/<int:customer_id>/activity/",
        customer_activity,
        name="console_customer_activity",
    ),
]
