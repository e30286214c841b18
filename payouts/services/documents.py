"""The PDFs of approved statements: rendered once and kept, sent unchanged ever after."""

from datetime import datetime

from django.db import transaction

from billing.services.keeping import (
    Printed,
    keep_document,
    make_document,
    start_document_again,
)
from common.jobs import enqueue
from payouts.documents.statement_pdf import render_pdf
from payouts.models import PayoutStatement, StatementDocument


def make_statement_document(*, statement: PayoutStatement, at: datetime) -> bool:
    """Render an approved statement, and keep it; false if it is kept, or none can be made."""
    assert statement.state != PayoutStatement.State.DRAFT, "a draft may still change"
    return make_document(_of(statement), render=lambda: render_pdf(statement), at=at)


@transaction.atomic
def store_document(*, statement: PayoutStatement, at: datetime) -> bytes:
    """Have the PDF of an approved statement kept without waiting for a worker; the one kept."""
    rows = PayoutStatement.objects.select_for_update(no_key=True)
    statement = rows.get(pk=statement.pk)
    assert statement.state != PayoutStatement.State.DRAFT, "a draft may still change"
    kept = StatementDocument.objects.filter(statement=statement)
    if not kept.filter(state=StatementDocument.State.DONE).exists():
        _of(statement).expect()
        keep_document(_of(statement), content=render_pdf(statement), at=at)
    return kept.get().pdf


@transaction.atomic
def start_statement_document_again(
    *, statement: PayoutStatement, at: datetime, actor_id: int | None
) -> None:
    """Have workers make the PDF of a statement after all.

    :raises DocumentNotFailed: it was not given up, or was started again already.
    """
    start_document_again(_of(statement), at=at, actor_id=actor_id)
    enqueue("payouts.render_statement", statement_id=statement.pk)


def _of(statement: PayoutStatement) -> Printed:
    return Printed(statement, StatementDocument, "statement", "payout_statement")
