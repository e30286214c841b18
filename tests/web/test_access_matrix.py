"""Every URL and everybody: what a GET answers. A URL that is not in the table fails the test."""

from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from typing import NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from resellers.models import Reseller
from tenancy.models import Provider, User
from tenancy.rules.permissions import built_in_roles
from tests.factories import (
    make_customer,
    make_provider,
    make_reseller,
    make_reseller_user,
    make_staff,
    make_team_member,
    make_user,
)
from tests.web.matrix import Page, address, all_pages, nothing

PAGES = all_pages()
UNSAFE_METHODS = ("POST", "PUT", "PATCH", "DELETE")


def url_names(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from url_names(pattern.url_patterns)
        else:
            yield str(pattern.name)


def url(name: str, provider: Provider) -> str:
    return address(name, PAGES[name], provider)


def staff(role: str) -> Callable[[Provider], User]:
    return lambda provider: make_staff(provider, role)


def team_member(role: str) -> Callable[[Provider], User]:
    return lambda provider: make_team_member(make_customer(provider), role)


def reseller(provider: Provider) -> User:
    return make_reseller_user(make_reseller(provider))


def disabled_reseller(provider: Provider) -> User:
    return make_reseller_user(make_reseller(provider, state=Reseller.State.DISABLED))


def stranger(provider: Provider) -> User:
    return make_user()


# Who asks, as the table names them, and how they come to be.
PEOPLE: list[tuple[str, Callable[[Provider], User] | None]] = [
    ("anonymous", None),
    *((role, staff(role)) for role in built_in_roles()),
    *((role, team_member(role)) for role in ("ADMIN", "BILLING", "TECHNICAL")),
    ("reseller", reseller),
    ("stranger", disabled_reseller),
    ("stranger", stranger),
]


def expected_answer(page: Page, kind: str, *, is_own: bool) -> int:
    answer = page.answers.get(kind, page.answers["signed in"])
    if is_own or page.arguments is nothing or kind == "anonymous" or answer != 200:
        return answer
    return page.answers.get("other provider", 404)


def other_customers(name: str) -> bool:
    """Rows of the account centre belong to one customer: who asks is another one of the same."""
    return name.startswith(("account_centre_", "reseller_portal_"))


class Asking(NamedTuple):
    """Somebody who asks: under which name of the table, of which provider, and signed in how."""

    kind: str
    provider: Provider
    cookies: SimpleCookie

    def browser(self) -> Client:
        client = Client()
        client.cookies = SimpleCookie(self.cookies.output(header="", sep=";"))
        return client


@pytest.fixture(scope="module")
def asking(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Asking]]:
    """Everybody, of two providers: made once for all tests here, in a transaction around theirs."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield [
            Asking(kind, provider, signed_in(make and make(provider)))
            for provider in (make_provider(), make_provider())
            for kind, make in PEOPLE
        ]
        transaction.set_rollback(True)


def signed_in(user: User | None) -> SimpleCookie:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.cookies


class TestTheMatrix:
    def test_has_every_url_in_it(self) -> None:
        assert set(url_names()) == set(PAGES)

    @pytest.mark.django_db
    @pytest.mark.parametrize("name", PAGES)
    def test_holds_for_everybody(self, asking: list[Asking], name: str) -> None:
        own = asking[0].provider
        at = url(name, own)
        expected, found = [], []
        for somebody in asking:
            is_own = somebody.provider == own and not (
                other_customers(name) and PAGES[name].arguments is not nothing
            )
            kind = somebody.kind
            expected.append((kind, expected_answer(PAGES[name], kind, is_own=is_own)))
            found.append((kind, somebody.browser().get(at).status_code))

        assert found == expected


@pytest.mark.django_db
class TestTheResellerPortal:
    NAMES = [name for name in PAGES if name.startswith("reseller_portal")]

    @pytest.mark.parametrize("method", UNSAFE_METHODS)
    @pytest.mark.parametrize("name", NAMES)
    def test_refuses_every_unsafe_method_whoever_asks(
        self, asking: list[Asking], name: str, method: str
    ) -> None:
        at = url(name, asking[0].provider)

        answers = {somebody.browser().generic(method, at).status_code for somebody in asking}

        assert answers == {405}

    def test_has_all_the_pages_below_its_address(self) -> None:
        below = {name for name in PAGES if url(name, make_provider()).startswith("/reseller/")}

        assert below == set(self.NAMES)
