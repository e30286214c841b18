"""How usage flows in: how far each source is behind, how much it brings, and what waits.

Nothing here looks at xDRs or legs: chunks hold what was counted as they were rated. What tells of
the whole installation is asked by the role of the metrics, which sees no other columns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, DateTimeField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncHour

from cdr.models import Mending, Rerating, ReratingSlice, Source, Suspense, XdrChunk, XdrFile
from common.scope import Scope
from tenancy.owned import ProviderOwned, ProviderQuerySet

LATELY = timedelta(minutes=10)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNFINISHED = (XdrFile.State.RECEIVED, XdrFile.State.RATING)
COUNTED = ("rated", "zero", "duplicate", "suspended")
_XDRS = F("rated_count") + F("zero_count") + F("suspended_count")

_Rows = Callable[[type[ProviderOwned]], ProviderQuerySet[Any]]


class Work(StrEnum):
    """What can wait for workers of usage."""

    FILES = "files"
    CHUNKS = "chunks"
    MENDINGS = "mendings"
    RERATING_SLICES = "rerating_slices"


@dataclass(frozen=True)
class SourceFlow:
    """How a source fares: its latest xDR, the oldest file not rated yet, and xDRs of late.

    `lately_count` is of the last ten minutes. Counted is what was new, when its chunk was
    committed: duplicates are not, lines in suspense are.
    """

    source: Source
    newest_started_at: datetime | None
    waiting_since: datetime | None
    waiting_chunk_count: int
    lately_count: int
    hour_count: int
    day_count: int


@dataclass(frozen=True)
class HourOfSource:
    """The xDRs of a source that were new in the hour (UTC) that begins at `began_at`."""

    source_id: int
    began_at: datetime
    xdr_count: int


@dataclass(frozen=True)
class SourceTotals:
    """A source by its slug and its provider's; what its chunks ever counted, by result.

    Where it was switched off, nobody expects anything of it.
    """

    provider: str
    source: str
    is_enabled: bool
    newest_started_at: datetime | None
    waiting_since: datetime | None
    counts: Mapping[str, int]


def source_flows(scope: Scope, at: datetime) -> list[SourceFlow]:
    """Each source that is enabled or brought something within a day, by name."""
    by_source = _finished(scope, at).values_list("source_id")
    sums = by_source.annotate(
        lately=Coalesce(Sum(_XDRS, filter=Q(finished_at__gt=at - LATELY)), 0),
        hour=Coalesce(Sum(_XDRS, filter=Q(finished_at__gt=at - HOUR)), 0),
        day=Sum(_XDRS),
    )
    counts = {pk: found for pk, *found in sums}
    rows = Source.objects.visible_to(scope).filter(Q(is_enabled=True) | Q(pk__in=list(counts)))
    chunks = dict(
        _waiting_chunks(XdrChunk.objects.visible_to(scope))
        .order_by()
        .values_list("source_id")
        .annotate(count=Count("pk"))
    )
    return [
        SourceFlow(
            source,
            source.newest_started_at,
            source.waiting_since,
            chunks.get(source.pk, 0),
            *counts.get(source.pk, (0, 0, 0)),
        )
        for source in _with_lag(rows).order_by("name", "pk")
    ]


def hourly_counts(scope: Scope, at: datetime) -> list[HourOfSource]:
    """The hours of the last day in which sources brought anything, in order."""
    rows = _finished(scope, at).annotate(hour=TruncHour("finished_at", tzinfo=UTC))
    sums = rows.values_list("source_id", "hour").annotate(xdrs=Sum(_XDRS))
    return [HourOfSource(*row) for row in sums.order_by("hour", "source_id")]


def waiting_work(scope: Scope) -> dict[Work, int]:
    """How much waits for workers, of each kind."""
    lots = _waiting(lambda model: model.objects.visible_to(scope))
    return {work: rows.count() for work, rows in lots.items()}


def source_totals() -> list[SourceTotals]:
    """All sources of the installation."""
    sums = {f"{name}_sum": Sum(f"{name}_count") for name in COUNTED}
    by_source = XdrChunk.objects.order_by().values_list("source_id").annotate(**sums)
    counts = {pk: dict(zip(COUNTED, found, strict=True)) for pk, *found in by_source}
    nothing = dict.fromkeys(COUNTED, 0)
    rows = _with_lag(Source.objects.all()).order_by("provider_id", "pk")
    columns = ("pk", "provider__slug", "slug", "is_enabled", "newest_started_at", "waiting_since")
    return [
        SourceTotals(provider, slug, is_enabled, newest, since, counts.get(pk, nothing))
        for pk, provider, slug, is_enabled, newest, since in rows.values_list(*columns)
    ]


def suspense_totals() -> list[tuple[str, str, int]]:
    """Provider and reason with how many rows of suspense are open, of the whole installation."""
    rows = Suspense.objects.filter(state=Suspense.State.OPEN)
    return list(_by_provider(rows, "reason"))


def waiting_totals() -> list[tuple[str, Work, int]]:
    """Provider and kind of work with how much of it waits, of the whole installation."""
    lots = _waiting(lambda model: model.objects.all())
    return [
        (provider, work, count)
        for work, rows in lots.items()
        for provider, count in _by_provider(rows)
    ]


def _finished(scope: Scope, at: datetime) -> ProviderQuerySet[XdrChunk]:
    """The chunks of the last day."""
    rows = XdrChunk.objects.visible_to(scope).order_by()
    return rows.filter(finished_at__gt=at - DAY, finished_at__lte=at)


def _by_provider(rows: QuerySet[Any], *columns: str) -> QuerySet[Any, Any]:
    names = ("provider__slug", *columns)
    counted: QuerySet[Any, Any] = rows.order_by().values_list(*names).annotate(count=Count("pk"))
    return counted.order_by(*names)


def _with_lag(rows: ProviderQuerySet[Source]) -> ProviderQuerySet[Any]:
    """With `newest_started_at` and `waiting_since`, each found by one look into an index."""
    newest = XdrChunk.objects.filter(source=OuterRef("pk"), newest_started_at__isnull=False)
    files = XdrFile.objects.filter(
        provider=OuterRef("provider"), source=OuterRef("pk"), state__in=UNFINISHED
    )
    return rows.annotate(
        newest_started_at=_first(newest.order_by("-newest_started_at"), "newest_started_at"),
        waiting_since=_first(files.order_by("received_at"), "received_at"),
    )


def _first(rows: QuerySet[Any], column: str) -> Subquery:
    return Subquery(rows.values(column)[:1], output_field=DateTimeField(null=True))


def _waiting(rows: _Rows) -> dict[Work, QuerySet[Any]]:
    slices = rows(ReratingSlice).filter(
        state__in=(ReratingSlice.State.WAITING, ReratingSlice.State.AGREED),
        rerating__state__in=(Rerating.State.MEASURING, Rerating.State.APPLYING),
    )
    return {
        Work.FILES: rows(XdrFile).filter(state=XdrFile.State.RECEIVED),
        Work.CHUNKS: _waiting_chunks(rows(XdrChunk)),
        Work.MENDINGS: rows(Mending).filter(state=Mending.State.AT_WORK),
        Work.RERATING_SLICES: slices,
    }


def _waiting_chunks(rows: ProviderQuerySet[XdrChunk]) -> ProviderQuerySet[XdrChunk]:
    """Those that workers will do; of a file that failed, none is."""
    return rows.filter(state=XdrChunk.State.WAITING, file__state=XdrFile.State.RATING)
