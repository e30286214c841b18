"""What a customer may still use."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Max

from billing.models import BillRun
from billing.selectors.unbilled import unbilled_net
from common.scope import Scope
from customers.models import Customer
from ledger.models import AccountKind
from ledger.selectors import balance


@dataclass(frozen=True)
class ServiceBalance:
    """What a customer may still use, and what it is made of; all in `currency`."""

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
    # Books and bill runs are the provider's own; what they say about this customer is for it too.
    system = Scope.system(customer.provider_id)
    return ServiceBalance(
        currency=customer.currency,
        credit_limit=customer.credit_limit,
        receivable_amount=_balance(system, customer, AccountKind.CUSTOMER_RECEIVABLE),
        unbilled_amount=unbilled_net(
            scope, customer, customer.currency, first_unbilled_day(system)
        ),
        wallet_amount=-_balance(system, customer, AccountKind.CUSTOMER_WALLET),
    )


def _balance(system: Scope, customer: Customer, kind: AccountKind) -> Decimal:
    return balance(system, kind=kind, currency=customer.currency, owner=str(customer.pk))


def first_unbilled_day(scope: Scope) -> date:
    """The day after the last period that the provider has billed; for the system's scope only."""
    issued = BillRun.objects.visible_to(scope).filter(state=BillRun.State.ISSUED, is_partial=False)
    return issued.aggregate(last=Max("period_to"))["last"] or date.min
