"""What a program may be let do with a token: scopes, each the name of a permission code."""

from collections.abc import Collection

SCOPES = {
    "xdrs:read": "usage.read",
    "xdrs:write": "usage.write",
    "rates:read": "catalogue.read",
}
"""Scope -> the permission code that it passes on. One that no route asks for is not here."""

MEANINGS = {
    "xdrs:read": "Read xDRs, their legs and why they cost what they cost, files of xDRs, and"
    " what waits in suspense",
    "xdrs:write": "Send xDRs to be rated, one by one and in bulk, and deal with what waits",
    "rates:read": "Read rate tables and rates, and price calls that have not happened",
}


def permissions_of(scopes: Collection[str]) -> frozenset[str]:
    """The permission codes that scopes pass on."""
    return frozenset(SCOPES[scope] for scope in scopes)


def scopes_within(permissions: Collection[str]) -> list[str]:
    """The scopes that somebody who holds these permission codes can give."""
    return [scope for scope, code in SCOPES.items() if code in permissions]
