"""Background work on commission: what earns it is found by the clock, not announced."""

from celery import shared_task

from common import clock
from common.jobs import enqueue
from payouts.services import accrual
from tenancy.selectors import providers


@shared_task(name="payouts.sweep")
def sweep(**_: object) -> None:
    """Look for events of every provider. Safe to repeat: it only sends tasks that are."""
    for provider in providers():
        enqueue("payouts.accrue", provider_id=provider.pk)


@shared_task(name="payouts.accrue")
def accrue(*, provider_id: int, **_: object) -> None:
    """Safe to repeat: an event that was recorded is not considered again."""
    accrual.accrue(provider_id=provider_id, at=clock.now())
