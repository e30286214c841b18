"""The customers that a reseller brought, or its branch where that is open; no money of theirs."""

from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.timezone import localdate

from cdr.selectors.usage_totals import usage_by_month
from common import clock
from common.scope import Surface
from customers.models import Customer
from customers.selectors import codes_with_customers
from resellers.models import Reseller, ResellerCode
from resellers.rules.openings import BRANCH, INVOICE_STATUS, USAGE_TOTALS
from resellers.selectors import resellers
from subscriptions.selectors import customers_with_activity
from web.access import SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, choice_filter, row_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, InstantColumn, LinkColumn, NumberColumn, Table
from web.shared.writing import plain_number

# A year of whole months, the present one included.
DAYS_OF_USAGE = 335


class CustomerTable(Table):
    number = LinkColumn("Number", orderable=True)
    name = Column("Name", accessor="contact_name")
    organisation = Column("Organisation")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    active_since = InstantColumn("Active since", orderable=True)
    subscriptions = NumberColumn("Subscriptions", accessor="subscription_count")
    last_login = InstantColumn("Last login", default="never")


class BranchTable(CustomerTable):
    reseller = Column("Brought by", accessor="reseller__organisation")


def _codes(request: SurfaceRequest) -> QuerySet[ResellerCode]:
    return codes_with_customers(request.scope)


class CustomerFilters(Filters):
    searches = (
        "organisation__icontains",
        "first_name__icontains",
        "last_name__icontains",
        "number__startswith",
    )
    search_hint = "Name, organisation or number"

    state = choice_filter("State", "state", Customer.State.choices)
    code = row_filter("Code", "reseller_code", _codes)
    since = since_filter("Active since", "active_since", of_instants=True)
    until = until_filter("Active until", "active_since", of_instants=True)


def _branch(request: SurfaceRequest) -> QuerySet[Reseller]:
    return resellers(request.scope)


class BranchFilters(CustomerFilters):
    reseller = row_filter("Brought by", "reseller", _branch)


@page_of(Surface.RESELLER_PORTAL)
def customer_list(request: SurfaceRequest) -> HttpResponse:
    sees_branch = BRANCH in request.scope.permissions
    whose = "your codes, or those of your sub-resellers" if sees_branch else "your codes"
    return list_page(
        request,
        title="Customers",
        lead=f"Everybody who signed up with one of {whose}, those who left included.",
        rows=customers_with_activity(request.scope),
        table=BranchTable if sees_branch else CustomerTable,
        filters=BranchFilters if sees_branch else CustomerFilters,
        name="customers",
        empty=Empty("No customers yet", "Who signs up with one of your codes appears here."),
    )


@page_of(Surface.RESELLER_PORTAL)
def customer_page(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = customers_with_activity(request.scope).get(pk=customer_id)
    since = (localdate(clock.now()) - timedelta(days=DAYS_OF_USAGE)).replace(day=1)
    usage = [
        [
            f"{row.month:%B %Y}",
            plain_number(row.call_count),
            f"{plain_number(row.volume)} {row.volume_unit}",
        ]
        for row in usage_by_month(request.scope, customer, since)
    ]
    context = {
        "customer": customer,
        "shows_usage": USAGE_TOTALS in request.scope.permissions,
        "usage_headings": ["Month", "Calls", "Volume"],
        "usage": usage,
        "actions": allowed(request.scope, [_invoices_of(customer)]),
    }
    return render(request, "reseller_portal/customers/customer.html", context)


def _invoices_of(customer: Customer) -> Action:
    url = f"{reverse('reseller_portal_invoice_statuses')}?customer={customer.number}"
    return Action("Invoices", url, "document-text", needs=INVOICE_STATUS)


urls = [
    path("customers/", customer_list, name="reseller_portal_customers"),
    path("customers/<int:customer_id>/", customer_page, name="reseller_portal_customer"),
]
