"""What the events of one invoice earn its reseller, and what they take back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile

from common.money import ZERO, round_money, round_to

HUNDRED = Decimal(100)
PERCENT_DIGITS = 4


@dataclass(frozen=True)
class Terms:
    """The invoice: what it asks without and with tax. Tax is never commissionable."""

    currency: str
    net_amount: Decimal
    gross_amount: Decimal


@dataclass(frozen=True)
class InvoiceIssued:
    """The invoice was issued under a plan that pays `percent` of what is invoiced, not collected.

    Without a percent it earns nothing: its customer is not billable.
    """

    invoice_id: int
    percent: Decimal | None

    @property
    def key(self) -> str:
        """Names the event among those of its provider."""
        return f"invoice:{self.invoice_id}"


@dataclass(frozen=True)
class Allocated:
    """`amount` (with tax) was collected on the invoice, under a plan that pays `percent` of it.

    Without a percent it earns nothing: there was no plan, the plan paid on issue, or the customer
    is not billable.
    """

    allocation_id: int
    amount: Decimal
    percent: Decimal | None

    @property
    def key(self) -> str:
        """Names the event among those of its provider."""
        return f"allocation:{self.allocation_id}"


@dataclass(frozen=True)
class AllocationUndone:
    """What the allocation collected was taken back whole, by a reversal or a re-allocation."""

    allocation_id: int

    @property
    def key(self) -> str:
        """Names the event among those of its provider."""
        return f"allocation_undone:{self.allocation_id}"

    @property
    def undone_key(self) -> str:
        """Names the event this one undoes."""
        return f"allocation:{self.allocation_id}"


@dataclass(frozen=True)
class Credited:
    """A credit note; `excess_amount` of its gross was money collected before and given back."""

    credit_note_id: int
    net_amount: Decimal
    gross_amount: Decimal
    excess_amount: Decimal

    @property
    def key(self) -> str:
        """Names the event among those of its provider."""
        return f"credit_note:{self.credit_note_id}"


Event = InvoiceIssued | Allocated | AllocationUndone | Credited


@dataclass(frozen=True)
class Earning:
    """What one event earned: `percent` of the net `base_amount`; negative where it takes back."""

    base_amount: Decimal
    percent: Decimal
    amount: Decimal


NOTHING = Earning(ZERO, ZERO, ZERO)


def accrue(
    terms: Terms, events: Sequence[Event], recorded: Mapping[str, Earning]
) -> dict[str, Earning]:
    """What the events of an invoice earn that were not `recorded` (by key) before, in their order.

    `events` are all of the invoice's, oldest first. An event that concerns no commission is left
    out; one that earns or takes back nothing is in, with zeros, and need not be asked about again.
    """
    earnings = dict(recorded)
    for event in events:
        if event.key not in earnings:
            earning = _earning(event, terms, events, earnings)
            if earning is not None:
                earnings[event.key] = earning
    return {key: earning for key, earning in earnings.items() if key not in recorded}


def _earning(
    event: Event, terms: Terms, events: Sequence[Event], earnings: Mapping[str, Earning]
) -> Earning | None:
    match event:
        case InvoiceIssued(percent=percent):
            if percent is None:
                return None
            return earn((), terms.net_amount, percent, terms.currency)
        case Allocated():
            return _collect(event, terms, events, earnings)
        case AllocationUndone():
            return undo(earnings[event.undone_key]) if event.undone_key in earnings else None
        case Credited():
            return _credit(event, terms.currency, events, earnings) if earnings else None


def _collect(
    allocation: Allocated, terms: Terms, events: Sequence[Event], earnings: Mapping[str, Earning]
) -> Earning | None:
    if allocation.percent is None:
        return None
    credit_notes = {event.key for event in events if isinstance(event, Credited)}
    earned = [earning for key, earning in earnings.items() if key not in credit_notes]
    base = collected_base(terms, _collected(events, earnings) + allocation.amount)
    return earn(earned, base - total_base(earned), allocation.percent, terms.currency)


def _credit(
    note: Credited, currency: str, events: Sequence[Event], earnings: Mapping[str, Earning]
) -> Earning:
    earlier = [event.key for event in takewhile(lambda event: event != note, events)]
    earned = [earnings[key] for key in earlier if key in earnings]
    on_issue = any(isinstance(event, InvoiceIssued) for event in events)
    base = note.net_amount if on_issue else refunded_base(note, currency)
    return claw_back(earned, base, currency)


def earn(
    earned: Iterable[Earning], base_amount: Decimal, percent: Decimal, currency: str
) -> Earning:
    """`percent` of `base_amount`, after what was `earned` on the same invoice before.

    Rounded as a running total: parts of an invoice together earn what the whole would have.
    """
    before = list(earned)
    exact = sum((part.base_amount * part.percent for part in before), base_amount * percent)
    amount = round_money(exact / HUNDRED, currency) - sum((part.amount for part in before), ZERO)
    return Earning(base_amount, percent, amount)


def collected_base(terms: Terms, collected_amount: Decimal) -> Decimal:
    """The net part of what was collected with tax; all of the net once all is collected."""
    net = terms.net_amount * collected_amount / terms.gross_amount
    return round_money(net, terms.currency)


def refunded_base(note: Credited, currency: str) -> Decimal:
    """The net part of the money a credit note gave back; what was still due was never collected."""
    return round_money(note.excess_amount * note.net_amount / note.gross_amount, currency)


def undo(earning: Earning) -> Earning:
    """Exactly what an event earned, taken back."""
    return Earning(-earning.base_amount, earning.percent, -earning.amount)


def claw_back(earned: Sequence[Earning], base_amount: Decimal, currency: str) -> Earning:
    """What `base_amount` has earned of everything `earned` on an invoice, taken back.

    In proportion, so that the percents of the time apply; never more than there is.
    """
    total = total_base(earned)
    base = min(base_amount, total)
    if base <= 0:
        return NOTHING
    amount = round_money(sum(part.amount for part in earned) * base / total, currency)
    weighted = sum(part.base_amount * part.percent for part in earned) / total
    return Earning(-base, round_to(weighted, PERCENT_DIGITS), -amount)


def total_base(earned: Iterable[Earning]) -> Decimal:
    """The net amount the earnings are on, less what was taken back."""
    return sum((part.base_amount for part in earned), ZERO)


def _collected(events: Sequence[Event], earnings: Mapping[str, Earning]) -> Decimal:
    """What the allocations that earned collected with tax, without those undone since."""
    undone = {
        event.undone_key
        for event in events
        if isinstance(event, AllocationUndone) and event.key in earnings
    }
    live = (
        event.amount
        for event in events
        if isinstance(event, Allocated) and event.key in earnings and event.key not in undone
    )
    return sum(live, ZERO)
