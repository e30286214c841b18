"""Sweeps over subscriptions."""

from celery import shared_task

from common import clock
from subscriptions.services.ending import end_due_subscriptions


@shared_task(name="subscriptions.end_due_subscriptions")
def end_due(**_: object) -> int:
    """Mark subscriptions as ended. Safe to repeat: one that is marked is not found again."""
    return end_due_subscriptions(at=clock.now())
