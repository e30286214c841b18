"""The account centre's first page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from common.scope import Surface
from customers import selectors as customers
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
            "customer": customer,
            "member": member,
        },
    )


urls = [path("", home, name="account_centre_home")]
