"""Ending rows of suspense, and saying anew why others wait."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from cdr.models import Suspense
from cdr.services.recording import DETAIL_CHARACTERS


def resolve(suspense_ids: Sequence[int], *, at: datetime) -> None:
    """They need not wait any longer."""
    rows = Suspense.objects.filter(pk__in=suspense_ids)
    rows.update(state=Suspense.State.RESOLVED, resolved_at=at)


def explain_waiting(waiting: pl.DataFrame) -> None:
    """Say why rows (suspense_id, reason, detail) wait now, which may differ from before."""
    for (reason, detail), rows in waiting.group_by("reason", "detail"):
        found = Suspense.objects.filter(pk__in=rows["suspense_id"].to_list())
        found.update(reason=reason, detail=str(detail)[:DETAIL_CHARACTERS])
