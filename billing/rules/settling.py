"""What an issued invoice is called, given what has been taken off it."""

from decimal import Decimal
from enum import StrEnum


class SettledState(StrEnum):
    """The states an issued invoice moves between as money comes and goes."""

    ISSUED = "ISSUED"
    PART_PAID = "PART_PAID"
    PAID = "PAID"
    CANCELLED = "CANCELLED"


def state_after(gross: Decimal, settled: Decimal, credited: Decimal) -> SettledState:
    """The state of an invoice of `gross` with `settled` allocated and `credited` by notes.

    An invoice nobody paid and whose whole amount was credited is cancelled; any other without a
    due is paid.
    """
    assert settled >= 0
    assert credited >= 0
    assert settled + credited <= gross
    if settled == 0 and credited == gross:
        return SettledState.CANCELLED
    if settled + credited == gross:
        return SettledState.PAID
    return SettledState.PART_PAID if settled > 0 else SettledState.ISSUED
