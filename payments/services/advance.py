"""Settling invoices from what is in the wallet already."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from common.scope import Scope
from customers.models import Customer
from payments.models import Allocation
from payments.rules.advance import Due, Use, spend
from payments.selectors.advance import unspent_money
from payments.services.allocation import allocate
from payments.services.customer_money import day_of, lock_money, lock_open_invoices


def apply_advance(*, customer: Customer, at: datetime, actor_id: int | None) -> list[Allocation]:
    """Settle all open invoices from the wallet as far as it goes, as somebody wished."""
    return _apply(customer, later_only=False, at=at, actor_id=actor_id)


def apply_advance_on_issue(*, customer: Customer, at: datetime) -> list[Allocation]:
    """Settle the invoices that were issued since the wallet's money came.

    Older ones stay open: the payer, distributing the payment, left them so.
    """
    return _apply(customer, later_only=True, at=at, actor_id=None)


@transaction.atomic
def _apply(
    customer: Customer, *, later_only: bool, at: datetime, actor_id: int | None
) -> list[Allocation]:
    lock_money(customer.pk)
    dues = [
        Due(invoice.pk, invoice.issued_at, invoice.due_amount)
        for invoice in lock_open_invoices(customer)
        if invoice.issued_at is not None
    ]
    monies = unspent_money(
        Scope.system(customer.provider_id),
        customer_id=customer.pk,
        currency=customer.currency,
    )
    uses = spend(monies, dues, later_only=later_only)
    if not uses:
        return []
    allocations = allocate(
        customer=customer,
        uses=uses,
        effective_date=day_of(customer.provider, at),
        at=at,
        actor_id=actor_id,
    )
    record(
        provider_id=customer.provider_id,
        action="advance.applied",
        changed=customer,
        at=at,
        actor_id=actor_id,
        after={"uses": "; ".join(map(_in_words, uses))},
    )
    return allocations


def _in_words(use: Use) -> str:
    source = "credit" if use.payment_id is None else f"payment {use.payment_id}"
    return f"{use.amount} of {source} to invoice {use.invoice_id}"
