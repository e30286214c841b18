import pytest
from django.urls import reverse

from cdr.models import Xdr
from common.scope import Scope, Surface
from tenancy.rules.permissions import ALL_PERMISSIONS, built_in_roles
from tests.factories import LONG_AGO
from web.access import TEAM_PERMISSIONS, WHOLESALE_PERMISSIONS
from web.shared.links import PAGES, url_of
from web.shared.navigation import NAVIGATION, menus

PERMISSIONS = {
    Surface.CONSOLE: ALL_PERMISSIONS,
    Surface.ACCOUNT_CENTRE: frozenset[str]().union(*TEAM_PERMISSIONS.values()),
    Surface.RESELLER_PORTAL: WHOLESALE_PERMISSIONS,
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

            assert url_of(surface, model(id=1, **keys)).startswith("/")


class TestMenus:
    def test_show_what_the_role_may_see(self) -> None:
        product = [menu.label for menu in menus(scope(built_in_roles()["Product"]), "/console/")]
        nobody = [menu.label for menu in menus(scope(frozenset()), "/console/")]

        assert "Customers" in product
        assert nobody == ["Home"]

    def test_mark_the_group_one_is_in(self) -> None:
        shown = menus(scope(ALL_PERMISSIONS), "/console/customers/17/invoices/")

        assert [menu.label for menu in shown if menu.is_current] == ["Customers"]
