"""What can be done from a page: the buttons in its header."""

from collections.abc import Iterable
from dataclasses import dataclass

from common.scope import Scope


@dataclass(frozen=True)
class Action:
    """A button that leads to `url`; who lacks the permission code `needs` does not see it."""

    label: str
    url: str
    icon: str = ""
    needs: str = ""
    is_main: bool = False


@dataclass(frozen=True)
class Tab:
    """One of several pages about the same thing."""

    label: str
    url: str
    is_current: bool = False


def allowed(scope: Scope, actions: Iterable[Action]) -> list[Action]:
    """Those of the actions that the user may take."""
    return [action for action in actions if not action.needs or action.needs in scope.permissions]
