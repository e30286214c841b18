"""Which recurring charges a subscription owes by a date."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from common.periods import Period
from subscriptions.rules.price_periods import price_periods_from
from subscriptions.rules.proration import charged_days, prorated


@dataclass(frozen=True, kw_only=True)
class RecurringTerms:
    """A recurring price as frozen at purchase, and the days it is used.

    `price` per unit and `price_period` (MONTH, QUARTER, YEAR); `last_date` None: without end.
    """

    price: Decimal
    price_period: str
    quantity: int
    in_advance: bool
    entry_proration: bool
    exit_proration: bool
    start_date: date
    last_date: date | None = None


@dataclass(frozen=True)
class RecurringCharge:
    """The amount of one price period, and the days of it that are used."""

    period: Period
    used: Period
    net_amount: Decimal


def charged_days_of(terms: RecurringTerms, period: Period) -> int:
    """How many days of a price period the terms charge."""
    return charged_days(
        period,
        start_date=terms.start_date,
        last_date=terms.last_date,
        entry_proration=terms.entry_proration,
        exit_proration=terms.exit_proration,
    )


def charges_due(terms: RecurringTerms, until: date) -> Iterator[RecurringCharge]:
    """The charges of all price periods since the start that are due by `until`.

    In advance a period is due on its first day, in arrears on the day after its last. Whoever
    posts them leaves out those that were posted before, so that a missed one is caught up once.
    """
    for period in price_periods_from(terms.price_period, terms.start_date):
        due_date = period.from_date if terms.in_advance else period.to_date
        days = charged_days_of(terms, period)
        if due_date > until or not days:
            return
        amount = prorated(terms.price, terms.quantity, days, period.days)
        yield RecurringCharge(period, _used(terms, period), amount)


def credit_due(terms: RecurringTerms, period: Period, charged: Decimal) -> Decimal:
    """What is given back, as a negative amount, of what was `charged` for a price period.

    Together they are exactly what the days used cost: a price of 21.6 charged for August and left
    on the 7th gives -16.7226. A period that begins after the last day is given back in full.
    """
    days = charged_days_of(terms, period)
    return prorated(terms.price, terms.quantity, days, period.days) - charged


def _used(terms: RecurringTerms, period: Period) -> Period:
    first = max(period.from_date, terms.start_date)
    last = min(period.last_date, terms.last_date or period.last_date)
    return Period(first, last + timedelta(days=1))
