"""Doing a set of items together, and one by one where that fails."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from billing.models import BillRun, BillRunItem
from common.locks import held_by_nobody_else
from common.tries import close_if_lost, lock_name, told, tried

log = logging.getLogger(__name__)

# Measured with benchmarks/bill_run.py: larger sets gain little and hold the number series longer.
BATCH_ITEMS = 50

Work = Callable[[Sequence[int]], object]
_TROUBLES = (OperationalError, InterfaceError)
"""What may be the database's fault, and no item's."""


def do_each(
    work: Work,
    run: BillRun,
    item_ids: Sequence[int],
    *,
    waiting: BillRunItem.State,
    at: datetime,
) -> None:
    """Call `work` (a transaction) for all items at once or, if that fails, for each alone.

    Only for those `waiting`, and not at work elsewhere. An item that fails alone is marked with its
    error and stops nobody else. Losing the database is no item's fault: that is raised at the end,
    the items stay as they were, and the sweep finds them; but an item with which it happens five
    times, alone, fails too, and so does one of which workers die.
    """
    lost: Exception | None = None
    for item_id in _do_together(work, run, item_ids, waiting, at):
        try:
            tried(
                BillRunItem.objects.filter(run=run, pk=item_id, state=waiting),
                clock=lambda: at,
                work=partial(_do_alone, work, run, item_id),
                give_up=partial(_give_up, run, item_id),
            )
        except _TROUBLES as error:
            lost = error
    if lost is not None:
        raise lost


def _do_together(
    work: Work, run: BillRun, item_ids: Sequence[int], waiting: BillRunItem.State, at: datetime
) -> list[int]:
    """Do the items that nothing has happened to so far; gives those to be done alone."""
    with held_by_nobody_else(lock_name(BillRunItem), item_ids) as held:
        rows = BillRunItem.objects.filter(run=run, pk__in=held, state=waiting).order_by("pk")
        is_marked = Q(try_count__gt=0) | Q(try_began_at__isnull=False)
        alone = list(rows.filter(is_marked).values_list("pk", flat=True))
        together = list(rows.exclude(is_marked).values_list("pk", flat=True))
        if len(together) < 2:
            return [*together, *alone]
        begun = BillRunItem.objects.filter(pk__in=together)
        # A mark that is found later with a free lock tells that the worker died of one of them.
        begun.update(try_began_at=at)
        try:
            work(together)
        except Exception:
            log.exception("%s items of bill run %s are done one by one", len(together), run.pk)
            close_if_lost()
            begun.update(try_began_at=None)
            return sorted([*together, *alone])
        begun.filter(try_began_at__isnull=False).update(try_began_at=None)
        return alone


def _do_alone(work: Work, run: BillRun, item_id: int) -> None:
    try:
        work([item_id])
    except _TROUBLES:
        raise
    except Exception as error:
        log.exception("item %s of bill run %s failed", item_id, run.pk)
        _mark_failed(run, item_id, told(error))


def _give_up(run: BillRun, item_id: int, said: str) -> None:
    error = BillRunItem.objects.values_list("try_error", flat=True).get(pk=item_id)
    _mark_failed(run, item_id, f"It was tried five times. {error}" if error else said)


@transaction.atomic
def _mark_failed(run: BillRun, item_id: int, text: str) -> None:
    open_states = [BillRunItem.State.WAITING, BillRunItem.State.APPROVED]
    rows = BillRunItem.objects.filter(run=run, pk=item_id, state__in=open_states)
    rows.update(state=BillRunItem.State.FAILED, error=text)
