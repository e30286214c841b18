"""What payments do to an invoice: take its due down, or put it back.

Payments call this in their own transaction and post the ledger's transfers themselves. Lock order:
invoices by ascending id first, ledger accounts after them.
"""

from decimal import Decimal

from django.db import transaction

from billing.models import Invoice
from billing.rules.settling import state_after
from common.errors import DomainError


class InvoiceNotOpen(DomainError):
    """Only an issued invoice that still has a due can be settled."""


class AmountExceedsDue(DomainError):
    """More was to be allocated than the invoice still asks for."""


class AmountExceedsSettled(DomainError):
    """More was to be taken back than was ever allocated."""


OPEN_STATES = (Invoice.State.ISSUED, Invoice.State.PART_PAID)


@transaction.atomic
def settle_invoice(*, invoice_id: int, amount: Decimal) -> Invoice:
    """Allocate `amount` (> 0, the invoice's currency) to the invoice and return it, locked.

    :raises InvoiceNotOpen: for an estimate, a cancelled or a fully paid invoice.
    :raises AmountExceedsDue: if less than `amount` is due.
    """
    assert amount > 0
    invoice = _locked(invoice_id)
    if invoice.state not in OPEN_STATES:
        raise InvoiceNotOpen(f"Invoice {invoice} is {invoice.state.lower()}; nothing is due on it.")
    if amount > invoice.due_amount:
        raise AmountExceedsDue(
            f"{amount} {invoice.currency} is more than the {invoice.due_amount} due on {invoice}."
        )
    return _settled(invoice, invoice.settled_amount + amount)


@transaction.atomic
def unsettle_invoice(*, invoice_id: int, amount: Decimal) -> Invoice:
    """Take `amount` (> 0) of what was allocated back and return the invoice, open again.

    :raises AmountExceedsSettled: if less than `amount` was allocated.
    """
    assert amount > 0
    invoice = _locked(invoice_id)
    if amount > invoice.settled_amount:
        raise AmountExceedsSettled(
            f"{amount} {invoice.currency} is more than the {invoice.settled_amount} allocated"
            f" to {invoice}."
        )
    return _settled(invoice, invoice.settled_amount - amount)


def _locked(invoice_id: int) -> Invoice:
    return Invoice.objects.select_for_update(no_key=True).get(pk=invoice_id)


def _settled(invoice: Invoice, settled_amount: Decimal) -> Invoice:
    invoice.settled_amount = settled_amount
    invoice.state = state_after(invoice.gross_amount, settled_amount, invoice.credited_amount)
    invoice.save(update_fields=["settled_amount", "state"])
    return invoice
