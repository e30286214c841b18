"""The first page: on to one's own surface, or to the sign-in page."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import redirect, render

from common.scope import Surface
from web.access import ScopedRequest

HOME_OF = {
    Surface.CONSOLE: "console_home",
    Surface.ACCOUNT_CENTRE: "account_centre_home",
    Surface.RESELLER_PORTAL: "reseller_portal_home",
}


def home(request: ScopedRequest) -> HttpResponse:
    """Where everybody lands after signing in."""
    if not request.user.is_authenticated:
        return redirect_to_login("/")
    if request.scope is None:
        return render(request, "no_access.html", status=403)
    return redirect(HOME_OF[request.scope.surface])
