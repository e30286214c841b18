"""Reading received files and how far each is."""

from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, Subquery, Sum, TextField, Value
from django.db.models.functions import Coalesce

from cdr.models import XdrChunk, XdrFile
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

COUNTED = ("line", "rated", "zero", "duplicate", "suspended", "partly_suspended", "blank")
_DONE = Q(chunks__state=XdrChunk.State.DONE)
_FAILED = Q(chunks__state=XdrChunk.State.FAILED)


def files(scope: Scope) -> ProviderQuerySet[XdrFile]:
    """Files with source and sender, the latest first.

    Annotated with the sums of its chunks: `line_count`, `rated_count` and so on for each of
    COUNTED, and `chunk_count`, `done_count` and `failed_count`, numbers of chunks.
    """
    sums = {
        f"{name}_count": Coalesce(Sum(f"chunks__{name}_count", filter=_DONE), 0) for name in COUNTED
    }
    rows = XdrFile.objects.visible_to(scope).select_related("source", "received_by")
    counted = rows.annotate(
        **sums,
        chunk_count=Count("chunks"),
        done_count=Count("chunks", filter=_DONE),
        failed_count=Count("chunks", filter=_FAILED),
    )
    return counted.order_by("-received_at", "-pk")


@dataclass(frozen=True)
class FileProgress:
    """How far a file is: lines and chunks in all and done, and what the done ones held.

    Of the lines in all, those of chunks that were given up are `failed_line_count`, and
    `failed_error` is why the first of them was.
    """

    state: str
    error: str
    chunk_count: int
    done_chunk_count: int
    failed_chunk_count: int
    line_count: int
    done_line_count: int
    failed_line_count: int
    failed_error: str
    rated: int
    zero: int
    duplicate: int
    suspended: int
    partly_suspended: int
    blank: int


def file_progress(scope: Scope, file_id: int) -> FileProgress:
    """The progress of one file, by one query.

    :raises XdrFile.DoesNotExist: it is not in the scope.
    """
    lines = "chunks__line_count"
    failed = XdrChunk.objects.filter(file=OuterRef("pk"), state=XdrChunk.State.FAILED)
    failed = failed.order_by("number")
    file = files(scope).annotate(
        all_lines=Coalesce(Sum(lines), 0),
        failed_lines=Coalesce(Sum(lines, filter=_FAILED), 0),
        failed_error=Coalesce(
            Subquery(failed.values("try_error")[:1]), Value(""), output_field=TextField()
        ),
    )
    row = file.values(
        "state",
        "error",
        "chunk_count",
        "done_count",
        "failed_count",
        "all_lines",
        "failed_lines",
        "failed_error",
        *(f"{name}_count" for name in COUNTED),
    ).get(pk=file_id)
    return FileProgress(
        state=row["state"],
        error=row["error"],
        chunk_count=row["chunk_count"],
        done_chunk_count=row["done_count"],
        failed_chunk_count=row["failed_count"],
        line_count=row["all_lines"],
        done_line_count=row["line_count"],
        failed_line_count=row["failed_lines"],
        failed_error=row["failed_error"],
        **{name: row[f"{name}_count"] for name in COUNTED[1:]},
    )
