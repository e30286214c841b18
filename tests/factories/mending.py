"""Suspense that is dealt with as a worker would, at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cdr.models import Mending, Suspense
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.services.mending import NothingChosen, ask_for_mending, work_on_mending
from tenancy.models import Provider
from tests.factories.cdr import IMPORT_AT

MENDED_AT = IMPORT_AT + timedelta(hours=1)
SET_CARLA = Change(ChangeKind.SET, "account_code", "", "carla")


@dataclass(frozen=True)
class Result:
    """How many rows were freed, and how many wait on."""

    freed: int
    waiting: int


def mend(
    provider: Provider,
    kind: Mending.Kind = Mending.Kind.RETRY,
    *,
    change: Change | None = None,
    note: str = "",
    at: datetime = MENDED_AT,
    actor_id: int | None = None,
    **choice: Any,
) -> Mending:
    """Ask for it and do it."""
    asked = ask_for_mending(
        provider_id=provider.pk,
        kind=kind,
        choice=Choice(**choice),
        change=change,
        note=note,
        at=at,
        actor_id=actor_id,
    )
    return worked_on(asked, at)


def worked_on(mending: Mending, at: datetime = MENDED_AT) -> Mending:
    """What a worker makes of it."""
    work_on_mending(mending_id=mending.pk, clock=lambda: at)
    mending.refresh_from_db()
    return mending


def try_again(provider: Provider, at: datetime = MENDED_AT, **choice: Any) -> Result:
    """What trying again comes to; nothing where nothing waits."""
    try:
        mending = mend(provider, at=at, **choice)
    except NothingChosen:
        return Result(0, 0)
    return Result(mending.freed_count, mending.waiting_count)


def counts(mending: Mending) -> tuple[int, Mapping[str, int], int]:
    """Freed, waiting by reason, left."""
    return mending.freed_count, mending.waiting_counts, mending.left_count


def states() -> list[str]:
    """Of all suspense, in the order of the lines."""
    return list(Suspense.objects.order_by("line_number", "pk").values_list("state", flat=True))
