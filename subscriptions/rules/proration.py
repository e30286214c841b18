"""What a recurring price comes to when a price period is used in part.

Both end days count, out of the actual days of the period: bought on day d of N, a month costs
price x (N - d + 1) / N. Charges carry four decimals, rounded half up, once.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

from common.periods import Period

CHARGE_QUANTUM = Decimal("0.0001")
# Prices of 18 digits times quantities and days: the quotient is rounded once, to four decimals.
_EXACT = Context(prec=100, rounding=ROUND_HALF_UP)


def charged_days(
    period: Period,
    *,
    start_date: date,
    last_date: date | None,
    entry_proration: bool,
    exit_proration: bool,
) -> int:
    """How many of the period's days are charged to a use from `start_date` to `last_date`.

    Both days are used; `last_date` None means without end. A period that is entered or left
    in part counts in full where the switch for that side is off; one not used at all never does.
    """
    last_used = min(period.last_date, last_date or period.last_date)
    if start_date > last_used or last_used < period.from_date:
        return 0
    first = max(period.from_date, start_date) if entry_proration else period.from_date
    last = last_used if exit_proration else period.last_date
    return (last - first).days + 1


def prorated(price: Decimal, quantity: int, days: int, period_days: int) -> Decimal:
    """`price` x `quantity` for `days` of `period_days`: 21.6 for 7 of 31 days is 4.8774."""
    whole = _EXACT.multiply(price, Decimal(quantity * days))
    return _EXACT.quantize(_EXACT.divide(whole, Decimal(period_days)), CHARGE_QUANTUM)
