"""Doing a set of items together, and one by one where that fails."""

import logging
from collections.abc import Callable, Sequence

from django.db import InterfaceError, OperationalError, transaction

from billing.models import BillRun, BillRunItem
from common.errors import DomainError

log = logging.getLogger(__name__)

# Measured with benchmarks/bill_run.py: larger sets gain little and hold the number series longer.
BATCH_ITEMS = 50


def do_each(work: Callable[[Sequence[int]], object], run: BillRun, item_ids: Sequence[int]) -> None:
    """Call `work` (a transaction) for all items at once or, if that fails, for each alone.

    An item that fails alone is marked with its error and stops nobody else. Losing the database
    is no item's fault: that is raised, the items stay as they were, and the sweep finds them.
    """
    try:
        work(item_ids)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(item_ids) == 1:
            _mark_failed(run, item_ids[0], error)
            return
        for item_id in item_ids:
            do_each(work, run, [item_id])


@transaction.atomic
def _mark_failed(run: BillRun, item_id: int, error: Exception) -> None:
    log.exception("item %s of bill run %s failed", item_id, run.pk)
    text = str(error) if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    open_states = [BillRunItem.State.WAITING, BillRunItem.State.APPROVED]
    rows = BillRunItem.objects.filter(run=run, pk=item_id, state__in=open_states)
    rows.update(state=BillRunItem.State.FAILED, error=text)
