"""Money that settles nothing yet, and who could pay an invoice with it."""

from datetime import datetime

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce

from billing.models import CreditNote, Invoice
from common.money import ZERO
from common.scope import Scope
from customers.models import Customer
from ledger.models import Account, AccountKind
from payments.models import Allocation, Payment
from payments.rules.advance import Money, unspent
from payments.selectors.payments import payments

OPEN_STATES = (Invoice.State.ISSUED, Invoice.State.PART_PAID)


def unspent_money(scope: Scope, *, customer_id: int, currency: str) -> list[Money]:
    """The advance in a customer's wallet by where it came from, oldest first.

    Money without a payment is what credit notes gave back; it too is spent oldest first.
    """
    received = payments(scope).filter(
        customer_id=customer_id,
        currency=currency,
        state=Payment.State.SUCCEEDED,
        amount__gt=F("allocated_amount"),
    )
    paid = [
        Money(payment_id, arrived_at, amount - allocated_amount)
        for payment_id, arrived_at, amount, allocated_amount in received.order_by(
            "succeeded_at", "pk"
        ).values_list("pk", "succeeded_at", "amount", "allocated_amount")
        if arrived_at is not None
    ]
    return sorted([*paid, *_unspent_credit(scope, customer_id, currency)], key=_arrival)


def customers_with_advance_due(scope: Scope) -> QuerySet[Customer]:
    """Customers who hold unspent money that came before one of their open invoices was issued."""
    wallets = Account.objects.visible_to(scope).filter(
        kind=AccountKind.CUSTOMER_WALLET, balance__lt=0
    )
    paid = payments(scope).filter(
        _issued_since("succeeded_at"),
        state=Payment.State.SUCCEEDED,
        amount__gt=F("allocated_amount"),
    )
    credited = CreditNote.objects.visible_to(scope).filter(
        _issued_since("issued_at"), excess_amount__gt=0
    )
    return (
        Customer.objects.visible_to(scope)
        .annotate(owner=Cast("pk", CharField()))
        .filter(owner__in=wallets.values("owner"))
        .filter(Q(pk__in=paid.values("customer")) | Q(pk__in=credited.values("customer")))
        .order_by("pk")
    )


def _arrival(money: Money) -> datetime:
    return money.arrived_at


def _issued_since(instant: str) -> Exists:
    return Exists(
        Invoice.objects.filter(
            provider_id=OuterRef("provider_id"),
            customer_id=OuterRef("customer_id"),
            currency=OuterRef("currency"),
            state__in=OPEN_STATES,
            issued_at__gte=OuterRef(instant),
        )
    )


def _unspent_credit(scope: Scope, customer_id: int, currency: str) -> list[Money]:
    notes = CreditNote.objects.visible_to(scope).filter(
        customer_id=customer_id, currency=currency, excess_amount__gt=0
    )
    used = Allocation.objects.visible_to(scope).filter(
        payment__isnull=True,
        undone_at__isnull=True,
        invoice__customer_id=customer_id,
        invoice__currency=currency,
    )
    given = [Money(None, note.issued_at, note.excess_amount) for note in notes]
    return unspent(given, used.aggregate(total=Coalesce(Sum("amount"), ZERO))["total"])
