"""Short ways to read pages in tests of the reseller portal."""

from html import unescape
from http import HTTPStatus

from django.test import Client
from django.utils.html import strip_tags


def page(client: Client, path: str) -> str:
    """The page's source."""
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def words_of(client: Client, path: str) -> str:
    """What a reader reads on the page, with single spaces."""
    source = page(client, path).replace("<", " <")
    return " ".join(unescape(strip_tags(source)).split())
