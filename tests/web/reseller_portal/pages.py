"""Short ways to read pages in tests of the reseller portal."""

from html import unescape
from http import HTTPStatus

from django.db import connection
from django.test import Client
from django.utils.html import strip_tags

from resellers.models import Reseller
from tenancy import row_security

TOTALS = "/reseller/usage-totals/2026-10/"
INVOICES = "/reseller/customer-invoices/"
STATEMENTS = "/reseller/commission/"
BELOW = "/reseller/sub-resellers/"
PAGES = {
    "sees_usage_totals": "/reseller/usage-totals/",
    "sees_invoice_status": INVOICES,
    "sees_commission": STATEMENTS,
    "sees_branch": BELOW,
}


def page(client: Client, path: str) -> str:
    """The page's source."""
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def words_of(client: Client, path: str) -> str:
    """What a reader reads on the page, with single spaces."""
    source = page(client, path).replace("<", " <")
    return " ".join(unescape(strip_tags(source)).split())


def open_to(reseller: Reseller, *names: str) -> None:
    Reseller.objects.filter(pk=reseller.pk).update(**dict.fromkeys(names, True))


def shown_without_selectors(reseller: Reseller, sql: str) -> list[tuple[object, ...]]:
    """What the database alone shows of the reseller's requests."""
    with (
        row_security.web_role(),
        row_security.acting_for(
            provider_id=reseller.provider_id, user_id=None, reseller_id=reseller.pk
        ),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
        return list(cursor.fetchall())
