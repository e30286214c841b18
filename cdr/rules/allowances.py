"""Allowances: how much of a month's usage a customer's subscriptions include, and what is left."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from hashlib import sha256

from common.periods import Period
from subscriptions.rules.proration import charged_days


class Sharing(StrEnum):
    """Whose usage an allowance covers."""

    OWN = "OWN"
    SHARED = "SHARED"
    POOLED = "POOLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What one allowance of one subscription includes every month.

    `volume` counts volume units of the product per unit of `quantity`. Used are the days from
    `start_date` to `last_date`, both included; None: without end.
    """

    subscription_id: int
    customer_id: int
    allowance_id: int
    product_id: int
    name: str
    sharing: Sharing
    priority: int
    destinations: tuple[str, ...]
    rolls_over: bool
    volume: int
    quantity: int
    start_date: date
    last_date: date | None
    entry_proration: bool
    exit_proration: bool

    @property
    def key(self) -> str:
        """What a customer's counters are told apart by: the pool, or the very subscription's."""
        if self.sharing is not Sharing.POOLED:
            return f"{self.subscription_id}:{self.allowance_id}"
        terms = (
            self.product_id,
            self.name.lower(),
            self.priority,
            tuple(sorted(self.destinations)),
            self.rolls_over,
        )
        return f"pool:{sha256(repr(terms).encode()).hexdigest()[:40]}"

    @property
    def order(self) -> tuple[int, date, int, int]:
        """Which is used up first: the lowest priority, then the oldest subscription."""
        return self.priority, self.start_date, self.subscription_id, self.allowance_id

    def granted(self, month: Period) -> int:
        """The volume of a month: by days where the item is prorated, up to the next whole unit."""
        days = charged_days(
            month,
            start_date=self.start_date,
            last_date=self.last_date,
            entry_proration=self.entry_proration,
            exit_proration=self.exit_proration,
        )
        return -(-self.volume * self.quantity * days // month.days)


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter of one month: its new volume, what the month before left, and what was used.

    What was left of the month before is used first, for it is lost when the month ends.
    """

    granted: int
    rolled_in: int = 0
    used: int = 0

    @property
    def rollable(self) -> int:
        """What the next month gets: what is left of the new volume, never of the one before."""
        return min(self.granted, self.granted + self.rolled_in - self.used)

    @property
    def borrowed(self) -> int:
        """What was used of the volume that the month before left."""
        return min(self.used, self.rolled_in)

    def left(self, following: "Counted | None" = None) -> int:
        """What can be used yet; not what the following month, if any, has used of it already."""
        lent = following.borrowed if following else 0
        return max(0, self.granted + self.rolled_in - self.used - lent)

    def returned(self, volume: int) -> "Counted":
        """The same counter as if so much had not been used."""
        return replace(self, used=self.used - volume)

    def opened(self, granted: int, rolled_in: int) -> "Counted":
        """The same counter by the subscriptions of today.

        What was used stays so, also where a subscription turned out to have ended before: the
        volume is at least that until the month is rated again.
        """
        return Counted(max(granted, self.used - rolled_in), rolled_in, self.used)
