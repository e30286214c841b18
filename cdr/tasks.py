"""Background work of the usage pipeline."""

from celery import shared_task
from django.db.models import Q

from catalogue.models import RateImport
from catalogue.services.rate_import_work import give_up_rate_import
from cdr.models import Mending, Rerating, ReratingSlice, Source, WhatIf, XdrChunk, XdrFile
from cdr.services.chunks import rate_chunk
from cdr.services.giving_up import give_up_chunk, give_up_file
from cdr.services.mending import give_up_mending, requeue_lost_mendings, work_on_mending
from cdr.services.rate_undoing import requeue_lost_undos, undo_rate_import
from cdr.services.rerating import give_up_rerating, plan_rerating, requeue_lost_reratings
from cdr.services.rerating_slices import give_up_slice, work_on_slice
from cdr.services.retiring import make_partitions_ahead
from cdr.services.splitting import requeue_lost, split_file
from cdr.services.watching import take_files
from cdr.services.what_ifs import answer_what_if, give_up_what_if, requeue_lost_what_ifs
from common.clock import now
from common.jobs import enqueue
from common.tries import tried

MONTHS_AHEAD = 3


@shared_task(name="cdr.split_file")
def split_file_task(*, file_id: int, **_: object) -> None:
    """Cut a file into chunks; a file that was split before is left alone."""
    tried(
        XdrFile.objects.filter(pk=file_id, state=XdrFile.State.RECEIVED),
        clock=now,
        work=lambda: split_file(file_id=file_id, at=now()),
        give_up=lambda _: give_up_file(file_id=file_id, at=now()),
    )


@shared_task(name="cdr.rate_chunk")
def rate_chunk_task(*, chunk_id: int, **_: object) -> None:
    """Rate a chunk in one transaction; a chunk that is DONE is left alone."""
    tried(
        XdrChunk.objects.filter(pk=chunk_id, state=XdrChunk.State.WAITING),
        clock=now,
        work=lambda: rate_chunk(chunk_id=chunk_id, at=now()),
        give_up=lambda _: give_up_chunk(chunk_id=chunk_id, at=now()),
    )


@shared_task(name="cdr.sweep_files")
def sweep_files_task(**_: object) -> None:
    """Queue again what was queued long ago and is still not done; it is marked when it is."""
    requeue_lost(at=now())


@shared_task(name="cdr.make_partitions")
def make_partitions_task(**_: object) -> None:
    """Make the partitions of the coming months. Safe to repeat: those that are there stay."""
    make_partitions_ahead(at=now(), count=MONTHS_AHEAD)


@shared_task(name="cdr.watch_folders")
def watch_folders_task(**_: object) -> None:
    """Have the folder of every enabled source looked at, each by a task of its own."""
    enabled = Source.objects.filter(is_enabled=True).order_by("pk")
    for source_id in enabled.values_list("pk", flat=True):
        enqueue("cdr.take_files", source_id=source_id)


@shared_task(name="cdr.take_files")
def take_files_task(*, source_id: int, **_: object) -> None:
    """Take in the complete files of a source's folder; one that was taken is there no more."""
    take_files(source=Source.objects.select_related("provider").get(pk=source_id), at=now())


@shared_task(name="cdr.mend_suspense")
def mend_suspense_task(*, mending_id: int, **_: object) -> None:
    """Deal with the chunks of a mending that are left; one that was dealt with is left alone."""
    tried(
        Mending.objects.filter(pk=mending_id, state=Mending.State.AT_WORK),
        clock=now,
        work=lambda: work_on_mending(mending_id=mending_id, clock=now),
        give_up=lambda _: give_up_mending(mending_id=mending_id, at=now()),
    )


@shared_task(name="cdr.sweep_suspense")
def sweep_suspense_task(**_: object) -> None:
    """Queue again what nobody has been seen at for a while; it is marked when it is."""
    requeue_lost_mendings(at=now())


@shared_task(name="cdr.plan_rerating")
def plan_rerating_task(*, rerating_id: int, **_: object) -> None:
    """Cut a re-rating into slices; one that was cut before is left alone."""
    tried(
        Rerating.objects.filter(pk=rerating_id, state=Rerating.State.PLANNING),
        clock=now,
        work=lambda: plan_rerating(rerating_id=rerating_id, at=now()),
        give_up=lambda _: give_up_rerating(rerating_id=rerating_id, at=now()),
    )


@shared_task(name="cdr.rerate_slice")
def rerate_slice_task(*, slice_id: int, **_: object) -> None:
    """Measure or apply a slice in one transaction; one that is done is left alone."""
    tried(
        ReratingSlice.objects.filter(
            Q(state=ReratingSlice.State.WAITING, rerating__state=Rerating.State.MEASURING)
            | Q(state=ReratingSlice.State.AGREED, rerating__state=Rerating.State.APPLYING),
            pk=slice_id,
        ),
        clock=now,
        work=lambda: work_on_slice(slice_id=slice_id, at=now()),
        give_up=lambda _: give_up_slice(slice_id=slice_id, at=now()),
    )


@shared_task(name="cdr.sweep_reratings")
def sweep_reratings_task(**_: object) -> None:
    """Queue again what was queued long ago and still waits; it is marked when it is."""
    requeue_lost_reratings(at=now())


@shared_task(name="cdr.answer_what_if")
def answer_what_if_task(*, what_if_id: int, **_: object) -> None:
    """Reckon what billing mode would have cost; one that is answered is left alone."""
    tried(
        WhatIf.objects.filter(
            pk=what_if_id, state__in=[WhatIf.State.WAITING, WhatIf.State.RUNNING]
        ),
        clock=now,
        work=lambda: answer_what_if(what_if_id=what_if_id, clock=now),
        give_up=lambda error: give_up_what_if(what_if_id=what_if_id, error=error, at=now()),
    )


@shared_task(name="cdr.sweep_what_ifs")
def sweep_what_ifs_task(**_: object) -> None:
    """Queue again what nobody has been seen at for a while; it is marked when it is."""
    requeue_lost_what_ifs(at=now())


@shared_task(name="cdr.undo_rate_import")
def undo_rate_import_task(*, import_id: int, **_: object) -> None:
    """Take a rate import back; one that was taken back, or could not be, is left alone."""
    tried(
        RateImport.objects.filter(pk=import_id, state=RateImport.State.UNDOING),
        clock=now,
        work=lambda: undo_rate_import(import_id=import_id, at=now()),
        give_up=lambda error: give_up_rate_import(import_id=import_id, error=error),
    )


@shared_task(name="cdr.sweep_rate_undos")
def sweep_rate_undos_task(**_: object) -> None:
    """Queue again the imports that were to be taken back long ago and still wait."""
    requeue_lost_undos(at=now())
