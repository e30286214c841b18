"""E-mailing rate notices, each with its file."""

from datetime import datetime
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from common.table_files import file_pieces
from customers.models import RateNotification


@transaction.atomic
def send_rate_notification(*, notification_id: int, at: datetime) -> bool:
    """Send a queued notification; whether it was sent. What was sent or has failed is left alone.

    Its row is locked meanwhile, so that two workers never send it both. A worker that dies between
    the server's answer and the commit sends it a second time: mail knows no other certainty.
    """
    rows = RateNotification.objects.select_related(
        "customer", "reseller", "provider", "rate_table__product", "file__notice"
    ).defer("file__notice__snapshot")
    notification = rows.select_for_update(no_key=True, of=("self",)).get(pk=notification_id)
    if notification.state != RateNotification.State.QUEUED:
        return False
    try:
        _message(notification).send()
    except (OSError, SMTPException) as failure:
        notification.mark_failed(f"{type(failure).__name__}: {failure}")
    else:
        notification.mark_sent(at)
    notification.save(update_fields=["state", "sent_at", "error"])
    return notification.state == RateNotification.State.SENT


@transaction.atomic
def give_up_rate_notification(*, notification_id: int) -> None:
    """Fail an e-mail that could never be written or handed over; the next notice tells it all."""
    rows = RateNotification.objects.select_for_update(no_key=True)
    notification = rows.get(pk=notification_id)
    if notification.state != RateNotification.State.QUEUED:
        return
    notification.mark_failed(f"It was tried five times. {notification.try_error}")
    notification.save(update_fields=["state", "error"])


def _message(notification: RateNotification) -> EmailMessage:
    file, table = notification.file, notification.rate_table
    provider = notification.provider
    message = EmailMessage(
        subject=f"Rates of {table.product} from {provider.name}",
        body=render_to_string(
            "documents/rate_notification_email.txt",
            {
                "recipient": notification.customer or notification.reseller,
                "is_first": notification.since_id is None,
                "changes": sorted(file.changes.items()),
                "table": table,
                "provider": provider,
            },
        ),
        to=notification.addresses,
    )
    content = b"".join(file_pieces(file.notice.format, bytes(file.content)))
    message.attach(file.name, content, _TYPES[file.notice.format])
    return message


_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
