"""A worker's part of a bill run: one batch of items, and seeing whether it was the last."""

from collections.abc import Sequence
from datetime import datetime

from billing.models import BillRun
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
        do_each(lambda ids: estimate_items(run=run, item_ids=ids, at=at), run, item_ids)
        finish_calculation(run_id=run_id, at=at)


def issue(*, run_id: int, item_ids: Sequence[int], at: datetime) -> None:
    """Issue a batch of approved items; the run's last batch closes it."""
    run = BillRun.objects.filter(pk=run_id, state=BillRun.State.ISSUING).first()
    if run is not None:
        do_each(lambda ids: issue_items(run=run, item_ids=ids, at=at), run, item_ids)
        finish_issuing(run_id=run_id, at=at)
