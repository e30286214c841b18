"""The menus of the three surfaces. A page joins its menu by one line here, when it is there."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from common.scope import Scope, Surface


@dataclass(frozen=True)
class Page:
    """A menu entry; `needs` is the permission code without which nobody sees it."""

    label: str
    url_name: str
    needs: str = ""


@dataclass(frozen=True)
class Group:
    """A menu group with its pages; `icon` is one of heroicons.com."""

    label: str
    icon: str
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class Link:
    """An entry as the menu shows it."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class Menu:
    """A group as the menu shows it: a link to its first page, and all of them while it is open."""

    label: str
    icon: str
    url: str
    is_current: bool
    links: tuple[Link, ...]


NAVIGATION: dict[Surface, tuple[Group, ...]] = {
    Surface.CONSOLE: (
        Group("Home", "home", (Page("Home", "console_home"),)),
        Group("Customers", "users", (Page("Customers", "console_customers", "customers.list"),)),
        Group(
            "Billing",
            "document-text",
            (Page("Invoices", "console_invoices", "invoices.list"),),
        ),
    ),
    Surface.ACCOUNT_CENTRE: (
        Group("Home", "home", (Page("Home", "account_centre_home"),)),
        Group(
            "Invoices and credit notes",
            "document-text",
            (
                Page("Invoices", "account_centre_invoices", "money.read"),
                Page("Credit notes", "account_centre_credit_notes", "money.read"),
            ),
        ),
        Group(
            "Wallet and transactions",
            "wallet",
            (Page("Wallet and transactions", "account_centre_wallet", "money.read"),),
        ),
    ),
    Surface.RESELLER_PORTAL: (Group("Home", "home", (Page("Home", "reseller_portal_home"),)),),
}


def menus(scope: Scope, path: str) -> list[Menu]:
    """The surface's groups with what the user may see of them; `path` is the page they are on."""
    shown = [
        (group, [page for page in group.pages if not page.needs or page.needs in scope.permissions])
        for group in NAVIGATION[scope.surface]
    ]
    current = _current([reverse(page.url_name) for _, pages in shown for page in pages], path)
    return [_menu(group, pages, current) for group, pages in shown if pages]


def _menu(group: Group, pages: Sequence[Page], current: str) -> Menu:
    links = tuple(
        Link(page.label, url, url == current) for page in pages for url in [reverse(page.url_name)]
    )
    is_current = any(link.is_current for link in links)
    return Menu(group.label, group.icon, links[0].url, is_current, links)


def _current(urls: Sequence[str], path: str) -> str:
    """The entry whose address the page's begins with, the longest of them."""
    return max((url for url in urls if path.startswith(url)), key=len, default="")
