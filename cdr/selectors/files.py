"""Reading received files and how far each is."""

from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from cdr.models import XdrChunk, XdrFile
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

COUNTED = ("line", "rated", "zero", "duplicate", "suspended", "partly_suspended", "blank")
_DONE = Q(chunks__state=XdrChunk.State.DONE)


def files(scope: Scope) -> ProviderQuerySet[XdrFile]:
    """Files with source and sender, the latest first.

    Annotated with the sums of its chunks: `line_count`, `rated_count` and so on for each of
    COUNTED, and `chunk_count` and `done_count`, numbers of chunks.
    """
    sums = {
        f"{name}_count": Coalesce(Sum(f"chunks__{name}_count", filter=_DONE), 0) for name in COUNTED
    }
    rows = XdrFile.objects.visible_to(scope).select_related("source", "received_by")
    counted = rows.annotate(
        **sums, chunk_count=Count("chunks"), done_count=Count("chunks", filter=_DONE)
    )
    return counted.order_by("-received_at", "-pk")


@dataclass(frozen=True)
class FileProgress:
    """How far a file is: lines and chunks in all and done, and what the done ones held."""

    state: str
    error: str
    chunk_count: int
    done_chunk_count: int
    line_count: int
    done_line_count: int
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
    file = files(scope).annotate(all_lines=Coalesce(Sum("chunks__line_count"), 0))
    row = file.values(
        "state",
        "error",
        "chunk_count",
        "done_count",
        "all_lines",
        *(f"{name}_count" for name in COUNTED),
    ).get(pk=file_id)
    return FileProgress(
        state=row["state"],
        error=row["error"],
        chunk_count=row["chunk_count"],
        done_chunk_count=row["done_count"],
        line_count=row["all_lines"],
        done_line_count=row["line_count"],
        **{name: row[f"{name}_count"] for name in COUNTED[1:]},
    )
