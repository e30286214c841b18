"""How tests of the console's pages ask for them."""

import csv
import html
import io
import re
from http import HTTPStatus
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenancy.models import Provider
from tests.factories import make_staff


def as_role(provider: Provider, role: str) -> Client:
    """A browser in which somebody of the provider's staff has signed in."""
    client = Client()
    client.force_login(make_staff(provider, role))
    return client


def page(client: Client, path: str) -> str:
    """What a page says."""
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK, response.status_code
    return response.content.decode()


def table(client: Client, path: str) -> list[dict[str, str]]:
    """What a list exports."""
    return list(csv.DictReader(io.StringIO(page(client, path))))


def confirm(client: Client, path: str, **fields: Any) -> str:
    """Send a form with its review agreed to, and return where it leads."""
    response = client.post(path, fields | {"_confirmed": "1"})
    assert response.status_code == HTTPStatus.FOUND, response.content.decode()
    return str(response["Location"])


def refused(client: Client, path: str, **fields: Any) -> str:
    """Send a form that is refused, and return what its page says."""
    response = client.post(path, fields)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, response.status_code
    return response.content.decode()


def query_count(client: Client, path: str) -> int:
    """How often a page asks the database."""
    with CaptureQueriesContext(connection) as context:
        page(client, path)
    return len(context)


def seen(text: str) -> str:
    """What a form's page says of what it shows, as it sends it back."""
    found = re.search(r'name="seen" value="([^"]*)"', text)
    assert found
    return html.unescape(found[1])
