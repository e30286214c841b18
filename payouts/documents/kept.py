"""The statement's PDF to hand out: the one that was kept, or one rendered now."""

from billing.documents.kept import kept_pdf
from common.scope import Scope
from payouts.documents.statement_pdf import render_pdf
from payouts.models import PayoutStatement, StatementDocument


def statement_pdf(scope: Scope, statement: PayoutStatement) -> bytes:
    """The PDF of a statement; a draft's says that it is one. Nothing is written.

    :raises DocumentNotMade: it cannot be made.
    """
    kept = StatementDocument.objects.visible_to(scope).filter(statement=statement).first()
    return kept_pdf(kept, lambda: render_pdf(statement))
