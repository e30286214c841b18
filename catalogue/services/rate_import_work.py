"""What a worker does with an import, by its state; and imports whose worker was lost."""

from datetime import datetime, timedelta

from django.db import transaction

from catalogue.models import RateImport
from catalogue.services.rate_comparing import compare_rate_import
from catalogue.services.rate_writing import confirm_stashed, discard_stashed, write_rate_import
from common.jobs import enqueue

State = RateImport.State
PATIENCE = timedelta(minutes=2)
"""How long an import may wait without a sign of work before it is taken for lost."""


def work_on_rate_import(*, import_id: int, at: datetime) -> None:
    """Do what the import waits for; nothing if it waits for nothing. Repeating it is safe."""
    rate_import = RateImport.objects.select_related("rate_table").get(pk=import_id)
    match rate_import.state:
        case State.COMPARING:
            compare_rate_import(rate_import=rate_import)
        case State.WRITING:
            write_rate_import(rate_import=rate_import, at=at)
        case State.CONFIRMING:
            confirm_stashed(rate_import=rate_import, at=at)
        case State.DISCARDING:
            discard_stashed(rate_import=rate_import, at=at)


BEFORE = {
    State.COMPARING: State.FAILED,
    State.WRITING: State.COMPARED,
    State.CONFIRMING: State.STASHED,
    State.DISCARDING: State.STASHED,
    State.UNDOING: State.DONE,
}
"""Where an import is again whose work was given up: from there it can be asked for once more."""


@transaction.atomic
def give_up_rate_import(*, import_id: int, error: str) -> None:
    """Have an import wait for people again, with the reason; nothing of its work was kept."""
    rate_import = RateImport.objects.select_for_update(no_key=True).get(pk=import_id)
    if rate_import.is_working:
        rate_import.state, rate_import.error = BEFORE[State(rate_import.state)], error
        rate_import.save(update_fields=["state", "error"])


@transaction.atomic
def lost_import_ids(*, states: tuple[str, ...], at: datetime) -> list[int]:
    """Imports in the states that nobody works on and that gave no sign for `PATIENCE`.

    They are marked as touched, to be queued again once.
    """
    lost = RateImport.objects.filter(state__in=states, touched_at__lte=at - PATIENCE)
    free = lost.order_by("pk").select_for_update(no_key=True, skip_locked=True)
    ids = list(free.values_list("pk", flat=True))
    RateImport.objects.filter(pk__in=ids).update(touched_at=at)
    return ids


@transaction.atomic
def requeue_lost_imports(*, at: datetime) -> int:
    """Queue again what a killed worker or a broker without memory has lost; returns how many."""
    states = (State.COMPARING, State.WRITING, State.CONFIRMING, State.DISCARDING)
    ids = lost_import_ids(states=tuple(state.value for state in states), at=at)
    for import_id in ids:
        enqueue("catalogue.work_on_rate_import", import_id=import_id)
    return len(ids)
