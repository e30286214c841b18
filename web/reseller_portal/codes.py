"""A reseller's codes with the links by which customers sign up with them."""

from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.scope import Surface
from customers.selectors import codes_with_customers
from web.access import SurfaceRequest, page_of
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, NumberColumn, Table


class CodeTable(Table):
    code = Column("Code")
    campaign = Column("Campaign")
    published_at = InstantColumn("Valid from")
    expires_at = InstantColumn("Expires", default="never")
    customers = NumberColumn("Customers", accessor="customer_count")
    sign_up_url = Column("Sign-up link")

    def render_sign_up_url(self, value: str) -> SafeString:
        return format_html("<code>{}</code>", value)


def _codes(request: SurfaceRequest) -> QuerySet[Any]:
    # The code, plain as it is, ends the address.
    sign_up = request.build_absolute_uri(reverse("sign_up", args=[request.provider.slug]))
    rows = codes_with_customers(request.scope)
    return rows.annotate(sign_up_url=Concat(Value(f"{sign_up}?code="), F("code")))


@page_of(Surface.RESELLER_PORTAL)
def code_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Codes",
        lead="Who signs up by the link, or gives the code, becomes your customer.",
        rows=_codes(request),
        table=CodeTable,
        name="codes",
        empty=Empty("No codes yet", f"{request.provider} publishes them for you."),
    )


urls = [path("codes/", code_list, name="reseller_portal_codes")]
