"""Pages of the portal that are there once the provider has opened them to the reseller."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpResponse

from common.scope import Surface
from web.access import SurfaceRequest, page_of

_View = Callable[..., HttpResponse]


def opened_page(opening: str) -> Callable[[_View], Callable[..., HttpResponse]]:
    """A page that does not exist for a reseller to whom `opening` (a permission code) is closed."""

    def restrict(view: _View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def while_open(request: SurfaceRequest, *args: object, **kwargs: object) -> HttpResponse:
            if opening not in request.scope.permissions:
                raise Http404
            return view(request, *args, **kwargs)

        return page_of(Surface.RESELLER_PORTAL)(while_open)

    return restrict
