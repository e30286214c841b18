"""A worker's part of a bill run: one batch of items, and seeing whether it was the last."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from billing.models import BillRun, BillRunItem
from billing.services.batches import do_each
from billing.services.bill_runs import finish_calculation, finish_issuing
from billing.services.estimates import estimate_items
from billing.services.issuing import issue_items


def calculate(*, run_id: int, item_ids: Sequence[int], at: datetime) -> None:
    """Calculate a batch of waiting items; the run's last batch takes it to review.

    A task that comes late finds the run in another state, or discarded, and leaves it alone.
    """
    run = BillRun.objects.filter(pk=run_id, state=BillRun.State.CALCULATING).first()
    if run is not None:
        work = partial(_estimate, run, at)
        do_each(work, run, item_ids, waiting=BillRunItem.State.WAITING, at=at)
        finish_calculation(run_id=run_id, at=at)


def issue(*, run_id: int, item_ids: Sequence[int], at: datetime) -> None:
    """Issue a batch of approved items; the run's last batch closes it."""
    run = BillRun.objects.filter(pk=run_id, state=BillRun.State.ISSUING).first()
    if run is not None:
        work = partial(_issue, run, at)
        do_each(work, run, item_ids, waiting=BillRunItem.State.APPROVED, at=at)
        finish_issuing(run_id=run_id, at=at)


def _estimate(run: BillRun, at: datetime, item_ids: Sequence[int]) -> int:
    return estimate_items(run=run, item_ids=item_ids, at=at)


def _issue(run: BillRun, at: datetime, item_ids: Sequence[int]) -> int:
    return issue_items(run=run, item_ids=item_ids, at=at)
