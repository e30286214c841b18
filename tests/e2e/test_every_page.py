"""Every page there is, in a browser: how it looks, with rows and without a finding of axe's.

The pages are those of the access matrix, so that a new one is looked at as soon as it is there.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from django.urls import get_resolver, reverse
from playwright.sync_api import Error, Response

from catalogue.models import Catalogue
from customers.models import Customer
from resellers.models import Reseller
from resellers.rules.openings import OPENINGS
from tenancy.models import Provider, User
from tests.e2e.background import Calendar
from tests.e2e.visits import Visit
from tests.e2e.world import NOVEMBER_3, Aurora, make_aurora, make_colleague, trade
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_reseller_user,
    make_staff,
    make_team_member,
)
from tests.web.matrix import address, all_pages

pytestmark = pytest.mark.django_db(transaction=True)

OK, NOT_FOUND = 200, 404
# Those that let somebody in; others only take a POST, or lead elsewhere.
PAGES = {name: page for name, page in all_pages().items() if OK in page.answers.values()}
PER_TEST = 12
LONG_NAME = "Aurora Telecommunications and Cloud Services"
# What pages of Aurora's month may name; pages of any other row make it themselves.
AURORAS = {"customer_id", "reseller_id", "catalogue_id", "table_id"}
# Pages that the guides show, as pictures of their name, and which month of them.
IN_GUIDES = {
    "console_home": "",
    "console_customer": "",
    "console_customer_ledger": "",
    "console_reports": "",
    "console_statements": "",
    "reseller_portal_home": "",
    "reseller_portal_customers": "",
    "reseller_portal_codes": "",
    "reseller_portal_usage": "?month=2026-10",
    "account_centre_home": "",
    "account_centre_usage": "?month=2026-10",
}


def parts(*, in_aurora: bool) -> Iterator[list[str]]:
    """Names of pages, a few at a time, so that several processes share them."""
    names = iter(name for name in PAGES if (needs(name) <= AURORAS) == in_aurora)
    while part := list(islice(names, PER_TEST)):
        yield part


def needs(name: str) -> set[str]:
    """The names of what a page's address names."""
    possible: Any = get_resolver().reverse_dict[name]
    [(_, arguments)] = possible[0]
    return set(arguments)


def rows_of(aurora: Aurora, customer: Customer) -> dict[str, int]:
    """What of Aurora's an address may name."""
    return {
        "customer_id": customer.pk,
        "reseller_id": aurora.meridian.pk,
        "catalogue_id": aurora.catalogue.pk,
        "table_id": aurora.retail.pk,
    }


class TestEveryPage:
    """Those of Aurora's are looked at after a month of its trade, others with little but a row."""

    @pytest.mark.parametrize("names", parts(in_aurora=True), ids=lambda names: names[0])
    def test_looks_as_it_should(
        self, visit: Callable[..., Visit], calendar: Calendar, names: list[str]
    ) -> None:
        calendar.go_to(NOVEMBER_3)
        aurora = make_aurora()
        customer = trade(aurora)[0]
        people = {
            "/console/": make_colleague(aurora.provider),
            "/account/": make_team_member(customer, email="carla@nordwind.example"),
            "/reseller/": make_reseller_user(aurora.meridian, email="mia@meridian.example"),
        }
        windows: dict[str, Visit] = {}

        wrong = {}
        for name in names:
            rows = rows_of(aurora, customer)
            path = reverse(name, kwargs={row: rows[row] for row in needs(name)})
            surface = next((prefix for prefix in people if path.startswith(prefix)), "")
            if surface not in windows:
                windows[surface] = visit(people.get(surface))
            wrong[name] = what_is_wrong(windows[surface], name, path)
            if f"answers {NOT_FOUND}" in wrong[name]:  # Aurora has no such row
                windows.pop(surface).close()
                wrong[name] = what_is_wrong_with_a_row(visit(), name)
            elif name in IN_GUIDES:
                windows[surface].open(f"{path}{IN_GUIDES[name]}")
                windows[surface].illustrate(name.replace("_", "-"))

        assert not any(wrong.values()), [text for text in wrong.values() if text]

    @pytest.mark.parametrize("names", parts(in_aurora=False), ids=lambda names: names[0])
    def test_of_a_row_looks_as_it_should(
        self, visit: Callable[..., Visit], names: list[str]
    ) -> None:
        window = visit()

        wrong = {name: what_is_wrong_with_a_row(window, name) for name in names}

        assert not any(wrong.values()), [text for text in wrong.values() if text]


def what_is_wrong_with_a_row(window: Visit, name: str) -> str:
    """See `what_is_wrong`, with a row that the page's module of the matrix makes."""
    provider = make_provider(name=LONG_NAME)
    path = address(name, PAGES[name], provider)
    window.become(whose_page(provider, path))
    return what_is_wrong(window, name, path)


def whose_page(provider: Provider, path: str) -> User | None:
    """Somebody who may see the rows that were made last."""
    if path.startswith("/console/"):
        return make_staff(provider)
    if path.startswith("/account/"):
        return make_team_member(_customer_of_the_rows(provider))
    if path.startswith("/reseller/"):
        return make_reseller_user(_reseller_of_the_rows(provider))
    return None


def _customer_of_the_rows(provider: Provider) -> Customer:
    customer = Customer.objects.filter(provider=provider).order_by("pk").last()
    customer = customer or make_customer(provider)
    customer.custom_catalogue = Catalogue.objects.filter(provider=provider).order_by("pk").last()
    customer.save(update_fields=["custom_catalogue"])
    return customer


def _reseller_of_the_rows(provider: Provider) -> Reseller:
    reseller = Reseller.objects.filter(provider=provider).order_by("pk").last()
    reseller = reseller or make_reseller(provider)
    Reseller.objects.filter(pk=reseller.pk).update(**dict.fromkeys(OPENINGS, True))
    make_billing_mode(reseller, make_rate_table(make_product(provider)))
    return reseller


def what_is_wrong(window: Visit, name: str, path: str) -> str:
    """Empty for a page that looks as it should, and for what is none, such as a file."""
    try:
        answer = window.page.goto(path)
    except Error as error:
        if "Download is starting" in error.message:
            return ""
        raise
    assert answer is not None
    if answer.status != OK:
        return f"{name} answers {answer.status} at {path}"
    if answer.request.redirected_from or not is_a_whole_page(answer):
        return ""
    try:
        window.look(name.replace("_", "-"))
    except AssertionError as error:
        return f"{name}: {error}"
    return ""


def is_a_whole_page(answer: Response) -> bool:
    """Not a part of one, which htmx asks for, nor a file."""
    return answer.headers["content-type"].startswith("text/html") and "<html" in answer.text()
