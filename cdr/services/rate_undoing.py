"""Taking a rate import back, which is possible until one of its rates has priced something."""

from datetime import datetime

from django.db import transaction

from catalogue.models import RateImport
from catalogue.services.rate_import_work import lost_import_ids
from catalogue.services.rate_imports import start_undoing
from catalogue.services.rate_writing import (
    RatesChangedSince,
    lock_for_undoing,
    refuse_undoing,
    undo_rates,
)
from cdr.selectors.rate_use import is_import_used
from common.errors import DomainError
from common.jobs import enqueue
from common.scope import Scope


class RatesUsed(DomainError):
    """Usage was priced by rates of the import."""


@transaction.atomic
def ask_to_undo(*, rate_import: RateImport, at: datetime, actor_id: int | None) -> RateImport:
    """Have an import taken back by a worker.

    :raises RateImportInState: it is not imported.
    :raises RateImportBusy: another import of the table is being worked on.
    :raises RatesUsed: a rate of it has priced usage already.
    """
    rate_import = start_undoing(rate_import=rate_import, at=at, actor_id=actor_id)
    _check_unused(rate_import)
    enqueue("cdr.undo_rate_import", import_id=rate_import.pk)
    return rate_import


@transaction.atomic
def undo_rate_import(*, import_id: int, at: datetime) -> None:
    """Take an import back whole, or leave it whole and say why; nothing if that was done.

    Whoever rates holds the tables: what they price by its rates is seen before it is decided.
    """
    locked = lock_for_undoing(RateImport.objects.get(pk=import_id))
    if locked is None:
        return
    try:
        _check_unused(locked)
        undo_rates(rate_import=locked, at=at)
    except (RatesUsed, RatesChangedSince) as refusal:
        refuse_undoing(rate_import=locked, refusal=refusal)


@transaction.atomic
def requeue_lost_undos(*, at: datetime) -> int:
    """Queue again the imports whose undoing was lost; returns how many."""
    ids = lost_import_ids(states=(RateImport.State.UNDOING.value,), at=at)
    for import_id in ids:
        enqueue("cdr.undo_rate_import", import_id=import_id)
    return len(ids)


def _check_unused(rate_import: RateImport) -> None:
    if is_import_used(Scope.system(rate_import.provider_id), rate_import):
        raise RatesUsed(
            f"Usage was priced by rates of {rate_import}: it cannot be taken back any more. Import"
            " the rates that are right instead."
        )
