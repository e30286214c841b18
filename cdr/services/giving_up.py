"""Files, and chunks of them, that always fail: given up, and started again by a person."""

from datetime import datetime

from django.db import transaction

from audit.services import record_owned
from cdr.models import XdrChunk, XdrFile
from cdr.services.chunks import end_file
from cdr.services.splitting import unlocked_ids
from common.errors import DomainError
from common.jobs import enqueue
from common.tries import UNTRIED, start_anew


class FileNotFailed(DomainError):
    """Nothing of the file was given up, or it was started again already."""


@transaction.atomic
def give_up_file(*, file_id: int, at: datetime) -> None:
    """Fail a file that cannot be cut into chunks; it is kept as it was received."""
    file = XdrFile.objects.select_for_update(no_key=True).get(pk=file_id)
    if file.state != XdrFile.State.RECEIVED:
        return
    file.mark_failed(f"It was tried five times and could not be taken apart: {file.try_error}.")
    record_owned(file, "xdr_file.given_up", at=at, actor_id=None, after={"error": file.error})


@transaction.atomic
def give_up_chunk(*, chunk_id: int, at: datetime) -> None:
    """Leave the lines of a chunk unrated; those of others stand, and the last ends the file."""
    chunks = XdrChunk.objects.select_for_update(no_key=True, of=("self",)).select_related("file")
    chunk = chunks.get(pk=chunk_id)
    if chunk.state != XdrChunk.State.WAITING:
        return
    chunk.state = XdrChunk.State.FAILED
    chunk.save(update_fields=["state"])
    lines = f"{chunk.first_line}-{chunk.first_line + chunk.line_count - 1}"
    why = {"part": chunk.number, "lines": lines, "error": chunk.try_error}
    record_owned(chunk.file, "xdr_file.part_given_up", at=at, actor_id=None, after=why)
    end_file(chunk.file_id, at)


@transaction.atomic
def start_file_again(*, file_id: int, at: datetime, actor_id: int | None) -> XdrFile:
    """Have what is left of a failed file rated; what was rated of it before stays as it is.

    :raises FileNotFailed: nothing of it failed.
    """
    file = XdrFile.objects.select_for_update(no_key=True).get(pk=file_id)
    failed = file.chunks.filter(state=XdrChunk.State.FAILED)
    if file.state != XdrFile.State.FAILED and not failed.exists():
        raise FileNotFailed(f"{file} has not failed: there is nothing to start again.")
    before = {"state": file.state, "error": file.error}
    failed.update(state=XdrChunk.State.WAITING, queued_at=at, **UNTRIED)
    waiting = file.chunks.filter(state=XdrChunk.State.WAITING).order_by("number")
    # Who is at one holds its row, and will want the file's: that one keeps its count, as it is.
    XdrChunk.objects.filter(pk__in=unlocked_ids(waiting)).update(**UNTRIED)
    chunk_ids = list(waiting.values_list("pk", flat=True))
    start_anew(file)
    file.state = XdrFile.State.RATING if file.chunks.exists() else XdrFile.State.RECEIVED
    file.error = ""
    file.save()
    after = {"state": file.state, "parts": len(chunk_ids)}
    record_owned(
        file, "xdr_file.started_again", at=at, actor_id=actor_id, before=before, after=after
    )
    if file.state == XdrFile.State.RECEIVED:
        enqueue("cdr.split_file", file_id=file.pk)
    for chunk_id in chunk_ids:
        enqueue("cdr.rate_chunk", chunk_id=chunk_id)
    return file
