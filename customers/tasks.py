"""Background work of customers; each task can be repeated, as it looks before it acts."""

from celery import shared_task

from catalogue.models import RateNotice
from common import clock
from common.tries import tried
from customers.models import RateNotification
from customers.services import rate_emails, rate_notices


@shared_task(name="customers.prepare_rate_notice")
def prepare_rate_notice(*, notice_id: int, **_: object) -> int | None:
    """Find out who is to be told what of rates. Safe to repeat: what is prepared stays."""
    at = clock.now()
    return tried(
        RateNotice.objects.filter(pk=notice_id, state=RateNotice.State.PREPARING),
        clock=clock.now,
        work=lambda: rate_notices.prepare_rate_notice(notice_id=notice_id, at=at),
        give_up=lambda _: rate_notices.give_up_rate_notice(notice_id=notice_id, at=at),
    )


@shared_task(name="customers.send_rate_notification")
def send_rate_notification(*, notification_id: int, **_: object) -> bool | None:
    """Send a rate notice by e-mail. Safe to repeat: what was sent is not sent again."""
    queued = RateNotification.State.QUEUED
    return tried(
        RateNotification.objects.filter(pk=notification_id, state=queued),
        clock=clock.now,
        work=lambda: rate_emails.send_rate_notification(
            notification_id=notification_id, at=clock.now()
        ),
        give_up=lambda _: rate_emails.give_up_rate_notification(notification_id=notification_id),
    )


@shared_task(name="customers.sweep_rate_notices")
def sweep_rate_notices(**_: object) -> int:
    """Queue notices and e-mails whose task was lost. Safe to repeat, as they are."""
    return rate_notices.queue_unfinished(at=clock.now())
