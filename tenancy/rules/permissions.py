"""Permission codes, and the seven roles every provider starts with."""

from collections.abc import Collection, Mapping

AREAS = (
    "customers",
    "catalogue",
    "subscriptions",
    "invoices",
    "money",
    "resellers",
    "payouts",
    "usage",
    "settings",
)
"""What staff work on. `catalogue` covers products and rate tables, `money` credit notes, payments,
withholding and bill runs, `payouts` commission and reports, `usage` xDR files, suspense and
re-rating, `settings` users, roles and module switches too."""

ADMIN = "Admin"
"""The built-in role that holds everything."""

# One column per area, in the order above: W writes and reads, R reads, L lists only, - nothing.
_BUILT_IN = {
    ADMIN: "WWWWWWWWW",
    "Accounts & Orders": "WR---W--R",
    "Product": "LW---R-RR",
    "Marketing": "LR-R-RR-R",
    "Service": "RR---R-WR",
    "Finance": "RRWWWRWRR",
    "Read-only": "RRRRRRRR-",
}
LEVELS = {"W": ("list", "read", "write"), "R": ("list", "read"), "L": ("list",), "-": ()}
"""What a role may do in an area, as the actions of its permission codes; the most comes first."""

ALL_PERMISSIONS = frozenset(
    f"{area}.{action}" for area in AREAS for action in ("list", "read", "write")
)


def built_in_roles() -> dict[str, frozenset[str]]:
    """The permission codes of each built-in role, e.g. `invoices.write`."""
    return {
        name: permissions_at(dict(zip(AREAS, levels, strict=True)))
        for name, levels in _BUILT_IN.items()
    }


def permissions_at(levels: Mapping[str, str]) -> frozenset[str]:
    """The permission codes of a role that has these levels, by area."""
    return frozenset(
        f"{area}.{action}" for area, level in levels.items() for action in LEVELS[level]
    )


def level_of(area: str, permissions: Collection[str]) -> str:
    """The highest level in an area of which all codes are held."""
    return next(
        level
        for level, actions in LEVELS.items()
        if all(f"{area}.{action}" in permissions for action in actions)
    )
