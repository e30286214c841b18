"""Whether payments, allocations and the books tell the same story."""

from decimal import Decimal

from django.db.models import (
    Case,
    CharField,
    DecimalField,
    Exists,
    F,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat

from billing.models import CreditNote, Invoice
from common.faults import Fault
from common.money import ZERO
from common.scope import Scope
from ledger.models import Account, AccountKind, Transfer
from payments.models import Allocation, Payment
from payments.selectors.payments import payments

_AMOUNT: "DecimalField[Decimal, Decimal]" = DecimalField(max_digits=20, decimal_places=4)
_LIVE = Q(allocations__undone_at__isnull=True)


def payment_faults(scope: Scope) -> list[Fault]:
    """Where payments are not booked as they stand, or settle what they do not say they settle.

    Among them: wallet = payments that stand + credit given back - what of both is allocated.
    """
    return [
        *_payments_booked_otherwise(scope),
        *_payments_overspent(scope),
        *_allocations_booked_otherwise(scope),
        *_invoices_settled_otherwise(scope),
        *_wallets_of_other_money(scope),
    ]


def _payments_booked_otherwise(scope: Scope) -> list[Fault]:
    transfer = Transfer.objects.filter(
        provider_id=OuterRef("provider_id"),
        idempotency_key=Concat(Value("payment:"), Cast(OuterRef("pk"), CharField())),
        reversed_by__isnull=True,
    )
    rows = payments(scope).annotate(
        booked=Coalesce(Subquery(transfer.values("amount")), ZERO, output_field=_AMOUNT),
        expected=Case(
            When(state=Payment.State.SUCCEEDED, then=F("amount")),
            default=ZERO,
            output_field=_AMOUNT,
        ),
    )
    return [
        Fault("payment is booked", f"payment {row}", str(row.expected), str(row.booked))
        for row in rows.exclude(booked=F("expected"))
    ]


def _payments_overspent(scope: Scope) -> list[Fault]:
    rows = payments(scope).exclude(
        Q(state=Payment.State.SUCCEEDED, allocated_amount__lte=F("amount")) | Q(allocated_amount=0)
    )
    return [
        Fault(
            "allocations within the payment",
            f"payment {row}",
            f"{row.amount} {row.state.lower()}",
            str(row.allocated_amount),
        )
        for row in rows
    ]


def _allocations_booked_otherwise(scope: Scope) -> list[Fault]:
    undone = Transfer.objects.filter(reverses=OuterRef("transfer"))
    rows = (
        Allocation.objects.visible_to(scope)
        .annotate(is_undone=Exists(undone))
        .exclude(
            Q(is_undone=True, undone_at__isnull=False) | Q(is_undone=False, undone_at__isnull=True),
            transfer__amount=F("amount"),
        )
        .select_related("transfer")
        .order_by("pk")
    )
    return [
        Fault(
            "allocation is booked",
            f"allocation {row.pk}",
            str(row.transfer.amount),
            str(row.amount),
        )
        for row in rows
    ]


def _invoices_settled_otherwise(scope: Scope) -> list[Fault]:
    rows = (
        Invoice.objects.visible_to(scope)
        .annotate(allocated=Coalesce(Sum("allocations__amount", filter=_LIVE), ZERO))
        .exclude(settled_amount=F("allocated"))
        .order_by("pk")
    )
    return [
        Fault("settled = allocated", f"invoice {row}", str(row.allocated), str(row.settled_amount))
        for row in rows
    ]


def _wallets_of_other_money(scope: Scope) -> list[Fault]:
    expected = _expected_wallets(scope)
    found = {
        (int(owner), currency): -balance
        for owner, currency, balance in Account.objects.visible_to(scope)
        .filter(kind=AccountKind.CUSTOMER_WALLET)
        .values_list("owner", "currency", "balance")
    }
    return [
        Fault(
            "wallet = payments + credit - allocations",
            f"wallet of customer {wallet[0]} in {wallet[1]}",
            str(expected.get(wallet, ZERO)),
            str(found.get(wallet, ZERO)),
        )
        for wallet in sorted(expected.keys() | found.keys())
        if expected.get(wallet, ZERO) != found.get(wallet, ZERO)
    ]


def _expected_wallets(scope: Scope) -> dict[tuple[int, str], Decimal]:
    received = (
        Payment.objects.visible_to(scope)
        .filter(state=Payment.State.SUCCEEDED)
        .values_list("customer_id", "currency")
        .annotate(total=Sum("amount"))
    )
    credited = (
        CreditNote.objects.visible_to(scope)
        .filter(excess_amount__gt=0, customer__isnull=False)
        .values_list("customer_id", "currency")
        .annotate(total=Sum("excess_amount"))
    )
    allocated = (
        Allocation.objects.visible_to(scope)
        .filter(undone_at__isnull=True)
        .values_list("invoice__customer_id", "invoice__currency")
        .annotate(total=-Sum("amount"))
    )
    wallets: dict[tuple[int, str], Decimal] = {}
    for customer_id, currency, total in [*received, *credited, *allocated]:
        wallets[customer_id, currency] = wallets.get((customer_id, currency), ZERO) + total
    return wallets
