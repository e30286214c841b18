"""The customers that a reseller brought, and how to reach each; nothing about their money."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from common.scope import Surface
from customers.models import Customer
from customers.selectors import codes_with_customers
from resellers.models import ResellerCode
from subscriptions.selectors import customers_with_activity
from web.access import SurfaceRequest, page_of
from web.shared.filters import Filters, choice_filter, row_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, InstantColumn, LinkColumn, NumberColumn, Table


class CustomerTable(Table):
    number = LinkColumn("Number", orderable=True)
    name = Column("Name", accessor="contact_name")
    organisation = Column("Organisation")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    active_since = InstantColumn("Active since", orderable=True)
    subscriptions = NumberColumn("Subscriptions", accessor="subscription_count")
    last_login = InstantColumn("Last login", default="never")


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


@page_of(Surface.RESELLER_PORTAL)
def customer_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Customers",
        lead="Everybody who signed up with one of your codes, those who left included.",
        rows=customers_with_activity(request.scope),
        table=CustomerTable,
        filters=CustomerFilters,
        name="customers",
        empty=Empty("No customers yet", "Who signs up with one of your codes appears here."),
    )


@page_of(Surface.RESELLER_PORTAL)
def customer_page(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = customers_with_activity(request.scope).get(pk=customer_id)
    return render(request, "reseller_portal/customers/customer.html", {"customer": customer})


urls = [
    path("customers/", customer_list, name="reseller_portal_customers"),
    path("customers/<int:customer_id>/", customer_page, name="reseller_portal_customer"),
]
