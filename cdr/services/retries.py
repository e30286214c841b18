"""Asking for suspense to be tried again, which a worker then does.

What is asked for is kept on the rows, so that a broker that loses its messages loses no retry.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from cdr.models import Suspense
from cdr.rules.suspense import Suspended
from cdr.services.sources import source_terms
from cdr.services.splitting import PATIENCE
from cdr.services.suspense import (
    LineStillUnreadable,
    NotUnparsable,
    Retried,
    correct_line,
    read_correction,
    retry_suspense,
)
from common.jobs import enqueue
from tenancy.owned import ProviderQuerySet


@transaction.atomic
def ask_for_retry(
    *,
    provider_id: int,
    reasons: Collection[str] | None = None,
    suspense_ids: Collection[int] | None = None,
    at: datetime,
    actor_id: int | None,
) -> int:
    """Have open suspense, or that of the given reasons and ids, rated again by a worker.

    Returns how many rows that are. Unreadable lines are not among them: they are corrected.
    """
    rows = Suspense.objects.filter(provider_id=provider_id, state=Suspense.State.OPEN)
    rows = rows.exclude(reason=Suspended.UNPARSABLE)
    if reasons is not None:
        rows = rows.filter(reason__in=list(reasons))
    if suspense_ids is not None:
        rows = rows.filter(pk__in=list(suspense_ids))
    asked = rows.update(retry_asked_at=at, retry_asked_by_id=actor_id)
    if asked:
        enqueue("cdr.retry_suspense", provider_id=provider_id)
    return asked


@transaction.atomic
def ask_for_correction(
    *, provider_id: int, suspense_id: int, raw: str, at: datetime, actor_id: int | None
) -> None:
    """Have an unreadable line rated by its corrected text, which is read at once to be sure.

    :raises NotUnparsable: the row waits for something else, or waits no longer.
    :raises LineStillUnreadable: the corrected text is refused as well; the message says why.
    """
    rows = Suspense.objects.select_for_update(of=("self",)).select_related("chunk__file")
    line = rows.get(provider_id=provider_id, pk=suspense_id)
    read_correction(line, source_terms(line.chunk.file.source_id), raw, at)
    line.correction, line.retry_asked_at, line.retry_asked_by_id = raw, at, actor_id
    line.save(update_fields=["correction", "retry_asked_at", "retry_asked_by"])
    enqueue("cdr.retry_suspense", provider_id=provider_id)


def retry_asked(*, provider_id: int, at: datetime) -> Retried:
    """Try all that was asked for, chunk by chunk; each row is tried once for each time of asking.

    Not in a transaction of its own: whoever is stopped in between leaves the rest asked for.
    """
    resolved = waiting = 0
    asked = _asked(provider_id)
    for suspense_id, raw, actor_id in list(
        asked.filter(reason=Suspended.UNPARSABLE)
        .order_by("pk")
        .values_list("pk", "correction", "retry_asked_by_id")
    ):
        is_correct = _try_correction(provider_id, suspense_id, raw, at, actor_id)
        resolved, waiting = resolved + is_correct, waiting + (not is_correct)
    batches = asked.order_by("chunk_id", "retry_asked_by_id").distinct()
    for chunk_id, actor_id in list(batches.values_list("chunk_id", "retry_asked_by_id")):
        ids = asked.filter(chunk_id=chunk_id, retry_asked_by_id=actor_id)
        suspense_ids = list(ids.values_list("pk", flat=True))
        retried = retry_suspense(
            provider_id=provider_id, at=at, actor_id=actor_id, suspense_ids=suspense_ids
        )
        _forget(suspense_ids)
        resolved += retried.resolved_count
        waiting += retried.open_count
    return Retried(resolved, waiting)


def requeue_lost_retries(*, at: datetime) -> int:
    """Queue again the retries that were asked for longer ago than PATIENCE; returns of how many
    providers. A message too many does no harm: it finds nothing left to try.
    """
    lost = Suspense.objects.filter(retry_asked_at__lte=at - PATIENCE)
    provider_ids = lost.order_by("provider_id").values_list("provider_id", flat=True).distinct()
    for provider_id in provider_ids:
        enqueue("cdr.retry_suspense", provider_id=provider_id)
    return len(provider_ids)


def _asked(provider_id: int) -> ProviderQuerySet[Suspense]:
    return Suspense.objects.filter(provider_id=provider_id, retry_asked_at__isnull=False)


def _try_correction(
    provider_id: int, suspense_id: int, raw: str, at: datetime, actor_id: int | None
) -> bool:
    try:
        correct_line(
            provider_id=provider_id, suspense_id=suspense_id, raw=raw, at=at, actor_id=actor_id
        )
        is_correct = True
    except (LineStillUnreadable, NotUnparsable):
        is_correct = False
    _forget([suspense_id])
    return is_correct


def _forget(suspense_ids: list[int]) -> None:
    Suspense.objects.filter(pk__in=suspense_ids).update(retry_asked_at=None, retry_asked_by_id=None)
