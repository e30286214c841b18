"""Background work of catalogue; each task can be repeated, as it looks before it acts."""

from celery import shared_task

from catalogue.models import RateBatchEdit, RateExport, RateImport, Relabelling
from catalogue.services import rate_edits, rate_exports, rate_import_work, relabelling
from common import clock
from common.tries import tried


@shared_task(name="catalogue.relabel_rates")
def relabel_rates(*, relabelling_id: int, **_: object) -> int | None:
    """Bring a code deck's names into a table. Safe to repeat: what is done is left alone."""
    at = clock.now()
    return tried(
        Relabelling.objects.filter(pk=relabelling_id, state=Relabelling.State.QUEUED),
        clock=clock.now,
        work=lambda: relabelling.relabel_rates(relabelling_id=relabelling_id, at=at),
        give_up=lambda _: relabelling.give_up_relabelling(relabelling_id=relabelling_id, at=at),
    )


@shared_task(name="catalogue.sweep_relabellings")
def sweep_relabellings(**_: object) -> int:
    """Queue relabellings whose task was lost. Safe to repeat, as they are."""
    return relabelling.queue_unfinished(at=clock.now())


@shared_task(name="catalogue.write_rate_export")
def write_rate_export(*, export_id: int, **_: object) -> bool | None:
    """Write a table's rates into a file. Safe to repeat: what is written is left alone."""
    at = clock.now()
    return tried(
        RateExport.objects.filter(pk=export_id, state=RateExport.State.QUEUED),
        clock=clock.now,
        work=lambda: rate_exports.write_rate_export(export_id=export_id, at=at),
        give_up=lambda _: rate_exports.give_up_rate_export(export_id=export_id, at=at),
    )


@shared_task(name="catalogue.sweep_rate_exports")
def sweep_rate_exports(**_: object) -> int:
    """Queue files that were forgotten, and empty old ones. Safe to repeat, as their writing is."""
    return rate_exports.sweep_rate_exports(at=clock.now())


@shared_task(name="catalogue.edit_rates")
def edit_rates(*, edit_id: int, **_: object) -> None:
    """Make a change of many rates. Safe to repeat: one that is made, or failed, is left alone."""
    at = clock.now()
    tried(
        RateBatchEdit.objects.filter(pk=edit_id, state=RateBatchEdit.State.WAITING),
        clock=clock.now,
        work=lambda: rate_edits.make_rate_edit(edit_id=edit_id, at=at),
        give_up=lambda error: rate_edits.give_up_rate_edit(edit_id=edit_id, error=error, at=at),
    )


@shared_task(name="catalogue.sweep_rate_edits")
def sweep_rate_edits(**_: object) -> int:
    """Queue changes of rates whose task was lost. Safe to repeat, as they are."""
    return rate_edits.requeue_lost_edits(at=clock.now())


@shared_task(name="catalogue.work_on_rate_import")
def work_on_rate_import(*, import_id: int, **_: object) -> None:
    """Compare, write, confirm or throw away, by its state. Safe to repeat: what is done stays."""
    at = clock.now()
    tried(
        RateImport.objects.filter(pk=import_id, state__in=RateImport.WORKING),
        clock=clock.now,
        work=lambda: rate_import_work.work_on_rate_import(import_id=import_id, at=at),
        give_up=lambda error: rate_import_work.give_up_rate_import(
            import_id=import_id, error=error
        ),
    )


@shared_task(name="catalogue.sweep_rate_imports")
def sweep_rate_imports(**_: object) -> int:
    """Queue imports whose worker was lost. Safe to repeat: those at work are locked."""
    return rate_import_work.requeue_lost_imports(at=clock.now())
