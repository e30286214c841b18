import pytest
from django.urls import reverse

from cdr.models import Xdr
from common.scope import Scope, Surface
from customers.models import Customer
from resellers.models import Reseller
from resellers.rules.openings import OPENINGS
from tenancy.rules.permissions import ALL_PERMISSIONS, built_in_roles
from tests.factories import LONG_AGO
from web.access import TEAM_PERMISSIONS, WHOLESALE
from web.shared.links import PAGES, url_of
from web.shared.navigation import NAVIGATION, menus

PERMISSIONS = {
    Surface.CONSOLE: ALL_PERMISSIONS,
    Surface.ACCOUNT_CENTRE: frozenset[str]().union(*TEAM_PERMISSIONS.values()),
    Surface.RESELLER_PORTAL: frozenset({WHOLESALE, *OPENINGS.values()}),
}

pytestmark = pytest.mark.django_db


def scope(permissions: frozenset[str]) -> Scope:
    return Scope(1, Surface.CONSOLE, user_id=1, permissions=permissions)


class TestNavigation:
    @pytest.mark.parametrize("surface", NAVIGATION)
    def test_asks_only_for_permissions_that_exist(self, surface: Surface) -> None:
        needed = {page.needs for group in NAVIGATION[surface] for page in group.pages} - {""}

        assert needed <= PERMISSIONS[surface]

    def test_leads_only_to_pages_that_exist(self) -> None:
        for groups in NAVIGATION.values():
            for group in groups:
                assert all(reverse(page.url_name) for page in group.pages)

    def test_links_rows_only_to_pages_that_exist(self) -> None:
        for surface, model in PAGES:
            keys = {"provider_id": 1, "started_at": LONG_AGO} if model is Xdr else {}

            own = Scope(
                1,
                surface,
                customer_id=1 if surface is Surface.ACCOUNT_CENTRE else None,
                reseller_id=1 if surface is Surface.RESELLER_PORTAL else None,
            )
            assert url_of(own, model(id=1, **keys)).startswith("/")

    def test_links_no_reseller_while_there_are_none(self) -> None:
        off = Scope(1, Surface.CONSOLE, has_resellers=False)

        assert url_of(off, Reseller(id=1)) == ""
        assert url_of(off, Customer(id=1)) == "/console/customers/1/"


class TestMenus:
    def test_show_what_the_role_may_see(self) -> None:
        product = [menu.label for menu in menus(scope(built_in_roles()["Product"]), "/console/")]
        nobody = [menu.label for menu in menus(scope(frozenset()), "/console/")]

        assert "Customers" in product
        assert nobody == ["Home"]

    def test_mark_the_group_one_is_in(self) -> None:
        shown = menus(scope(ALL_PERMISSIONS), "/console/customers/17/invoices/")

        assert [menu.label for menu in shown if menu.is_current] == ["Customers"]
