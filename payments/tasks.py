"""Background work on money in. The tasks that find work run by the clock and send one per unit."""

from datetime import timedelta
from itertools import chain

from celery import shared_task

from common import clock
from common.jobs import enqueue
from common.scope import Scope
from customers.models import Customer
from payments.models import Payment, ReceiptDocument
from payments.selectors.advance import customers_with_advance_due
from payments.selectors.payments import (
    payments_without_receipt,
    pending_payments,
    receipts,
    waiting_events,
)
from payments.services import advance, asking, sandbox, webhooks
from payments.services.receipts import store_receipt
from tenancy.selectors import providers

# A message stored this long ago and not acted on has lost its task, with a worker or the broker.
LOST_AFTER = timedelta(minutes=2)
# An older receipt is rendered when somebody asks for it.
SWEPT_FOR = timedelta(days=92)


@shared_task(name="payments.process_webhook")
def process_webhook(*, event_id: int, **_: object) -> None:
    """Safe to repeat: a message is acted on once, under its lock."""
    webhooks.process_webhook(event_id=event_id, at=clock.now())


@shared_task(name="payments.sweep_webhooks")
def sweep_webhooks(**_: object) -> None:
    """Find messages whose task was lost. Safe to repeat: it only sends tasks that are."""
    before = clock.now() - LOST_AFTER
    for provider in providers():
        waiting = waiting_events(Scope.system(provider.pk), received_before=before)
        for event_id in waiting.values_list("pk", flat=True):
            enqueue("payments.process_webhook", event_id=event_id)


@shared_task(
    name="payments.deliver_sandbox_message",
    autoretry_for=(OSError,),
    retry_backoff=True,
    retry_kwargs={"max_retries": 5},
)
def deliver_sandbox_message(
    *, provider_slug: str, headers: dict[str, str], body: str, **_: object
) -> None:
    """Safe to repeat: a message is kept once. One that stays lost is asked about by the sweep."""
    sandbox.deliver_message(provider_slug=provider_slug, headers=headers, body=body)


@shared_task(name="payments.ask_gateway")
def ask_gateway(*, payment_id: int, **_: object) -> None:
    """Safe to repeat: a payment ends once, whoever says so first."""
    asking.ask_gateway(payment=Payment.objects.get(pk=payment_id), at=clock.now())


@shared_task(name="payments.ask_gateways")
def ask_gateways(**_: object) -> None:
    """Find payments pending too long. Safe to repeat: it only sends tasks that are."""
    before = clock.now() - asking.ASK_AFTER
    for provider in providers():
        pending = pending_payments(Scope.system(provider.pk), started_before=before)
        for payment_id in pending.values_list("pk", flat=True):
            enqueue("payments.ask_gateway", payment_id=payment_id)


@shared_task(name="payments.render_receipt")
def render_receipt(*, payment_id: int, **_: object) -> None:
    """Safe to repeat: a receipt that was stored stays."""
    store_receipt(payment=Payment.objects.get(pk=payment_id), at=clock.now())


@shared_task(name="payments.sweep_receipts")
def sweep_receipts(**_: object) -> None:
    """Find receipts that are still to be made. Safe to repeat: it only sends tasks that are."""
    at = clock.now()
    for provider in providers():
        scope = Scope.system(provider.pk)
        missing = payments_without_receipt(
            scope, received_from=at - SWEPT_FOR, received_before=at - LOST_AFTER
        )
        begun = receipts(scope).filter(state=ReceiptDocument.State.WAITING)
        for payment_id in chain(
            missing.values_list("pk", flat=True), begun.values_list("payment_id", flat=True)
        ):
            enqueue("payments.render_receipt", payment_id=payment_id)


@shared_task(name="payments.apply_advance")
def apply_advance(*, customer_id: int, **_: object) -> None:
    """Safe to repeat: what was spent is not there to be spent again."""
    customer = Customer.objects.get(pk=customer_id)
    advance.apply_advance_on_issue(customer=customer, at=clock.now())


@shared_task(name="payments.apply_advances")
def apply_advances(**_: object) -> None:
    """Find customers with advance and a newer invoice. Safe to repeat: it only sends tasks."""
    for provider in providers():
        customers = customers_with_advance_due(Scope.system(provider.pk))
        for customer_id in customers.values_list("pk", flat=True):
            enqueue("payments.apply_advance", customer_id=customer_id)
