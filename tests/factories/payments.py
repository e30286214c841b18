"""Issued invoices for tests of payments, the short way: one amount, no lines, no bill run."""

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.models import Invoice
from customers.models import Customer
from ledger.models import AccountKind, TransferKind
from ledger.services import AccountRef, Posting, customer_receivable, post
from tenancy.models import BillerEntity

_serial = itertools.count(1)


def make_invoice(
    customer: Customer, gross: str | Decimal, *, issued_at: datetime, **fields: Any
) -> Invoice:
    """An invoice of the customer's provider without tax, issued and posted to the ledger."""
    day = issued_at.date()
    amount = Decimal(gross)
    values = {
        "biller_entity": BillerEntity.objects.get(provider=customer.provider, is_default=True),
        "number": f"T-{next(_serial):06}",
        "state": Invoice.State.ISSUED,
        "currency": customer.currency,
        "rounding": "HALF_UP",
        "period_from": day.replace(day=1),
        "period_to": day.replace(day=1) + timedelta(days=28),
        "issue_date": day,
        "due_date": day + timedelta(days=14),
        "issued_at": issued_at,
        "seller": {},
        "buyer": {},
        "net_amount": amount,
        "tax_amount": Decimal(0),
        "gross_amount": amount,
    }
    invoice = Invoice.objects.create(
        provider=customer.provider, customer=customer, **values | fields
    )
    post(
        provider_id=customer.provider_id,
        postings=[
            Posting(
                debit=customer_receivable(customer.pk, invoice.currency),
                credit=AccountRef(AccountKind.REVENUE, invoice.currency),
                amount=amount,
                kind=TransferKind.INVOICE_NET,
                document=f"invoice:{invoice.pk}",
                key=f"invoice:{invoice.pk}:net",
            )
        ],
        effective_date=day,
        at=issued_at,
        actor_id=None,
    )
    return invoice
