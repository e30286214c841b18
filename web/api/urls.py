"""The routes of the API: each file lists its own, and joins them by one line here."""

from typing import Any

from django.http import Http404
from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from web.api import reference
from web.api.endpoint import Endpoint
from web.api.v1 import mendings, quotes, rates, suspense, xdr_files, xdrs


@extend_schema(exclude=True)
class Nowhere(Endpoint):
    """Every other address: its refusal is told as all others are, whatever the method."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nobody is let in."""
        raise Http404


urlpatterns = [
    path("v1/", reference.reference, name="api_reference"),
    path("v1/schema/", reference.schema, name="api_schema"),
    path("v1/", include([*xdrs.urls, *xdr_files.urls, *suspense.urls, *mendings.urls])),
    path("v1/", include([*rates.urls, *quotes.urls])),
    path("<path:rest>", Nowhere.as_view(), name="api_nowhere"),
]
