import pytest
from django.urls import reverse

from common.scope import Scope, Surface
from tenancy.rules.permissions import ALL_PERMISSIONS, built_in_roles
from web.access import TEAM_PERMISSIONS
from web.shared.links import PAGES
from web.shared.navigation import NAVIGATION, menus

TEAM = frozenset[str]().union(*TEAM_PERMISSIONS.values())


pytestmark = pytest.mark.django_db


def scope(permissions: frozenset[str]) -> Scope:
    return Scope(1, Surface.CONSOLE, user_id=1, permissions=permissions)


class TestNavigation:
    @pytest.mark.parametrize("surface", NAVIGATION)
    def test_asks_only_for_permissions_that_exist(self, surface: Surface) -> None:
        needed = {page.needs for group in NAVIGATION[surface] for page in group.pages} - {""}

        assert needed <= (ALL_PERMISSIONS if surface is Surface.CONSOLE else TEAM)

    def test_leads_only_to_pages_that_exist(self) -> None:
        for groups in NAVIGATION.values():
            for group in groups:
                assert all(reverse(page.url_name) for page in group.pages)

    def test_links_rows_only_to_pages_that_exist(self) -> None:
        assert all(reverse(name, kwargs={argument: 1}) for name, argument in PAGES.values())


class TestMenus:
    def test_show_what_the_role_may_see(self) -> None:
        product = [menu.label for menu in menus(scope(built_in_roles()["Product"]), "/console/")]
        nobody = [menu.label for menu in menus(scope(frozenset()), "/console/")]

        assert "Customers" in product
        assert nobody == ["Home"]

    def test_mark_the_group_one_is_in(self) -> None:
        shown = menus(scope(ALL_PERMISSIONS), "/console/customers/17/invoices/")

        assert [menu.label for menu in shown if menu.is_current] == ["Customers"]
