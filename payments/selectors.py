"""Questions about money in: what is open, what is unspent, what waits, what is left to use."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce

from billing.models import CreditNote, Invoice
from cdr.models import LegKind, PartyKind, UsageCharge
from common.money import ZERO
from common.scope import Scope
from customers.models import Customer
from ledger.models import Account, AccountKind
from payments.models import Allocation, Payment, WebhookEvent
from payments.rules.advance import Money, unspent
from subscriptions.models import Charge

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Allocated(TypedDict):
        allocated_amount: Decimal

    AllocatedPayment = WithAnnotations[Payment, _Allocated]

OPEN_STATES = (Invoice.State.ISSUED, Invoice.State.PART_PAID)


@dataclass(frozen=True)
class ServiceBalance:
    """What a customer may still use, and what it is made of; all in `currency`, none rounded."""

    currency: str
    credit_limit: Decimal
    receivable_amount: Decimal
    unbilled_amount: Decimal
    wallet_amount: Decimal

    @property
    def amount(self) -> Decimal:
        """Credit limit less (receivable and unbilled charges), plus wallet."""
        incurred = self.receivable_amount + self.unbilled_amount
        return self.credit_limit - incurred + self.wallet_amount


def payments(scope: Scope) -> "QuerySet[AllocatedPayment]":
    """Payments, newest first, each with `allocated_amount`: what of it settles invoices now."""
    live = Sum("allocations__amount", filter=Q(allocations__undone_at__isnull=True))
    return (
        Payment.objects.visible_to(scope)
        .annotate(allocated_amount=Coalesce(live, ZERO))
        .order_by("-created_at", "-pk")
    )


def open_invoices(scope: Scope, *, customer_id: int) -> QuerySet[Invoice]:
    """What the customer has to pay, oldest first."""
    return (
        Invoice.objects.visible_to(scope)
        .filter(customer_id=customer_id, state__in=OPEN_STATES)
        .order_by("issued_at", "pk")
    )


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
        for payment_id, arrived_at, amount, allocated_amount in received.values_list(
            "pk", "succeeded_at", "amount", "allocated_amount"
        )
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


def pending_payments(scope: Scope, *, started_before: datetime) -> QuerySet[Payment]:
    """Payments at a gateway of which nothing has been heard, oldest first."""
    return (
        Payment.objects.visible_to(scope)
        .filter(state=Payment.State.PENDING, created_at__lt=started_before)
        .order_by("created_at", "pk")
    )


def waiting_events(scope: Scope, *, received_before: datetime) -> QuerySet[WebhookEvent]:
    """Gateways' messages that were stored but not acted on, oldest first."""
    return (
        WebhookEvent.objects.visible_to(scope)
        .filter(state=WebhookEvent.State.RECEIVED, received_at__lt=received_before)
        .order_by("received_at", "pk")
    )


def service_balance(scope: Scope, *, customer_id: int) -> ServiceBalance:
    """What the customer may still use, as of now.

    :raises Customer.DoesNotExist: the scope sees no such customer.
    """
    customer = Customer.objects.visible_to(scope).get(pk=customer_id)
    return ServiceBalance(
        currency=customer.currency,
        credit_limit=customer.credit_limit,
        receivable_amount=_balance(customer, AccountKind.CUSTOMER_RECEIVABLE),
        unbilled_amount=_unbilled_usage(customer) + _unbilled_charges(customer),
        wallet_amount=-_balance(customer, AccountKind.CUSTOMER_WALLET),
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


def _balance(customer: Customer, kind: AccountKind) -> Decimal:
    account = Account.objects.filter(
        provider_id=customer.provider_id,
        kind=kind,
        owner=str(customer.pk),
        currency=customer.currency,
    ).first()
    return account.balance if account else ZERO


def _unbilled_usage(customer: Customer) -> Decimal:
    charges = UsageCharge.objects.filter(
        Q(billed__isnull=True) | Q(billed__invoice__state=Invoice.State.ESTIMATE),
        provider_id=customer.provider_id,
        kind=LegKind.CUSTOMER,
        payer_kind=PartyKind.CUSTOMER,
        payer_id=customer.pk,
        currency=customer.currency,
    )
    total: Decimal = charges.aggregate(total=Coalesce(Sum("amount"), ZERO))["total"]
    return total


def _unbilled_charges(customer: Customer) -> Decimal:
    charges = Charge.objects.filter(
        Q(invoice_line__isnull=True) | Q(invoice_line__invoice__state=Invoice.State.ESTIMATE),
        provider_id=customer.provider_id,
        customer=customer,
        currency=customer.currency,
    )
    total: Decimal = charges.aggregate(total=Coalesce(Sum("net_amount"), ZERO))["total"]
    return total
