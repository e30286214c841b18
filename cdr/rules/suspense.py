"""Why a line, an xDR or one leg of it waits for somebody."""

from enum import IntEnum, StrEnum


class Suspended(StrEnum):
    """The reasons, by the words they are stored, counted and asked for under."""

    UNPARSABLE = "unparsable"
    UNKNOWN_CUSTOMER = "unknown_customer"
    UNKNOWN_VENDOR = "unknown_vendor"
    UNRATED_CUSTOMER = "unrated_customer"
    UNRATED_VENDOR = "unrated_vendor"
    RESELLER_UNRATED = "reseller_unrated"
    FOREIGN_VENDOR = "foreign_vendor"
    BLOCKED = "blocked"
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    OVERFLOW = "overflow"


LINE_REASONS = (Suspended.UNPARSABLE, Suspended.TOO_OLD, Suspended.IN_FUTURE)
"""Reasons why a line was not even stored as an xDR."""


class Result(IntEnum):
    """What became of a stored xDR."""

    RATED = 1
    """At least one of its legs stands."""
    ZERO = 2
    """Nothing was used; a leg stands only where an attempt costs a fee."""
    SUSPENDED = 3
    """No leg stands."""
    DISCARDED = 4
    """No leg stands, and none will: somebody decided so."""
