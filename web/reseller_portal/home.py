"""The reseller portal's first page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from common.scope import Surface
from customers import selectors as customers
from resellers import selectors as resellers
from web.access import SurfaceRequest, page_of


@page_of(Surface.RESELLER_PORTAL)
def home(request: SurfaceRequest) -> HttpResponse:
    return render(
        request,
        "reseller_portal/home.html",
        {
            "reseller": resellers.resellers(request.scope).get(),
            "customer_count": customers.customers(request.scope).count(),
        },
    )


urls = [path("", home, name="reseller_portal_home")]
