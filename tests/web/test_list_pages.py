"""Every list of every surface, found by itself: a new one needs rows in `plenty` and no test."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.forms import (
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    ModelChoiceField,
)
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from tests.web.list_pages import ListPage, all_list_pages, url_patterns
from tests.web.plenty import Plenty
from web.shared import lists
from web.shared.filters import Filters
from web.shared.keyset import Page

FEW, MANY = 2, 10
MOST_QUERIES = 20
ABOUT_THE_TRANSACTION = ("SAVEPOINT", "RELEASE", "SET LOCAL", "SELECT set_config")
PAGES = {page.name: page for page in all_list_pages()}
SURFACES = ("console_", "account_centre_", "reseller_portal_")
# Other pages, some of which show a month that their address names.
WITHOUT_ROWS = [
    str(pattern.name)
    for pattern in url_patterns()
    if str(pattern.name).startswith(SURFACES)
    and not pattern.pattern.converters
    and str(pattern.name) not in PAGES
]
# Of another kind than any filter, and of each kind the oddest that it may take.
GARBAGE = ("garbage", "a\0b", "9" * 40, "9999-12-31")
PARAMETERS = ("q", "after", "before", "sort", "format", "unknown")
ODD: dict[type[Field], tuple[str, ...]] = {
    CharField: ("%", "_\\", "ö" * 50),
    DecimalField: ("-1", "0.5", "9" * 40, "1e400"),
    DateField: ("1970-01-01", "2999-12-31"),
    DateTimeField: ("0001-01-01T00:00", "9999-12-31T23:59"),
}


@dataclass(frozen=True)
class Opened:
    """How many rows a list showed, and what it asked the database."""

    status: int
    rows: int
    queries: list[str]


@pytest.fixture(scope="module")
def plenty(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Plenty]:
    """Built once for all tests here, in a transaction around theirs."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Plenty()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def opened(plenty: Plenty) -> tuple[Mapping[str, Opened], Mapping[str, Opened]]:
    """Every list with few rows, and with many."""
    clients = plenty.browsers()
    plenty.grow(FEW)
    known = [page for page in PAGES.values() if set(page.arguments) <= plenty.arguments.keys()]
    few = {page.name: open_list(plenty, clients, page) for page in known}
    plenty.grow(MANY - FEW)
    return few, {page.name: open_list(plenty, clients, page) for page in known}


def browser(clients: Mapping[str, Client], name: str) -> Client:
    [client] = (client for start, client in clients.items() if name.startswith(start))
    return client


def path(plenty: Plenty, page: ListPage) -> str:
    return reverse(page.name, kwargs={name: plenty.arguments[name] for name in page.arguments})


def open_list(plenty: Plenty, clients: Mapping[str, Client], page: ListPage) -> Opened:
    with CaptureQueriesContext(connection) as context:
        response = browser(clients, page.name).get(path(plenty, page))
    shown = response.context["page"].rows if response.status_code == 200 else []
    asked = [query["sql"] for query in context.captured_queries]
    return Opened(
        response.status_code,
        len(shown),
        [sql for sql in asked if not sql.startswith(ABOUT_THE_TRANSACTION)],
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
class TestEveryList:
    def test_asks_as_often_for_many_rows_as_for_few(
        self, opened: tuple[Mapping[str, Opened], Mapping[str, Opened]], name: str
    ) -> None:
        assert name in opened[0], "`Plenty` knows no such arguments as its address takes"
        few, many = (lists[name] for lists in opened)

        assert few.status == 200
        assert few.rows >= FEW, "`Plenty` adds no rows to it"
        assert many.rows >= MANY
        assert len(many.queries) == len(few.queries), many.queries
        assert len(many.queries) <= MOST_QUERIES, len(many.queries)


@pytest.fixture(scope="module")
def neighbour(plenty: Plenty, opened: object) -> Plenty:
    """Another provider with rows in every list."""
    other = Plenty()
    other.grow(FEW)
    return other


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So short that few rows have a second page."""
    monkeypatch.setattr(lists, "PAGE_SIZE", 1)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
class TestTheAddressOfAList:
    def test_shows_nobody_elses_rows_whatever_it_says(
        self, plenty: Plenty, neighbour: Plenty, short_pages: None, name: str
    ) -> None:
        client, address = browser(plenty.browsers(), name), path(plenty, PAGES[name])
        theirs = browser(neighbour.browsers(), name).get(path(neighbour, PAGES[name]))
        filters = client.get(address).context["filters"]

        for query in odd_queries(filters, theirs.context["page"]):
            response = client.get(address, query)

            assert response.status_code == 200, query
            shown = {row.provider_id for row in response.context["page"].rows}
            assert shown <= {plenty.provider.pk}, query


def odd_queries(filters: Filters | None, their_page: Page[Any]) -> Iterator[dict[str, str]]:
    """What a list can be asked for, none of which anybody who clicks would."""
    fields = filters.form.fields if filters else {}
    for value in GARBAGE:
        yield dict.fromkeys((*fields, *PARAMETERS), value)
        yield dict.fromkeys(PARAMETERS, value)
    for name, field in fields.items():
        for kind, values in ODD.items():
            if isinstance(field, kind):
                yield from ({name: value} for value in values)
        if isinstance(field, ModelChoiceField):
            yield {name: str(their_page.rows[0].pk)}
    assert their_page.after
    yield {"after": their_page.after}
    yield {"before": their_page.after}


@pytest.mark.django_db
@pytest.mark.parametrize("month", ["garbage", "0001-01", "9999-12", "a\0b"])
@pytest.mark.parametrize("name", WITHOUT_ROWS)
class TestAPageByMonth:
    def test_opens_whatever_month_its_address_says(
        self, plenty: Plenty, name: str, month: str
    ) -> None:
        client = browser(plenty.browsers(), name)

        assert client.get(reverse(name), {"month": month}).status_code in (200, 302, 404)
