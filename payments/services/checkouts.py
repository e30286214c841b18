"""Paying online: the payment is recorded as pending, then the payer is sent to a gateway."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from audit.services import record
from billing.models import Invoice
from customers.models import Customer
from payments.gateways.protocol import Gateway, Order
from payments.gateways.registry import GatewayUnknown, gateway_named, gateways_on
from payments.models import Payment
from payments.rules.distribution import InvoiceNotPayable
from payments.selectors.advance import OPEN_STATES
from payments.services.customer_money import day_of, lock_money
from payments.services.planning import plan_payment

__all__ = [
    "GatewayUnknown",
    "StartedPayment",
    "gateways_on",
    "start_bulk_payment",
    "start_invoice_payment",
]


@dataclass(frozen=True)
class StartedPayment:
    """A pending payment, and where its payer goes next."""

    payment: Payment
    checkout_url: str


def start_invoice_payment(
    *, invoice: Invoice, gateway: str, return_url: str, at: datetime, actor_id: int | None
) -> StartedPayment:
    """Pay one invoice: the amount is what is due on it.

    :raises GatewayUnknown: the gateway is not switched on.
    :raises InvoiceNotPayable: it is no customer's invoice, or nothing is due on it.
    """
    adapter = gateway_named(gateway)
    with transaction.atomic():
        customer = invoice.customer
        if customer is None:
            raise InvoiceNotPayable(f"Invoice {invoice} is not a customer's.")
        lock_money(customer.pk)
        invoice.refresh_from_db()
        if invoice.state not in OPEN_STATES or invoice.currency != customer.currency:
            raise InvoiceNotPayable(f"Nothing is due on invoice {invoice}.")
        payment = plan_payment(
            customer=customer,
            way=Payment.Way.INVOICE,
            mode=Payment.Mode.GATEWAY,
            gateway=gateway,
            amount=invoice.due_amount,
            distribution={invoice.pk: invoice.due_amount},
            transaction_date=day_of(invoice.provider, at),
            at=at,
            actor_id=actor_id,
        )
        _record_start(payment, at, actor_id)
    return _open_checkout(adapter, payment, return_url, at)


def start_bulk_payment(
    *,
    customer: Customer,
    amount: Decimal,
    distribution: Mapping[int, Decimal] | None = None,
    gateway: str,
    return_url: str,
    at: datetime,
    actor_id: int | None,
) -> StartedPayment:
    """Pay any amount, spread over open invoices by id as the payer likes, the rest in advance.

    Without a `distribution` the open invoices are filled oldest first.

    :raises GatewayUnknown: the gateway is not switched on.
    :raises AmountNotPayable: `amount` or a share is no positive amount of the currency.
    :raises InvoiceNotPayable: the distribution names an invoice with nothing to pay.
    :raises DistributionTooHigh: a share exceeds its due, or the shares exceed `amount`.
    """
    adapter = gateway_named(gateway)
    with transaction.atomic():
        lock_money(customer.pk)
        payment = plan_payment(
            customer=customer,
            way=Payment.Way.BULK,
            mode=Payment.Mode.GATEWAY,
            gateway=gateway,
            amount=amount,
            distribution=distribution,
            transaction_date=day_of(customer.provider, at),
            at=at,
            actor_id=actor_id,
        )
        _record_start(payment, at, actor_id)
    return _open_checkout(adapter, payment, return_url, at)


def _record_start(payment: Payment, at: datetime, actor_id: int | None) -> None:
    record(
        provider_id=payment.provider_id,
        action="payment.started",
        changed=payment,
        at=at,
        actor_id=actor_id,
        after={
            "order_number": payment.order_number,
            "amount": payment.amount,
            "currency": payment.currency,
            "gateway": payment.gateway,
        },
    )


def _open_checkout(
    adapter: Gateway, payment: Payment, return_url: str, at: datetime
) -> StartedPayment:
    # After the payment is committed: money can only come in for what is on record, and no lock
    # waits for another company. Where this fails the payment expires like any that is not paid.
    checkout = adapter.create_checkout(
        Order(
            provider_id=payment.provider_id,
            provider_slug=payment.provider.slug,
            order_number=payment.order_number,
            amount=payment.amount,
            currency=payment.currency,
            return_url=return_url,
        ),
        at=at,
    )
    payment.gateway_reference = checkout.reference
    payment.save(update_fields=["gateway_reference"])
    return StartedPayment(payment=payment, checkout_url=checkout.url)
