"""The lock under which a customer's money moves, and what it shows.

Lock order, everywhere in this package: a gateway's message, the customer's money, the payment,
invoices by ascending id, ledger accounts, the number series.
"""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.models import Invoice
from billing.selectors.invoices import open_invoices
from common.locks import lock_in_transaction
from common.scope import Scope
from customers.models import Customer
from payments.models import Payment
from payments.selectors.advance import OPEN_STATES
from tenancy.models import Provider


def lock_money(customer_id: int) -> None:
    """Let nobody else pay, allocate or reverse for this customer until the transaction ends."""
    lock_in_transaction("customer_money", customer_id)


def lock_payment(payment_id: int) -> Payment:
    """The payment as it is now, locked together with its customer's money.

    :raises Payment.DoesNotExist: there is none.
    """
    customer_id = Payment.objects.values_list("customer_id", flat=True).get(pk=payment_id)
    lock_money(customer_id)
    rows = Payment.objects.select_related("customer").select_for_update(of=["self"], no_key=True)
    return rows.get(pk=payment_id)


def lock_open_invoices(customer: Customer) -> list[Invoice]:
    """What the customer has to pay in its currency, oldest first; its dues now stay as they are."""
    scope = Scope.system(customer.provider_id)
    rows = open_invoices(scope, customer.pk, customer.currency)
    locked = rows.order_by("pk").select_for_update(no_key=True)
    # A row that was waited for is as the other transaction left it, perhaps paid.
    still_open = [invoice for invoice in locked if invoice.state in OPEN_STATES]
    return sorted(still_open, key=lambda invoice: (invoice.due_date or date.max, invoice.pk))


def dues_by_invoice(invoices: list[Invoice]) -> dict[int, Decimal]:
    """What is left to pay on each, by invoice id, in the same order."""
    return {invoice.pk: invoice.due_amount for invoice in invoices}


def day_of(provider: Provider, at: datetime) -> date:
    """The date of `at` in the provider's zone, by which books are kept."""
    return at.astimezone(ZoneInfo(provider.time_zone)).date()
