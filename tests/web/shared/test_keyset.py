"""Pages that never count, over an order with nulls and ties, from either end."""

from itertools import pairwise

import pytest
from django.db.models import QuerySet

from customers.models import Customer
from tests.factories import make_customer, make_provider
from web.shared.keyset import Page, keyset_page

pytestmark = pytest.mark.django_db
DAYS = [
    None,
    "2026-02-01T00:00:00.000001Z",
    "2026-02-01T00:00:00.000002Z",
    None,
    "2026-01-03T00:00Z",
]
ORDERS = [
    ["number"],
    ["-number"],
    ["active_since"],
    ["-active_since"],
    ["organisation", "-active_since"],
    ["-reseller__organisation", "active_since", "pk"],
]


@pytest.fixture
def rows() -> QuerySet[Customer]:
    provider = make_provider()
    for serial in range(23):
        make_customer(
            provider, organisation=f"Customer {serial % 4}", active_since=DAYS[serial % len(DAYS)]
        )
    return Customer.objects.filter(provider=provider)


def forwards(rows: QuerySet[Customer], ordering: list[str], size: int) -> list[Page[Customer]]:
    pages = [keyset_page(rows, ordering=ordering, size=size)]
    while pages[-1].after:
        pages.append(keyset_page(rows, ordering=ordering, size=size, after=pages[-1].after))
    return pages


def expected_rows(rows: QuerySet[Customer], ordering: list[str]) -> list[Customer]:
    tie = "-pk" if ordering[-1].startswith("-") else "pk"
    return list(rows.order_by(*ordering, *([] if ordering[-1] == "pk" else [tie])))


@pytest.mark.parametrize("ordering", ORDERS, ids=" ".join)
class TestKeysetPage:
    def test_shows_every_row_once_and_in_order(
        self, rows: QuerySet[Customer], ordering: list[str]
    ) -> None:
        pages = forwards(rows, ordering, size=5)

        assert [row for page in pages for row in page.rows] == expected_rows(rows, ordering)
        assert [len(page.rows) for page in pages] == [5, 5, 5, 5, 3]
        assert pages[0].before == ""

    def test_leads_back_to_where_one_came_from(
        self, rows: QuerySet[Customer], ordering: list[str]
    ) -> None:
        pages = forwards(rows, ordering, size=5)

        for earlier, later in pairwise(pages):
            back = keyset_page(rows, ordering=ordering, size=5, before=later.before)
            assert back.rows == earlier.rows
            assert bool(back.before) == bool(earlier.before)
            assert back.after

    @pytest.mark.parametrize("cursor", ["none", "WzFd:x", "\x00", "é"])
    def test_begins_at_the_first_row_for_a_cursor_that_is_none(
        self, rows: QuerySet[Customer], ordering: list[str], cursor: str
    ) -> None:
        first = keyset_page(rows, ordering=ordering, size=5)

        assert keyset_page(rows, ordering=ordering, size=5, after=cursor) == first
        assert keyset_page(rows, ordering=ordering, size=5, before=cursor) == first


class TestACursor:
    def test_of_another_order_is_none(self, rows: QuerySet[Customer]) -> None:
        other = keyset_page(rows, ordering=["-number"], size=5)

        page = keyset_page(rows, ordering=["number"], size=5, after=other.after)

        assert page == keyset_page(rows, ordering=["number"], size=5)
