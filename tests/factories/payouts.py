"""Invoices with tax, money for them and credit notes on them, for tests of commission."""

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.models import CreditNote, Invoice
from billing.rules.settling import state_after
from common.periods import month
from customers.models import Customer
from ledger.models import AccountKind, TransferKind
from ledger.services import AccountRef, Posting, customer_receivable, customer_wallet, post
from payments.models import Payment
from payments.services.offline import record_offline_payment
from payouts.models import CommissionPlan
from resellers.models import Reseller
from tenancy.models import BillerEntity

OCTOBER = month(2026, 10)
NOVEMBER = month(2026, 11)
_serial = itertools.count(1)


def day(month: int, number: int, hour: int = 12) -> datetime:
    """An instant of 2026."""
    return datetime(2026, month, number, hour, tzinfo=UTC)


def make_plan(reseller: Reseller, percent: str = "10", **fields: Any) -> CommissionPlan:
    """A plan that pays a percent of collected net since the start of 2026."""
    values = {"base": CommissionPlan.Base.COLLECTED_NET, "valid_from": date(2026, 1, 1)}
    return CommissionPlan.objects.create(
        provider=reseller.provider, reseller=reseller, percent=Decimal(percent), **values | fields
    )


def issue(
    customer: Customer, net: str = "1000", tax: str = "180", *, at: datetime, **fields: Any
) -> Invoice:
    """An issued invoice of one amount, tagged as its customer is, and posted to the ledger."""
    net_amount, tax_amount = Decimal(net), Decimal(tax)
    values: dict[str, Any] = {
        "biller_entity": BillerEntity.objects.get(provider=customer.provider, is_default=True),
        "tagged_reseller": customer.reseller,
        "number": f"P-{next(_serial):06}",
        "state": Invoice.State.ISSUED,
        "currency": customer.currency,
        "rounding": "HALF_UP",
        "period_from": at.date().replace(day=1),
        "period_to": at.date().replace(day=1) + timedelta(days=28),
        "issue_date": at.date(),
        "due_date": at.date() + timedelta(days=14),
        "issued_at": at,
        "seller": {},
        "buyer": {},
        "net_amount": net_amount,
        "tax_amount": tax_amount,
        "gross_amount": net_amount + tax_amount,
    }
    invoice = Invoice.objects.create(
        provider=customer.provider, customer=customer, **values | fields
    )
    _post(
        invoice,
        f"invoice:{invoice.pk}",
        [
            (_receivable(invoice), AccountKind.REVENUE, net_amount, TransferKind.INVOICE_NET),
            (_receivable(invoice), AccountKind.TAX, tax_amount, TransferKind.INVOICE_TAX),
        ],
        at,
    )
    return invoice


def pay(customer: Customer, amount: str, *, at: datetime, **fields: Any) -> Payment:
    """A bank transfer that settles the customer's invoices, oldest first."""
    values: dict[str, Any] = {
        "mode": Payment.Mode.BANK_TRANSFER,
        "reference": "statement 7",
        "posting_date": at.date(),
        "transaction_date": at.date(),
    }
    return record_offline_payment(
        customer=customer,
        amount=Decimal(amount),
        currency=customer.currency,
        at=at,
        actor_id=None,
        **values | fields,
    )


def credit(invoice: Invoice, net: str, tax: str, *, at: datetime) -> CreditNote:
    """A credit note; what is not due any more goes to the wallet."""
    invoice = Invoice.objects.get(pk=invoice.pk)
    net_amount, tax_amount = Decimal(net), Decimal(tax)
    gross_amount = net_amount + tax_amount
    excess_amount = max(gross_amount - invoice.due_amount, Decimal(0))
    note = CreditNote.objects.create(
        provider=invoice.provider,
        invoice=invoice,
        customer=invoice.customer,
        biller_entity=invoice.biller_entity,
        number=f"PC-{next(_serial):06}",
        reason="Agreed",
        currency=invoice.currency,
        issue_date=at.date(),
        issued_at=at,
        net_amount=net_amount,
        tax_amount=tax_amount,
        gross_amount=gross_amount,
        excess_amount=excess_amount,
    )
    invoice.credited_amount += gross_amount - excess_amount
    invoice.state = state_after(
        invoice.gross_amount, invoice.settled_amount, invoice.credited_amount
    )
    invoice.save(update_fields=["credited_amount", "state"])
    assert invoice.customer_id is not None
    wallet = customer_wallet(invoice.customer_id, invoice.currency)
    receivable = _receivable(invoice)
    _post(
        invoice,
        f"credit_note:{note.pk}",
        [
            (AccountKind.REVENUE, receivable, net_amount, TransferKind.CREDIT_NOTE_NET),
            (AccountKind.TAX, receivable, tax_amount, TransferKind.CREDIT_NOTE_TAX),
            (receivable, wallet, excess_amount, TransferKind.CREDIT_EXCESS),
        ],
        at,
    )
    return note


def _receivable(invoice: Invoice) -> AccountRef:
    assert invoice.customer_id is not None
    return customer_receivable(invoice.customer_id, invoice.currency)


def _post(
    invoice: Invoice,
    document: str,
    parts: list[tuple[AccountRef | AccountKind, AccountRef | AccountKind, Decimal, TransferKind]],
    at: datetime,
) -> None:
    def account(named: AccountRef | AccountKind) -> AccountRef:
        return named if isinstance(named, AccountRef) else AccountRef(named, invoice.currency)

    post(
        provider_id=invoice.provider_id,
        postings=[
            Posting(account(debit), account(credit), amount, kind, document, f"{document}:{kind}")
            for debit, credit, amount, kind in parts
            if amount
        ],
        effective_date=at.date(),
        at=at,
        actor_id=None,
    )
