"""Every URL and what a GET answers, by who asks: one module for each file of `web/<surface>/`.

A module holds `PAGES`: URL name -> `Page`. What is missing in all of them fails the test.
"""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from django.urls import reverse

from tenancy.models import Provider
from tenancy.rules.permissions import built_in_roles

# Who has signed in; `signed in` answers for those whom a page does not name.
Answers = Mapping[str, int]


def nothing(provider: Provider) -> dict[str, object]:
    """The arguments of a URL without any."""
    return {}


@dataclass(frozen=True)
class Page:
    """What a GET answers to whom, and how rows of a provider come to be that the URL names.

    Where it names any, people of another provider get 404 where the own ones are let in.
    """

    answers: Answers
    arguments: Callable[[Provider], Mapping[str, object]] = field(default=nothing)


def staff(needs: str = "") -> Answers:
    """Staff whose role holds a permission code get in, other staff 403, everybody else 404."""
    by_role = {
        role: 200 if not needs or needs in permissions else 403
        for role, permissions in built_in_roles().items()
    }
    return {"anonymous": 302, **by_role, "signed in": 404}


def customers(*team_roles: str) -> Answers:
    """Team members under these roles (all, without any) get in, others of a team 403."""
    roles = ("ADMIN", "BILLING", "TECHNICAL")
    by_role = {role: 200 if role in (team_roles or roles) else 403 for role in roles}
    return {"anonymous": 302, **by_role, "signed in": 404}


def resellers() -> Answers:
    """Resellers' users get in."""
    return {"anonymous": 302, "reseller": 200, "signed in": 404}


def actions() -> Answers:
    """What only takes a POST."""
    return {"anonymous": 405, "signed in": 405}


def all_pages() -> dict[str, Page]:
    """Every page of every module here."""
    pages: dict[str, Page] = {}
    for module in pkgutil.iter_modules(__path__):
        found: dict[str, Page] = import_module(f"{__name__}.{module.name}").PAGES
        assert not pages.keys() & found.keys(), f"{module.name} repeats a page"
        pages |= found
    return pages


def address(name: str, page: Page, provider: Provider) -> str:
    """The page's address, with rows of the provider made for what it names."""
    return reverse(name, kwargs=dict(page.arguments(provider)))
