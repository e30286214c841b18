"""The account centre's first page."""

from django.http import HttpResponse
from django.shortcuts import render

from common.scope import Surface
from customers import selectors as customers
from tenancy import selectors as tenancy
from web.access import SurfaceRequest, page_of


@page_of(Surface.ACCOUNT_CENTRE)
def home(request: SurfaceRequest) -> HttpResponse:
    assert request.scope.customer_id is not None
    customer = customers.customer(request.scope, request.scope.customer_id)
    member = customers.team(request.scope, customer).get(user=request.user)
    return render(
        request,
        "account_centre/home.html",
        {
            "provider": tenancy.own_provider(request.scope),
            "customer": customer,
            "member": member,
        },
    )
