"""Keeping an approved statement's PDF."""

import hashlib
from datetime import datetime

from django.db import transaction

from payouts.documents.statement_pdf import render_pdf
from payouts.models import PayoutStatement, StatementDocument


@transaction.atomic
def store_document(*, statement: PayoutStatement, at: datetime) -> StatementDocument:
    """Render an approved statement and keep it; what was kept before is returned as it is."""
    rows = PayoutStatement.objects.select_for_update(no_key=True)
    statement = rows.get(pk=statement.pk)
    assert statement.state != PayoutStatement.State.DRAFT, "a draft may still change"
    kept = StatementDocument.objects.filter(statement=statement).first()
    if kept is not None:
        return kept
    content = render_pdf(statement)
    return StatementDocument.objects.create(
        provider_id=statement.provider_id,
        statement=statement,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        rendered_at=at,
    )
