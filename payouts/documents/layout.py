"""What stands on a statement: commission by customer and invoice, and what was taken back."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from common.money import ZERO
from customers.models import Customer
from payouts.models import Accrual, PayoutStatement
from payouts.selectors import accruals_of


@dataclass(frozen=True)
class Line:
    """What an invoice earned (or gave back, for `reason`) at one percent; net of tax."""

    invoice_number: str
    reason: str
    percent: Decimal
    base_amount: Decimal
    amount: Decimal


@dataclass(frozen=True)
class CustomerPart:
    """One customer's lines and their sum."""

    number: int
    name: str
    lines: tuple[Line, ...]
    amount: Decimal


@dataclass(frozen=True)
class Layout:
    """A statement's body."""

    earned: tuple[CustomerPart, ...]
    clawed_back: tuple[CustomerPart, ...]


def lay_out(statement: PayoutStatement) -> Layout:
    """The statement's accruals, those of one invoice, reason and percent in one line."""
    moving = [accrual for accrual in accruals_of(statement) if accrual.amount]
    return Layout(
        earned=_parts(accrual for accrual in moving if accrual.amount > 0),
        clawed_back=_parts(accrual for accrual in moving if accrual.amount < 0),
    )


def reason(accrual: Accrual) -> str:
    """What happened, for the reseller."""
    if accrual.credit_note is not None:
        return f"Credit note {accrual.credit_note}"
    if accrual.allocation is None:
        return "Invoice issued"
    return "Payment received" if accrual.amount >= 0 else "Payment taken back"


def _parts(accruals: Iterable[Accrual]) -> tuple[CustomerPart, ...]:
    return tuple(_part(customer, list(rows)) for customer, rows in groupby(accruals, key=_customer))


def _part(customer: Customer, accruals: list[Accrual]) -> CustomerPart:
    lines: dict[tuple[int, str, Decimal], list[Accrual]] = {}
    for row in accruals:
        lines.setdefault((row.invoice_id, reason(row), row.percent), []).append(row)
    return CustomerPart(
        number=customer.number,
        name=customer.name,
        lines=tuple(_line(rows) for rows in lines.values()),
        amount=sum((row.amount for row in accruals), ZERO),
    )


def _line(accruals: list[Accrual]) -> Line:
    first = accruals[0]
    return Line(
        invoice_number=str(first.invoice),
        reason=reason(first),
        percent=first.percent,
        base_amount=sum((row.base_amount for row in accruals), ZERO),
        amount=sum((row.amount for row in accruals), ZERO),
    )


def _customer(accrual: Accrual) -> Customer:
    return accrual.customer
