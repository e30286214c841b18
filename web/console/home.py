"""The console's first page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from common.scope import Surface
from tenancy import selectors
from web.access import SurfaceRequest, page_of


@page_of(Surface.CONSOLE)
def home(request: SurfaceRequest) -> HttpResponse:
    membership = selectors.staff(request.scope).get(user=request.user)
    return render(request, "console/home.html", {"role": membership.role})


urls = [path("", home, name="console_home")]
