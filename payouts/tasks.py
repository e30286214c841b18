"""Background work on commission: what earns it is found by the clock, not announced."""

from celery import shared_task

from common import clock
from common.jobs import enqueue
from common.scope import Scope
from payouts import selectors
from payouts.models import PayoutStatement
from payouts.services import accrual
from payouts.services.documents import make_statement_document
from tenancy.selectors import providers


@shared_task(name="payouts.sweep")
def sweep(**_: object) -> None:
    """Look for events and for statements without a PDF. Safe to repeat: it only sends tasks."""
    for provider in providers():
        enqueue("payouts.accrue", provider_id=provider.pk)
        unrendered = selectors.statements_to_render(Scope.system(provider.pk))
        for statement_id in unrendered.values_list("pk", flat=True):
            enqueue("payouts.render_statement", statement_id=statement_id)


@shared_task(name="payouts.accrue")
def accrue(*, provider_id: int, **_: object) -> None:
    """Safe to repeat: an event that was recorded is not considered again."""
    accrual.accrue(provider_id=provider_id, at=clock.now())


@shared_task(name="payouts.render_statement")
def render_statement(*, statement_id: int, **_: object) -> None:
    """Safe to repeat: a statement's PDF is kept once and never replaced."""
    statement = PayoutStatement.objects.get(pk=statement_id)
    make_statement_document(statement=statement, at=clock.now())
