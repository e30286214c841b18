"""Permission codes, and the seven roles every provider starts with."""

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

# One column per area, in the order above: W writes and reads, R reads, L lists only, - nothing.
_BUILT_IN = {
    "Admin": "WWWWWWWWW",
    "Accounts & Orders": "WR---W--R",
    "Product": "LW---R-RR",
    "Marketing": "LR-R-RR-R",
    "Service": "RR---R-WR",
    "Finance": "RRWWWRWRR",
    "Read-only": "RRRRRRRR-",
}
_CODES = {"W": ("list", "read", "write"), "R": ("list", "read"), "L": ("list",), "-": ()}

ALL_PERMISSIONS = frozenset(
    f"{area}.{action}" for area in AREAS for action in ("list", "read", "write")
)


def built_in_roles() -> dict[str, frozenset[str]]:
    """The permission codes of each built-in role, e.g. `invoices.write`."""
    return {
        name: frozenset(
            f"{area}.{action}"
            for area, level in zip(AREAS, levels, strict=True)
            for action in _CODES[level]
        )
        for name, levels in _BUILT_IN.items()
    }
