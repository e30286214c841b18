"""Every URL and everybody: what a GET answers. A URL that is not in the table fails the test."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

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

OPEN = {"anonymous": 200, "signed in": 200}
STAFF = {"anonymous": 302, "staff": 200, "signed in": 404}
CUSTOMERS = {"anonymous": 302, "customer": 200, "signed in": 404}
RESELLERS = {"anonymous": 302, "reseller": 200, "signed in": 404}
# URL name -> what a GET answers, by who asks; `signed in` is everybody who is not named.
MATRIX: dict[str, dict[str, int]] = {
    "home": {"anonymous": 302, "stranger": 403, "signed in": 302},
    "console_home": STAFF,
    "account_centre_home": CUSTOMERS,
    "reseller_portal_home": RESELLERS,
    "account_login": {"anonymous": 200, "signed in": 302},
    "account_inactive": OPEN,
    "account_logout": {"anonymous": 405, "signed in": 405},
    "account_reset_password": OPEN,
    "account_reset_password_done": OPEN,
    "account_reset_password_from_key": OPEN,
    "account_reset_password_from_key_done": OPEN,
    # Takes signed messages of gateways, by POST.
    "webhook": {"anonymous": 405, "signed in": 405},
}
ARGUMENTS = {
    "account_reset_password_from_key": {"uidb36": "1", "key": "none"},
    "webhook": {"gateway": "sandbox", "provider_slug": "aurora"},
}
UNSAFE_METHODS = ("POST", "PUT", "PATCH", "DELETE")


def url_names(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from url_names(pattern.url_patterns)
        else:
            yield str(pattern.name)


def url(name: str) -> str:
    return reverse(name, kwargs=ARGUMENTS.get(name))


def staff(role: str) -> Callable[[Provider], User]:
    return lambda provider: make_staff(provider, role)


def customer(provider: Provider) -> User:
    return make_team_member(make_customer(provider))


def reseller(provider: Provider) -> User:
    return make_reseller_user(make_reseller(provider))


def disabled_reseller(provider: Provider) -> User:
    return make_reseller_user(make_reseller(provider, state=Reseller.State.DISABLED))


def stranger(provider: Provider) -> User:
    return make_user()


# Who asks, as the table names them, and how they come to be.
PEOPLE: list[tuple[str, Callable[[Provider], User] | None]] = [
    ("anonymous", None),
    *(("staff", staff(role)) for role in built_in_roles()),
    ("customer", customer),
    ("reseller", reseller),
    ("stranger", disabled_reseller),
    ("stranger", stranger),
]


class TestTheMatrix:
    def test_has_every_url_in_it(self) -> None:
        assert set(url_names()) == set(MATRIX)

    @pytest.mark.django_db
    @pytest.mark.parametrize("name", MATRIX)
    def test_holds_for_everybody(self, name: str) -> None:
        provider, other = make_provider(), make_provider()
        expected, found = [], []
        for kind, make in PEOPLE:
            for asked_by in (provider, other):
                client = Client()
                if make is not None:
                    client.force_login(make(asked_by))
                expected.append((kind, MATRIX[name].get(kind, MATRIX[name]["signed in"])))
                found.append((kind, client.get(url(name)).status_code))

        assert found == expected


@pytest.mark.django_db
class TestTheResellerPortal:
    NAMES = [name for name in MATRIX if name.startswith("reseller_portal")]

    @pytest.mark.parametrize("method", UNSAFE_METHODS)
    @pytest.mark.parametrize("name", NAMES)
    def test_refuses_every_unsafe_method_whoever_asks(self, name: str, method: str) -> None:
        provider = make_provider()
        for _, make in PEOPLE:
            client = Client()
            if make is not None:
                client.force_login(make(provider))
            assert client.generic(method, url(name)).status_code == 405

    def test_has_all_the_pages_below_its_address(self) -> None:
        below = {name for name in MATRIX if url(name).startswith("/reseller/")}

        assert below == set(self.NAMES)
