"""Money that came by other means, recorded by the provider's staff."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from audit.services import record
from common.errors import DomainError
from customers.models import Customer
from payments.models import Payment
from payments.services.customer_money import day_of, lock_money
from payments.services.planning import plan_payment
from payments.services.receiving import receive


class CurrencyMismatch(DomainError):
    """The money is in another currency than the customer's account."""


class DateInFuture(DomainError):
    """A payment is recorded when it happened, not before."""


class ModeNotOffline(DomainError):
    """What comes through a gateway is recorded by the gateway's message only."""


@transaction.atomic
def record_offline_payment(
    *,
    customer: Customer,
    amount: Decimal,
    currency: str,
    mode: Payment.Mode,
    reference: str,
    narration: str = "",
    posting_date: date,
    transaction_date: date,
    distribution: Mapping[int, Decimal] | None = None,
    at: datetime,
    actor_id: int | None,
) -> Payment:
    """Record a payment that is in the bank and settle invoices from it.

    `distribution` gives shares by invoice id; None fills the open invoices oldest first. What is
    not distributed stays in the wallet. `posting_date` is when the books take it, and
    `transaction_date` when the customer paid, both in the provider's zone.

    :raises ModeNotOffline: `mode` is the gateway.
    :raises CurrencyMismatch: `currency` is not the customer's.
    :raises DateInFuture: a date lies after `at`.
    :raises AmountNotPayable: `amount` or a share is no positive amount of the currency.
    :raises InvoiceNotPayable: the distribution names an invoice with nothing to pay.
    :raises DistributionTooHigh: a share exceeds its due, or the shares exceed `amount`.
    """
    _check(customer, currency, mode, {posting_date, transaction_date}, at)
    lock_money(customer.pk)
    payment = plan_payment(
        customer=customer,
        way=Payment.Way.OFFLINE,
        mode=mode,
        amount=amount,
        distribution=distribution,
        transaction_date=transaction_date,
        reference=reference,
        narration=narration,
        at=at,
        actor_id=actor_id,
    )
    receive(payment=payment, posting_date=posting_date, at=at, actor_id=actor_id)
    _record(payment, at, actor_id)
    return payment


def _check(
    customer: Customer, currency: str, mode: Payment.Mode, days: Iterable[date], at: datetime
) -> None:
    if mode == Payment.Mode.GATEWAY:
        raise ModeNotOffline("Choose how the money came: cash, cheque, bank transfer, card, other.")
    if currency != customer.currency:
        raise CurrencyMismatch(f"{customer} pays in {customer.currency}, not in {currency}.")
    today = day_of(customer.provider, at)
    latest = max(days)
    if latest > today:
        raise DateInFuture(f"{latest} is in the future; today is {today}.")


def _record(payment: Payment, at: datetime, actor_id: int | None) -> None:
    record(
        provider_id=payment.provider_id,
        action="payment.recorded",
        changed=payment,
        at=at,
        actor_id=actor_id,
        after={
            "receipt_number": payment.receipt_number,
            "amount": payment.amount,
            "currency": payment.currency,
            "mode": payment.mode,
            "reference": payment.reference,
        },
    )
