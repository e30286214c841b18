"""Background work of billing; each task can be repeated, as it looks before it acts."""

from collections.abc import Sequence

from celery import shared_task

from billing.models import InvoiceEmail
from billing.services import bill_run_work, documents, emailing
from billing.services.bill_runs import queue_open_runs
from common import clock
from common.tries import tried


@shared_task(name="billing.calculate_items")
def calculate_items(*, run_id: int, item_ids: Sequence[int], **_: object) -> None:
    """Calculate a batch of payers. Safe to repeat: only waiting items are calculated."""
    bill_run_work.calculate(run_id=run_id, item_ids=item_ids, at=clock.now())


@shared_task(name="billing.issue_items")
def issue_items(*, run_id: int, item_ids: Sequence[int], **_: object) -> None:
    """Issue a batch of estimates. Safe to repeat: an issued item is not issued again."""
    bill_run_work.issue(run_id=run_id, item_ids=item_ids, at=clock.now())


@shared_task(name="billing.render_documents")
def render_documents(*, invoice_ids: Sequence[int], **_: object) -> int:
    """Render and store PDFs. Safe to repeat: an invoice with a document keeps it."""
    return documents.render_invoices(invoice_ids=invoice_ids, at=clock.now())


@shared_task(name="billing.render_credit_note")
def render_credit_note(*, provider_id: int, credit_note_id: int, **_: object) -> bool:
    """Render and store a credit note's PDF. Safe to repeat: the first one stays."""
    return documents.store_credit_note_document(
        provider_id=provider_id, credit_note_id=credit_note_id, at=clock.now()
    )


@shared_task(name="billing.sweep_runs")
def sweep_runs(**_: object) -> int:
    """Queue what open runs have left. Safe to repeat: what is queued twice is done once."""
    return queue_open_runs(at=clock.now())


@shared_task(name="billing.sweep_documents")
def sweep_documents(**_: object) -> int:
    """Queue documents that were never rendered. Safe to repeat, as their rendering is."""
    return documents.queue_missing(at=clock.now())


@shared_task(name="billing.send_invoice_email")
def send_invoice_email(*, email_id: int, **_: object) -> bool | None:
    """Send an invoice by e-mail. Safe to repeat: what was sent is not sent again."""
    return tried(
        InvoiceEmail.objects.filter(pk=email_id, state=InvoiceEmail.State.QUEUED),
        clock=clock.now,
        work=lambda: emailing.send_invoice_email(email_id=email_id, at=clock.now()),
        give_up=lambda _: emailing.give_up_invoice_email(email_id=email_id),
    )


@shared_task(name="billing.sweep_emails")
def sweep_emails(**_: object) -> int:
    """Queue e-mails whose task was lost. Safe to repeat, as their sending is."""
    return emailing.queue_unsent(at=clock.now())
