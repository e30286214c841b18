"""Taking estimates back before they are issued: their charges stay unbilled."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from audit.services import record_owned
from billing.models import BillRun, BillRunItem, Invoice
from billing.services.estimates import drop_invoices
from common.errors import DomainError

_AT_REST = (
    BillRun.State.DRAFT,
    BillRun.State.REVIEW,
    BillRun.State.APPROVED,
    BillRun.State.FAILED,
)
_OPEN = (BillRunItem.State.ESTIMATED, BillRunItem.State.APPROVED)


class BillRunAtWork(DomainError):
    """Workers are calculating or issuing; or nothing is left to discard."""


class BillRunIssuedInPart(DomainError):
    """Some invoices of the run were issued; it stays as their record."""


class NothingToDiscard(DomainError):
    """None of the chosen estimates is open any more."""


@transaction.atomic
def discard_estimates(
    *, run_id: int, item_ids: Collection[int], at: datetime, actor_id: int | None
) -> BillRun:
    """Drop the estimates of chosen items; calculating the run again does not bring them back.

    :raises BillRunAtWork: while workers are busy with the run, and once it is issued.
    :raises NothingToDiscard: if none of the items has an open estimate.
    """
    run = _lock(run_id)
    chosen = run.items.filter(pk__in=item_ids, state__in=_OPEN)
    ids = list(chosen.order_by("pk").values_list("pk", flat=True))
    if not ids:
        raise NothingToDiscard("None of these estimates is open any more.")
    dropped = _drop(Invoice.objects.filter(bill_run_item__in=ids))
    run.items.filter(pk__in=ids).update(state=BillRunItem.State.DISCARDED, error="")
    if run.state == BillRun.State.APPROVED and not _has_approved(run):
        run.state = BillRun.State.REVIEW
        run.save(update_fields=["state"])
    after = {"estimates": dropped, "payers": len(ids)}
    record_owned(run, "bill_run.estimates_discarded", at=at, actor_id=actor_id, after=after)
    return run


@transaction.atomic
def discard_bill_run(*, run_id: int, at: datetime, actor_id: int | None) -> None:
    """Drop the run with all its estimates, as if it had never been made.

    :raises BillRunAtWork: while workers are busy with the run, and once it is issued.
    :raises BillRunIssuedInPart: if some of its invoices were issued.
    """
    run = _lock(run_id)
    if run.items.filter(state=BillRunItem.State.ISSUED).exists():
        raise BillRunIssuedInPart(
            "Some of its invoices are issued. Discard the estimates that are left instead."
        )
    dropped = _drop(Invoice.objects.filter(bill_run_item__run=run))
    after = {"period_from": run.period_from, "period_to": run.period_to, "estimates": dropped}
    record_owned(run, "bill_run.discarded", at=at, actor_id=actor_id, after=after)
    run.items.all().delete()
    run.delete()


def _lock(run_id: int) -> BillRun:
    run = BillRun.objects.select_for_update().get(pk=run_id)
    if run.state not in _AT_REST:
        raise BillRunAtWork(f"The run is {run.state.lower()}; nothing of it can be discarded.")
    return run


def _has_approved(run: BillRun) -> bool:
    return run.items.filter(state=BillRunItem.State.APPROVED).exists()


def _drop(estimates: QuerySet[Invoice]) -> int:
    ids = list(estimates.order_by("pk").values_list("pk", flat=True))
    drop_invoices(ids)
    return len(ids)
