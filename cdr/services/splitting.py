"""Cutting a received file into chunks, and finding again what was queued and lost."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet

from cdr.importers.chunks import cut_lines
from cdr.models import XdrChunk, XdrFile
from cdr.rules.xdr_keys import PLACE_BITS
from cdr.services import stores
from common.jobs import enqueue

RowT = TypeVar("RowT", bound=Model)

PATIENCE = timedelta(minutes=2)
"""How long work may stay queued before it is taken for lost and queued again."""

_MOST_LINES = 1 << PLACE_BITS
_CHUNKS_AT_ONCE = 500


@transaction.atomic
def split_file(*, file_id: int, at: datetime) -> int:
    """Cut a RECEIVED file into chunks and queue each; returns how many, 0 if it was split before.

    A file whose stored text is gone cannot be rated: it becomes FAILED. One that is only not to be
    had on this machine is left to others.
    """
    file = XdrFile.objects.select_for_update(no_key=True).get(pk=file_id)
    if file.state != XdrFile.State.RECEIVED:
        return 0
    try:
        chunks = list(_chunks(file, stores.text_path(file), at))
    except OSError as error:
        stores.note_unreadable(file, error)
        return 0
    XdrChunk.objects.bulk_create(chunks, batch_size=_CHUNKS_AT_ONCE)
    file.state, file.error = XdrFile.State.RATING, ""
    file.save(update_fields=["state", "error"])
    _queue(chunk.pk for chunk in chunks)
    return len(chunks)


@transaction.atomic
def requeue_lost(*, at: datetime) -> int:
    """Queue again what has waited for longer than PATIENCE; returns how many pieces of work.

    The broker may lose all it holds. A message too many does no harm: whoever gets it finds the
    work done, or waits for the one who does it.
    """
    lost = at - PATIENCE
    files = XdrFile.objects.filter(state=XdrFile.State.RECEIVED, received_at__lte=lost)
    file_ids = unlocked_ids(files)
    for file_id in file_ids:
        enqueue("cdr.split_file", file_id=file_id)
    chunks = XdrChunk.objects.filter(
        state=XdrChunk.State.WAITING, queued_at__lte=lost, file__state=XdrFile.State.RATING
    )
    chunk_ids = unlocked_ids(chunks)
    XdrChunk.objects.filter(pk__in=chunk_ids).update(queued_at=at)
    _queue(chunk_ids)
    return len(file_ids) + len(chunk_ids)


@transaction.atomic
def is_being_rated(file: XdrFile) -> bool:
    """Whether somebody is splitting the file or rating one of its chunks at this moment."""
    whole = XdrFile.objects.filter(pk=file.pk, state=XdrFile.State.RECEIVED)
    chunks = file.chunks.filter(state=XdrChunk.State.WAITING)
    busy_with_file = whole.count() > len(unlocked_ids(whole))
    return busy_with_file or chunks.count() > len(unlocked_ids(chunks))


def unlocked_ids(rows: QuerySet[RowT]) -> list[int]:
    """The rows that nobody is working on: those are locked, and not lost."""
    free = rows.order_by("pk").select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(free.values_list("pk", flat=True))


def _queue(chunk_ids: Iterable[int]) -> None:
    for chunk_id in chunk_ids:
        enqueue("cdr.rate_chunk", chunk_id=chunk_id)


def _chunks(file: XdrFile, path: Path, at: datetime) -> Iterator[XdrChunk]:
    cuts = cut_lines(path, lines=min(settings.XDR_CHUNK_LINES, _MOST_LINES))
    for number, cut in enumerate(cuts, start=1):
        yield XdrChunk(
            provider_id=file.provider_id,
            file=file,
            source_id=file.source_id,
            number=number,
            first_line=cut.first_line,
            first_byte=cut.offset,
            byte_count=cut.byte_count,
            line_count=cut.line_count,
            queued_at=at,
        )
