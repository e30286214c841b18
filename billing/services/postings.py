"""What issuing an invoice or a credit note moves in the ledger."""

from billing.models import CreditNote, Invoice
from ledger.models import AccountKind, TransferKind
from ledger.services import (
    AccountRef,
    Posting,
    customer_receivable,
    customer_wallet,
    reseller_payable,
    reseller_receivable,
)


def invoice_postings(invoice: Invoice) -> list[Posting]:
    """The payer owes the gross; the net is revenue, the tax is owed to the state.

    On a settlement invoice that a parent reseller issues both are the parent's: the provider
    collects for it and owes it the whole.
    """
    settlement = invoice.kind == Invoice.Kind.SETTLEMENT
    net = (_net_account(invoice), invoice.net_amount, _net_kind(settlement), "net")
    tax = (_tax_account(invoice), invoice.tax_amount, _tax_kind(settlement), "tax")
    document = f"invoice:{invoice.pk}"
    return [
        Posting(_receivable(invoice), account, amount, kind, document, f"{document}:{part}")
        for account, amount, kind, part in (net, tax)
        if amount
    ]


def credit_note_postings(note: CreditNote, invoice: Invoice) -> list[Posting]:
    """The same movements back; what was not due any more moves on to the customer's wallet."""
    document = f"credit_note:{note.pk}"
    receivable = _receivable(invoice)
    parts = [
        (_net_account(invoice), note.net_amount, TransferKind.CREDIT_NOTE_NET, "net"),
        (_tax_account(invoice), note.tax_amount, TransferKind.CREDIT_NOTE_TAX, "tax"),
    ]
    postings = [
        Posting(account, receivable, amount, kind, document, f"{document}:{part}")
        for account, amount, kind, part in parts
        if amount
    ]
    if note.excess_amount:
        assert invoice.customer_id is not None, "a reseller has no wallet"
        wallet = customer_wallet(invoice.customer_id, invoice.currency)
        excess = TransferKind.CREDIT_EXCESS
        key = f"{document}:excess"
        postings.append(Posting(receivable, wallet, note.excess_amount, excess, document, key))
    return postings


def _receivable(invoice: Invoice) -> AccountRef:
    if invoice.customer_id is not None:
        return customer_receivable(invoice.customer_id, invoice.currency)
    assert invoice.reseller_id is not None
    return reseller_receivable(invoice.reseller_id, invoice.currency)


def _net_account(invoice: Invoice) -> AccountRef:
    if invoice.issuing_reseller_id is not None:
        return reseller_payable(invoice.issuing_reseller_id, invoice.currency)
    return AccountRef(AccountKind.REVENUE, invoice.currency)


def _tax_account(invoice: Invoice) -> AccountRef:
    if invoice.issuing_reseller_id is not None:
        return reseller_payable(invoice.issuing_reseller_id, invoice.currency)
    return AccountRef(AccountKind.TAX, invoice.currency)


def _net_kind(settlement: bool) -> TransferKind:
    return TransferKind.SETTLEMENT_NET if settlement else TransferKind.INVOICE_NET


def _tax_kind(settlement: bool) -> TransferKind:
    return TransferKind.SETTLEMENT_TAX if settlement else TransferKind.INVOICE_TAX
