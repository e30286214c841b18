"""What customers have run up, still hold, and may still use."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Min, Q, Sum

from billing.models import Invoice
from billing.selectors.charges import unbilled_charges
from cdr.models import LegKind, PartyKind, UsageCharge
from common.money import ZERO
from common.periods import Period
from common.scope import Scope
from customers.models import Customer
from customers.selectors import customers
from ledger.models import AccountKind, Transfer
from ledger.selectors import accounts
from subscriptions.models import Charge
from tenancy.owned import ProviderQuerySet

UNBILLED = (
    "recurring, one-time and usage = charges and calls of billable customers, before tax, that no"
    " invoice issued by now asks for, estimates aside; oldest = the first day of any of them."
    " Invoices round each of their lines, so that they may differ by a minor unit a line."
)
CREDIT_EXPOSURE = (
    "balance = credit limit - (receivable + unbilled) + wallet, as of now, of billable customers"
    " in their own currency; receivable and wallet are the ledger's, unbilled is before tax."
    " A balance below zero has used up more than it was given."
)
WALLET_HOLDINGS = (
    "held = what customers had paid in, or were credited, and no invoice had taken by the end of"
    " the period's last day: the ledger's wallets on that day."
)


@dataclass(frozen=True)
class Unbilled:
    """What one customer has run up in one currency and was not invoiced yet; before tax."""

    customer_number: int
    reseller_number: int | None
    customer: str
    reseller: str
    oldest_date: date
    recurring_amount: Decimal
    one_time_amount: Decimal
    call_count: int
    usage_amount: Decimal
    unbilled_amount: Decimal
    currency: str


@dataclass(frozen=True)
class CreditExposure:
    """What one customer may still use, and what it is made of."""

    customer_number: int
    reseller_number: int | None
    customer: str
    reseller: str
    credit_limit_amount: Decimal
    receivable_amount: Decimal
    unbilled_amount: Decimal
    wallet_amount: Decimal
    balance_amount: Decimal
    currency: str


@dataclass(frozen=True)
class WalletHolding:
    """What one customer's wallet holds in one currency."""

    customer_number: int
    reseller_number: int | None
    customer: str
    reseller: str
    held_amount: Decimal
    currency: str


@dataclass(frozen=True)
class _RunUp:
    recurring: Decimal = ZERO
    one_time: Decimal = ZERO
    calls: int = 0
    usage: Decimal = ZERO
    oldest: date = date.max

    @property
    def total(self) -> Decimal:
        return self.recurring + self.one_time + self.usage


# Customer and currency.
_Wallet = tuple[int, str]


def unbilled_usage(scope: Scope) -> ProviderQuerySet[UsageCharge]:
    """Customers' usage on no issued invoice."""
    waiting = Q(billed=None) | Q(billed__invoice__state=Invoice.State.ESTIMATE)
    rows = UsageCharge.objects.visible_to(scope).filter(waiting)
    return rows.filter(kind=LegKind.CUSTOMER, payer_kind=PartyKind.CUSTOMER)


def unbilled(scope: Scope, _: Period) -> list[Unbilled]:
    """What was run up by customer and currency, the largest first; as of now."""
    run_up = _run_up(scope)
    found = _billable(scope, {customer_id for customer_id, _ in run_up})
    rows = [
        Unbilled(
            customer_number=customer.number,
            reseller_number=_number_of(customer),
            customer=customer.name,
            reseller=str(customer.reseller or ""),
            oldest_date=sums.oldest,
            recurring_amount=sums.recurring,
            one_time_amount=sums.one_time,
            call_count=sums.calls,
            usage_amount=sums.usage,
            unbilled_amount=sums.total,
            currency=currency,
        )
        for (customer_id, currency), sums in run_up.items()
        if (customer := found.get(customer_id)) is not None
    ]
    return sorted(rows, key=lambda row: (row.currency, -row.unbilled_amount, row.customer_number))


