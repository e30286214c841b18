"""Recording a payment before its money is there, with what it is meant to settle."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from billing.models import Invoice
from customers.models import Customer
from payments.models import Payment, PlannedAllocation
from payments.rules.distribution import check_amount, check_distribution, prefill
from payments.services.customer_money import dues_by_invoice, lock_open_invoices

# No vowels, so that no number spells a word; no digits that look like letters.
_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"


def plan_payment(
    *,
    customer: Customer,
    way: Payment.Way,
    mode: Payment.Mode,
    gateway: str = "",
    amount: Decimal,
    distribution: Mapping[int, Decimal] | None,
    transaction_date: date,
    reference: str = "",
    narration: str = "",
    at: datetime,
    actor_id: int | None,
) -> Payment:
    """Record a pending payment of `amount` in the customer's currency.

    `distribution` gives shares by invoice id; None pre-fills the open invoices, oldest first. What
    is not distributed stays in the wallet. The caller holds the customer's money.

    :raises AmountNotPayable: `amount` or a share is no positive amount of the currency.
    :raises InvoiceNotPayable: the distribution names an invoice with nothing to pay.
    :raises DistributionTooHigh: a share exceeds its due, or the shares exceed `amount`.
    """
    check_amount(amount, customer.currency)
    shares = _shares(customer, amount, distribution)
    payment = Payment.objects.create(
        provider_id=customer.provider_id,
        customer=customer,
        way=way,
        mode=mode,
        gateway=gateway,
        order_number=_order_number(at),
        currency=customer.currency,
        amount=amount,
        state=Payment.State.PENDING,
        reference=reference,
        narration=narration,
        transaction_date=transaction_date,
        created_at=at,
        created_by_id=actor_id,
    )
    PlannedAllocation.objects.bulk_create(
        PlannedAllocation(
            provider_id=customer.provider_id,
            payment=payment,
            invoice_id=invoice_id,
            amount=share,
        )
        for invoice_id, share in shares.items()
    )
    return payment


def _shares(
    customer: Customer, amount: Decimal, distribution: Mapping[int, Decimal] | None
) -> dict[int, Decimal]:
    invoices = lock_open_invoices(customer)
    dues = dues_by_invoice(invoices)
    if distribution is None:
        filled = zip(dues, prefill(amount, list(dues.values())), strict=True)
        return {invoice_id: share for invoice_id, share in filled if share > 0}
    check_distribution(
        amount=amount,
        currency=customer.currency,
        shares=distribution,
        dues=dues,
        numbers=_numbers(invoices),
    )
    return dict(distribution)


def _numbers(invoices: list[Invoice]) -> dict[int, str]:
    return {invoice.pk: str(invoice) for invoice in invoices}


def _order_number(at: datetime) -> str:
    random = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"P{at:%y%m%d}-{random}"
