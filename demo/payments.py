"""The demo's customers pay: an invoice and in bulk by card, and offline by what staff record."""

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from billing.models import CreditNote, Invoice
from billing.services.credit_notes import credit_amount
from common import clock
from common.errors import DomainError
from common.money import round_money
from customers.models import Customer
from demo.plans import ProviderPlan
from payments.models import Payment
from payments.services.checkouts import StartedPayment, start_bulk_payment, start_invoice_payment
from payments.services.customer_money import day_of
from payments.services.offline import record_offline_payment
from payments.services.reversal import reverse_payment
from payments.services.sandbox import Card, pay_with_card
from tenancy.models import Provider

GATEWAY = "sandbox"
BULK_AMOUNT = Decimal(300)
CREDITED_AMOUNT = Decimal(20)
_PATIENCE = timedelta(seconds=60)
_POLL_SECONDS = 0.1


class PaymentStuck(DomainError):
    """A payment by card was not decided in time."""


@dataclass(frozen=True)
class OfflinePlan:
    """What a customer pays offline: a share of its invoice, and whether it bounces."""

    mode: Payment.Mode
    share: Decimal
    bounces: bool = False


def offline_plan(number: int) -> OfflinePlan | None:
    """How the customer of that number pays offline; None for the others."""
    if number % 40 == 7:
        return OfflinePlan(Payment.Mode.CHEQUE, Decimal(1), bounces=True)
    if number % 5 == 2:
        return OfflinePlan(Payment.Mode.BANK_TRANSFER, Decimal(1))
    if number % 20 == 9:
        return OfflinePlan(Payment.Mode.CASH, Decimal("0.5"))
    return None


def pay_in_three_ways(
    plan: ProviderPlan, provider: Provider, *, by_card: Customer, in_bulk: Customer, url: str
) -> None:
    """Pay one invoice by card, another and some advance in bulk, and the rest offline.

    Each payment is made once: those that an earlier start made are found and left alone.
    """
    for customer in Customer.objects.filter(provider=provider).order_by("number"):
        invoice = _invoice_of(customer)
        if invoice is None:
            continue
        if customer == by_card:
            _pay_by_card(_start(invoice=invoice, url=url), plan, Card.DUPLICATE, url)
        elif customer == in_bulk:
            _pay_by_card(_start_bulk(invoice=invoice, url=url), plan, Card.SUCCESS, url)
        else:
            _pay_offline(invoice)


def issue_credit_note(customer: Customer) -> None:
    """Give a customer back part of what it paid, once."""
    invoice = _invoice_of(customer)
    assert invoice is not None, "this customer's traffic makes an invoice"
    if not CreditNote.objects.filter(invoice=invoice).exists():
        credit_amount(
            invoice_id=invoice.pk,
            gross_amount=CREDITED_AMOUNT,
            reason="Calls cut off on 14 October",
            at=clock.now(),
            actor_id=None,
        )


def _invoice_of(customer: Customer) -> Invoice | None:
    return Invoice.objects.filter(customer=customer).exclude(number=None).order_by("pk").first()


def _start(*, invoice: Invoice, url: str) -> StartedPayment | None:
    if _has_paid(invoice.customer, Payment.Way.INVOICE):
        return None
    return start_invoice_payment(
        invoice=invoice, gateway=GATEWAY, return_url=url, at=clock.now(), actor_id=None
    )


def _start_bulk(*, invoice: Invoice, url: str) -> StartedPayment | None:
    assert invoice.customer is not None
    if _has_paid(invoice.customer, Payment.Way.BULK):
        return None
    return start_bulk_payment(
        customer=invoice.customer,
        amount=BULK_AMOUNT,
        distribution={invoice.pk: invoice.due_amount},
        gateway=GATEWAY,
        return_url=url,
        at=clock.now(),
        actor_id=None,
    )


def _has_paid(customer: Customer | None, way: Payment.Way) -> bool:
    """Whether it paid so before; one that was interrupted half-way is given up and made again."""
    rows = Payment.objects.filter(customer=customer, way=way)
    return rows.filter(state=Payment.State.SUCCEEDED).exists()


def _pay_by_card(started: StartedPayment | None, plan: ProviderPlan, card: Card, url: str) -> None:
    """Use the card on the gateway's side and carry its messages to the running web server."""
    if started is None:
        return
    payment = started.payment
    deliveries = pay_with_card(
        provider_id=payment.provider_id,
        reference=payment.gateway_reference,
        card=card,
        at=clock.now(),
    )
    for delivery in deliveries:
        _post(f"{url}/webhooks/{GATEWAY}/{plan.slug}/", delivery.headers, delivery.body)
    _await_success(payment, until=clock.now() + _PATIENCE)


def _post(url: str, headers: dict[str, str], body: bytes) -> None:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310
    try:
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        raise PaymentStuck(f"The web server answered a webhook at {url} with {error}.") from error


def _await_success(payment: Payment, *, until: datetime) -> None:
    while payment.state == Payment.State.PENDING and clock.now() < until:
        time.sleep(_POLL_SECONDS)
        payment.refresh_from_db()
    if payment.state != Payment.State.SUCCEEDED:
        raise PaymentStuck(f"Payment {payment.order_number} is {payment.state}; see var/log.")


def _pay_offline(invoice: Invoice) -> None:
    customer = invoice.customer
    assert customer is not None, "the demo's invoices found here are customers'"
    plan = offline_plan(customer.number)
    reference = f"DEMO-{invoice.number}"
    if plan is None or Payment.objects.filter(customer=customer, reference=reference).exists():
        return
    now = clock.now()
    today = day_of(customer.provider, now)
    payment = record_offline_payment(
        customer=customer,
        amount=round_money(invoice.gross_amount * plan.share, invoice.currency),
        currency=invoice.currency,
        mode=plan.mode,
        reference=reference,
        posting_date=today,
        transaction_date=today,
        at=now,
        actor_id=None,
    )
    if plan.bounces:
        reverse_payment(payment=payment, reason="Cheque returned unpaid", at=now, actor_id=None)