def credit_exposure(scope: Scope, _: Period) -> list[CreditExposure]:
    """What billable customers may still use, the most overdrawn first; as of now."""
    run_up = _run_up(scope)
    receivable = _balances(scope, AccountKind.CUSTOMER_RECEIVABLE)
    wallets = _balances(scope, AccountKind.CUSTOMER_WALLET)
    rows = []
    for customer in customers(scope).filter(is_billable=True):
        key = (customer.pk, customer.currency)
        owed, held = receivable.get(key, ZERO), -wallets.get(key, ZERO)
        waiting = run_up.get(key, _RunUp()).total
        if customer.credit_limit or owed or waiting or held:
            rows.append(
                CreditExposure(
                    customer_number=customer.number,
                    reseller_number=_number_of(customer),
                    customer=customer.name,
                    reseller=str(customer.reseller or ""),
                    credit_limit_amount=customer.credit_limit,
                    receivable_amount=owed,
                    unbilled_amount=waiting,
                    wallet_amount=held,
                    balance_amount=customer.credit_limit - owed - waiting + held,
                    currency=customer.currency,
                )
            )
    return sorted(rows, key=lambda row: (row.currency, row.balance_amount, row.customer_number))


def wallet_holdings(scope: Scope, period: Period) -> list[WalletHolding]:
    """What wallets held at the end of the period's last day, the largest first."""
    held = {key: -balance for key, balance in _balances(scope, AccountKind.CUSTOMER_WALLET).items()}
    for key, amount in _moved_since(scope, period.to_date).items():
        held[key] = held.get(key, ZERO) - amount
    holding = {key: amount for key, amount in held.items() if amount}
    found = {
        customer.pk: customer
        for customer in customers(scope).filter(pk__in={customer_id for customer_id, _ in holding})
    }
    rows = [
        WalletHolding(
            customer_number=found[customer_id].number,
            reseller_number=_number_of(found[customer_id]),
            customer=found[customer_id].name,
            reseller=str(found[customer_id].reseller or ""),
            held_amount=amount,
            currency=currency,
        )
        for (customer_id, currency), amount in holding.items()
    ]
    return sorted(rows, key=lambda row: (row.currency, -row.held_amount, row.customer_number))


def _number_of(customer: Customer) -> int | None:
    """The number of the reseller whose tag the customer carries."""
    return customer.reseller.number if customer.reseller else None


def _billable(scope: Scope, ids: set[int]) -> Mapping[int, Customer]:
    rows = customers(scope).filter(pk__in=ids, is_billable=True)
    return {customer.pk: customer for customer in rows}


def _run_up(scope: Scope) -> dict[_Wallet, _RunUp]:
    sums: dict[_Wallet, _RunUp] = defaultdict(_RunUp)
    usage = unbilled_usage(scope).values_list("payer_id", "currency").order_by()
    for customer_id, currency, amount, calls, oldest in usage.annotate(
        sum=Sum("amount"), calls=Sum("call_count"), oldest=Min("day")
    ):
        sums[customer_id, currency] = _RunUp(usage=amount, calls=calls, oldest=oldest)
    charges = unbilled_charges(scope).values_list("customer_id", "currency", "kind").order_by()
    for customer_id, currency, kind, amount, oldest in charges.annotate(
        sum=Sum("net_amount"), oldest=Min("period_from")
    ):
        found = sums[customer_id, currency]
        part = "recurring" if kind == Charge.Kind.RECURRING else "one_time"
        changes = {part: amount, "oldest": min(oldest, found.oldest)}
        sums[customer_id, currency] = replace(found, **changes)
    return sums


def _balances(scope: Scope, kind: AccountKind) -> dict[_Wallet, Decimal]:
    rows = accounts(scope).filter(kind=kind).values_list("owner", "currency", "balance")
    return {(int(owner), currency): balance for owner, currency, balance in rows}


def _moved_since(scope: Scope, day: date) -> dict[_Wallet, Decimal]:
    """What came into wallets, less what left them, from a day on."""
    moved: dict[_Wallet, Decimal] = defaultdict(Decimal)
    for side, sign in (("credit", 1), ("debit", -1)):
        rows = (
            Transfer.objects.visible_to(scope)
            .filter(effective_date__gte=day, **{f"{side}__kind": AccountKind.CUSTOMER_WALLET})
            .values_list(f"{side}__owner", f"{side}__currency")
            .annotate(sum=Sum("amount"))
            .order_by()
        )
        for owner, currency, amount in rows:
            moved[int(owner), currency] += sign * amount
    return moved
