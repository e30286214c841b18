"""E-mailing an issued invoice to its customer, with the PDF attached."""

from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from audit.services import record
from billing.documents.kept import invoice_pdf
from billing.models import Invoice, InvoiceEmail
from billing.services.documents import store_invoice_document
from common.errors import DomainError
from common.jobs import enqueue
from common.money import format_money
from common.scope import Scope

# Younger ones are left to the task that was queued with them.
_QUEUED_FOR = timedelta(minutes=5)
_SWEPT_AT_ONCE = 1000


class NoMailServer(DomainError):
    """The installation sends no mail."""


class InvoiceNotMailed(DomainError):
    """Only a customer's issued invoice is e-mailed."""


@transaction.atomic
def request_invoice_email(
    *, invoice: Invoice, recipient: str, at: datetime, actor_id: int | None
) -> InvoiceEmail:
    """Have a worker send the invoice's PDF to `recipient`.

    :raises NoMailServer: if the installation has none.
    :raises InvoiceNotMailed: for an estimate, and for a settlement invoice.
    """
    if not settings.EMAIL_URL:
        raise NoMailServer("No mail server is set up (EMAIL_URL); download the PDF and send that.")
    if invoice.kind != Invoice.Kind.CUSTOMER or invoice.state == Invoice.State.ESTIMATE:
        raise InvoiceNotMailed(f"{invoice} is not a customer's issued invoice.")
    email = InvoiceEmail.objects.create(
        provider_id=invoice.provider_id,
        invoice=invoice,
        recipient=recipient,
        requested_at=at,
        requested_by_id=actor_id,
    )
    record(
        provider_id=invoice.provider_id,
        action="invoice.email_requested",
        changed=invoice,
        at=at,
        actor_id=actor_id,
        after={"recipient": recipient},
    )
    enqueue("billing.send_invoice_email", email_id=email.pk)
    return email


@transaction.atomic
def send_invoice_email(*, email_id: int, at: datetime) -> bool:
    """Send a queued e-mail; whether it was sent. What was sent or has failed is left alone.

    Its row is locked meanwhile, so that two workers never send it both. A worker that dies between
    the server's answer and the commit sends it a second time: mail knows no other certainty.
    """
    rows = InvoiceEmail.objects.select_related("invoice").order_by("pk")
    email = rows.select_for_update(no_key=True, of=("self",)).get(pk=email_id)
    if email.state != InvoiceEmail.State.QUEUED:
        return False
    try:
        _message(email, at).send()
    except (OSError, SMTPException) as failure:
        email.mark_failed(f"{type(failure).__name__}: {failure}")
    else:
        email.mark_sent(at)
    email.save(update_fields=["state", "sent_at", "error"])
    return email.state == InvoiceEmail.State.SENT


@transaction.atomic
def give_up_invoice_email(*, email_id: int) -> None:
    """Fail an e-mail that could never be written or handed over; somebody can ask for another."""
    email = InvoiceEmail.objects.select_for_update(no_key=True).get(pk=email_id)
    if email.state != InvoiceEmail.State.QUEUED:
        return
    email.mark_failed(f"It was tried five times. {email.try_error}")
    email.save(update_fields=["state", "error"])


def queue_unsent(*, at: datetime) -> int:
    """Queue e-mails whose task was lost, the oldest first; how many."""
    waiting = InvoiceEmail.objects.filter(
        state=InvoiceEmail.State.QUEUED, requested_at__lt=at - _QUEUED_FOR
    )
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:_SWEPT_AT_ONCE])
    for email_id in ids:
        enqueue("billing.send_invoice_email", email_id=email_id)
    return len(ids)


def _message(email: InvoiceEmail, at: datetime) -> EmailMessage:
    invoice = email.invoice
    store_invoice_document(provider_id=invoice.provider_id, invoice_id=invoice.pk, at=at)
    seller = invoice.seller
    message = EmailMessage(
        subject=f"Invoice {invoice} from {seller['name']}",
        body=render_to_string(
            "documents/invoice_email.txt",
            {
                "invoice": invoice,
                "amount": format_money(invoice.gross_amount, invoice.currency),
            },
        ),
        to=[email.recipient],
        reply_to=[seller["email"]] if seller.get("email") else None,
    )
    content = invoice_pdf(Scope.system(invoice.provider_id), invoice.pk)
    message.attach(f"{invoice}.pdf", content, "application/pdf")
    return message
