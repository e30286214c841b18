"""The statement's PDF to hand out: the one that was kept, or one rendered now."""

from common.scope import Scope
from payouts.documents.statement_pdf import render_pdf
from payouts.models import PayoutStatement, StatementDocument


def statement_pdf(scope: Scope, statement: PayoutStatement) -> bytes:
    """The PDF of a statement; a draft's says that it is one. Nothing is written."""
    kept = StatementDocument.objects.visible_to(scope).filter(statement=statement).first()
    return render_pdf(statement) if kept is None else bytes(kept.content)
