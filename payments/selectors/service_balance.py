"""What a customer may still use."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from billing.models import Invoice
from cdr.models import LegKind, PartyKind, UsageCharge
from common.money import ZERO
from common.scope import Scope
from customers.models import Customer
from ledger.models import AccountKind
from ledger.selectors import balance
from subscriptions.models import Charge


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


def _balance(customer: Customer, kind: AccountKind) -> Decimal:
    scope = Scope.system(customer.provider_id)
    return balance(scope, kind=kind, currency=customer.currency, owner=str(customer.pk))


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
