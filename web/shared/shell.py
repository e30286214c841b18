"""What stands around every page: menu, brand, and who one is."""

from django.http import HttpRequest

from common.scope import Scope, Surface
from web.shared.navigation import Menu, menus

SURFACE_NAMES = {
    Surface.CONSOLE: "Console",
    Surface.ACCOUNT_CENTRE: "Account centre",
    Surface.RESELLER_PORTAL: "Reseller portal",
}


class Shell:
    """Made when a template asks; pages of strangers and of errors never do."""

    def __init__(self, request: HttpRequest, scope: Scope) -> None:
        self._path = request.path
        self._scope = scope

    @property
    def surface_name(self) -> str:
        return SURFACE_NAMES[self._scope.surface]

    @property
    def menus(self) -> list[Menu]:
        return menus(self._scope, self._path)

    @property
    def is_white_label(self) -> bool:
        """Customers and resellers see the provider's colours, its staff Tollgate's."""
        return self._scope.surface is not Surface.CONSOLE


def shell(request: HttpRequest) -> dict[str, object]:
    """For every template: `shell`, the `provider` and the `permissions` of who is signed in.

    `layout` is what pages of everybody's stand in: the surface's, or without one the entrance's.
    """
    scope: Scope | None = getattr(request, "scope", None)
    if scope is None:
        return {}
    return {
        "layout": "surface.html",
        "shell": Shell(request, scope),
        "provider": getattr(request, "provider", None),
        "permissions": scope.permissions,
    }
