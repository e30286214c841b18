"""Short ways to say what the books should show, and to take payments, in tests of payments."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from common.scope import Scope
from customers.models import Customer
from ledger.models import AccountKind
from ledger.selectors import balance
from payments.gateways.protocol import OrderReport, OrderStatus
from payments.models import Allocation, Payment
from payments.services.checkouts import start_bulk_payment
from payments.services.offline import record_offline_payment
from reports.selectors.verification import verify

AT = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 10)
BACK = "https://pay.example/back"


def wallet(customer: Customer) -> Decimal:
    """The money in the customer's wallet."""
    return -_balance(customer, AccountKind.CUSTOMER_WALLET)


def receivable(customer: Customer) -> Decimal:
    """What the customer owes."""
    return _balance(customer, AccountKind.CUSTOMER_RECEIVABLE)


def own(customer: Customer, kind: AccountKind, owner: str = "") -> Decimal:
    """The balance of one of the provider's own accounts in the customer's currency."""
    scope = Scope.system(customer.provider_id)
    return balance(scope, kind=kind, currency=customer.currency, owner=owner)


def assert_books_agree(provider_id: int) -> None:
    """No fault is to be found in the provider's books."""
    assert verify(Scope.system(provider_id)).faults == []


def pay_offline(customer: Customer, amount: str, **fields: Any) -> Payment:
    """A bank transfer of today that fills the open invoices oldest first."""
    values: dict[str, Any] = {
        "amount": Decimal(amount),
        "currency": customer.currency,
        "mode": Payment.Mode.BANK_TRANSFER,
        "reference": "TRF-1",
        "posting_date": TODAY,
        "transaction_date": TODAY,
        "at": AT,
        "actor_id": None,
    }
    return record_offline_payment(customer=customer, **values | fields)


def start_bulk(customer: Customer, amount: str, **fields: Any) -> Payment:
    """A pending payment at the sandbox that fills the open invoices oldest first."""
    values: dict[str, Any] = {"gateway": "sandbox", "return_url": BACK, "at": AT, "actor_id": None}
    started = start_bulk_payment(customer=customer, amount=Decimal(amount), **values | fields)
    return started.payment


def report(payment: Payment, status: OrderStatus, **fields: Any) -> OrderReport:
    """What the gateway says about the payment."""
    values: dict[str, Any] = {
        "order_number": payment.order_number,
        "reference": payment.gateway_reference,
        "amount": payment.amount,
        "currency": payment.currency,
    }
    return OrderReport(status=status, **values | fields)


def live_allocations(payment: Payment | None) -> list[tuple[int, Decimal]]:
    """Invoice and amount of what the payment settles now, in the order it was allocated."""
    rows = Allocation.objects.filter(payment=payment, undone_at__isnull=True).order_by("pk")
    return list(rows.values_list("invoice_id", "amount"))


def _balance(customer: Customer, kind: AccountKind) -> Decimal:
    scope = Scope.system(customer.provider_id)
    return balance(scope, kind=kind, currency=customer.currency, owner=str(customer.pk))
