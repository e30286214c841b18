"""Short ways to read pages in tests of the account centre."""

from datetime import UTC, datetime
from html import unescape
from http import HTTPStatus

from django.test import Client
from django.utils.html import strip_tags

IN_OCTOBER = datetime(2026, 10, 5, 12, tzinfo=UTC)


def page(client: Client, path: str) -> str:
    """The page's source."""
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def words(source: str) -> str:
    """What a reader reads of a page's source, with single spaces."""
    return " ".join(unescape(strip_tags(source.replace("<", " <"))).split())


def words_of(client: Client, path: str) -> str:
    """What a reader reads on the page."""
    return words(page(client, path))
