"""Which advance settles which invoice: the oldest money the oldest invoice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from common.money import ZERO


@dataclass(frozen=True)
class Money:
    """What is unspent of one payment, or of a credit note's excess (`payment_id` None)."""

    payment_id: int | None
    arrived_at: datetime
    amount: Decimal


@dataclass(frozen=True)
class Due:
    """What is still to be paid on one issued invoice."""

    invoice_id: int
    issued_at: datetime
    amount: Decimal


@dataclass(frozen=True)
class Use:
    """The part of one payment (or of credit, where None) that settles one invoice."""

    payment_id: int | None
    invoice_id: int
    amount: Decimal


def spend(monies: Iterable[Money], dues: Iterable[Due], *, later_only: bool) -> list[Use]:
    """Settle `dues`, in the order given, from `monies`, oldest first; no use is zero.

    Monies that came at the same instant are spent in the order given.

    With `later_only` money settles only invoices issued after it came: who pays ahead pays the
    next invoice, while an older one was left open on purpose by how the payment was distributed.
    """
    purse = sorted((m for m in monies if m.amount > 0), key=lambda money: money.arrived_at)
    uses: list[Use] = []
    for due in dues:
        wanted = due.amount
        for place, money in enumerate(purse):
            if later_only and money.arrived_at > due.issued_at:
                break
            part = min(wanted, money.amount)
            if part > 0:
                uses.append(Use(money.payment_id, due.invoice_id, part))
                purse[place] = replace(money, amount=money.amount - part)
                wanted -= part
    return uses


def unspent(monies: Sequence[Money], spent_amount: Decimal) -> list[Money]:
    """What is left of `monies`, oldest first, when `spent_amount` of them together was used."""
    left = []
    for money in sorted(monies, key=lambda money: money.arrived_at):
        taken = min(money.amount, spent_amount)
        spent_amount -= taken
        left.append(replace(money, amount=money.amount - taken))
    assert spent_amount == ZERO, "more credit was used than there ever was"
    return left
