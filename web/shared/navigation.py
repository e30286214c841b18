"""The menus of the three surfaces. A page joins its menu by one line here, when it is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.urls import reverse

from common.scope import Scope, Surface
from resellers.rules.openings import BRANCH, COMMISSION, INVOICE_STATUS, USAGE_TOTALS
from web.access import WHOLESALE


@dataclass(frozen=True)
class Page:
    """A menu entry; `needs` is the permission code without which nobody sees it.

    One `of_resellers` is gone while the provider's reseller module is off.
    """

    label: str
    url_name: str
    needs: str = ""
    of_resellers: bool = False


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
            "Resellers",
            "share",
            (
                Page("Resellers", "console_resellers", "resellers.list", of_resellers=True),
                Page("Tree", "console_reseller_tree", "resellers.list", of_resellers=True),
                Page("What if", "console_what_ifs", "resellers.read", of_resellers=True),
            ),
        ),
        Group(
            "Catalogue",
            "book-open",
            (
                Page("Catalogues", "console_catalogues", "catalogue.list"),
                Page("Products", "console_products", "catalogue.list"),
                Page("Vendors", "console_vendors", "resellers.list"),
            ),
        ),
        Group(
            "Billing",
            "document-text",
            (
                Page("Bill runs", "console_bill_runs", "money.list"),
                Page("Estimates", "console_estimates", "invoices.list"),
                Page("Invoices", "console_invoices", "invoices.list"),
                Page("Credit notes", "console_credit_notes", "money.list"),
                Page("Unbilled charges", "console_charges", "invoices.list"),
            ),
        ),
        Group(
            "Payments",
            "banknotes",
            (
                Page("Transactions", "console_payments", "money.list"),
                Page("Record a payment", "console_payment_create", "money.write"),
                Page("Gateway messages", "console_gateway_messages", "money.list"),
            ),
        ),
        Group(
            "Payouts",
            "gift",
            (
                Page("Statements", "console_statements", "payouts.list"),
                Page(
                    "Commission plans",
                    "console_commission_plans",
                    "payouts.list",
                    of_resellers=True,
                ),
            ),
        ),
        Group(
            "Reports",
            "chart-bar",
            (
                Page("All reports", "console_reports", "payouts.list"),
                Page(
                    "Reseller management",
                    "console_reseller_dashboard",
                    "payouts.read",
                    of_resellers=True,
                ),
            ),
        ),
        Group(
            "Rates",
            "calculator",
            (
                Page("Rate tables", "console_rate_tables", "catalogue.read"),
                Page("Compare", "console_rate_comparison", "catalogue.read"),
                Page("Code decks", "console_code_decks", "catalogue.read"),
                Page("Time profiles", "console_time_profiles", "catalogue.read"),
                Page("Exchange rates", "console_exchange_rates", "catalogue.read"),
                Page("Price a call", "console_quote", "catalogue.read"),
            ),
        ),
        Group(
            "Usage",
            "signal",
            (
                Page("xDR files", "console_xdr_files", "usage.read"),
                Page("xDRs", "console_xdrs", "usage.read"),
                Page("Suspense", "console_suspense", "usage.read"),
                Page("Re-rating", "console_reratings", "usage.read"),
                Page("Sources", "console_sources", "usage.read"),
                Page("Metrics", "console_usage_metrics", "usage.read"),
            ),
        ),
        Group(
            "Settings",
            "cog-6-tooth",
            (
                Page("Provider", "console_provider", "settings.read"),
                Page("Biller entities", "console_biller_entities", "settings.list"),
                Page("Taxes", "console_taxes", "settings.list"),
                Page("Brand", "console_brand", "settings.read"),
                Page("Reseller module", "console_reseller_module", "settings.read"),
                Page("Sign-up", "console_sign_up", "settings.read"),
                Page("Users", "console_users", "settings.list"),
                Page("Roles", "console_roles", "settings.list"),
                Page("API tokens", "console_api_tokens", "settings.read"),
                Page("Audit log", "console_audit_log", "settings.read"),
            ),
        ),
    ),
    Surface.ACCOUNT_CENTRE: (
        Group("Home", "home", (Page("Home", "account_centre_home"),)),
        Group(
            "Services",
            "squares-2x2",
            (
                Page("Your services", "account_centre_services", "services.read"),
                Page("Catalogue", "account_centre_catalogue", "services.read"),
            ),
        ),
        Group(
            "Usage",
            "chart-bar",
            (
                Page("By month", "account_centre_usage", "usage.read"),
                Page("Calls", "account_centre_calls", "usage.read"),
                Page("Allowances", "account_centre_allowances", "usage.read"),
            ),
        ),
        Group(
            "Unbilled charges",
            "calculator",
            (Page("Unbilled charges", "account_centre_unbilled", "money.read"),),
        ),
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
        Group(
            "Profile and team",
            "user-group",
            (
                Page("Profile", "account_centre_profile", "profile.read"),
                Page("Team", "account_centre_team", "team.read"),
                Page("Activity", "account_centre_activity", "activity.read"),
                Page("Security", "mfa_index"),
            ),
        ),
    ),
    Surface.RESELLER_PORTAL: (
        Group("Home", "home", (Page("Home", "reseller_portal_home"),)),
        Group(
            "Customers",
            "users",
            (
                Page("Customers", "reseller_portal_customers"),
                Page("Usage totals", "reseller_portal_usage_totals", USAGE_TOTALS),
                Page("Invoices", "reseller_portal_invoice_statuses", INVOICE_STATUS),
                Page("Sub-resellers", "reseller_portal_sub_resellers", BRANCH),
            ),
        ),
        Group("Codes", "ticket", (Page("Codes", "reseller_portal_codes"),)),
        Group(
            "Commission",
            "gift",
            (Page("Commission and payouts", "reseller_portal_statements", COMMISSION),),
        ),
        Group(
            "Wholesale",
            "calculator",
            (
                Page("Usage", "reseller_portal_usage", WHOLESALE),
                Page("Settlement invoices", "reseller_portal_settlement_invoices", WHOLESALE),
                Page("Owed to you", "reseller_portal_owed", WHOLESALE),
            ),
        ),
    ),
}


def menus(scope: Scope, path: str) -> list[Menu]:
    """The surface's groups with what the user may see of them; `path` is the page they are on."""
    shown = [
        (group, [page for page in group.pages if not page.needs or page.needs in scope.permissions])
        for group in _present(scope)
    ]
    current = _current([reverse(page.url_name) for _, pages in shown for page in pages], path)
    return [_menu(group, pages, current) for group, pages in shown if pages]


def _present(scope: Scope) -> list[Group]:
    """The surface's groups, without those of resellers where there are none."""
    groups = NAVIGATION[scope.surface]
    if scope.has_resellers:
        return list(groups)
    return [
        replace(group, pages=tuple(page for page in group.pages if not page.of_resellers))
        for group in groups
    ]


def _menu(group: Group, pages: Sequence[Page], current: str) -> Menu:
    links = tuple(
        Link(page.label, url, url == current) for page in pages for url in [reverse(page.url_name)]
    )
    is_current = any(link.is_current for link in links)
    return Menu(group.label, group.icon, links[0].url, is_current, links)


def _current(urls: Sequence[str], path: str) -> str:
    """The entry whose address the page's begins with, the longest of them."""
    return max((url for url in urls if path.startswith(url)), key=len, default="")
