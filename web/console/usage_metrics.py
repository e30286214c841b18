"""How usage flows in, in the console: what each source brings, how far behind it is, what waits."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.timezone import localdate, localtime

from billing.selectors.progress import RunAtWork, runs_at_work
from cdr.selectors.flow import (
    LATELY,
    HourOfSource,
    SourceFlow,
    Work,
    hourly_counts,
    source_flows,
    waiting_work,
)
from cdr.selectors.suspense_groups import SuspenseCount, suspense_counts
from common import clock
from common.scope import Scope, Surface
from payments.selectors.payments import refused_events
from web.access import SurfaceRequest, page_of
from web.console.given_up import Notice, work_given_up
from web.shared.charts import Chart, ranking_chart, stacked_chart

HOURS_SHOWN = 24
SOURCES_DRAWN = 6
OTHERS = "All others"
# The figures are asked for again every ten seconds, for half an hour: a page that nobody looks at
# any more shall not keep somebody signed in.
REFRESHES = 180

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
_WORK = {
    Work.FILES: ("Files to cut into chunks", "console_xdr_files"),
    Work.CHUNKS: ("Chunks of files to rate", "console_xdr_files"),
    Work.MENDINGS: ("Mendings of suspense", "console_mendings"),
    Work.RERATING_SLICES: ("Slices of re-ratings", "console_reratings"),
}


@dataclass(frozen=True)
class Waiting:
    """A kind of work that waits for workers, and the list it leads to."""

    label: str
    count: int
    url: str


@dataclass(frozen=True)
class SourceRow:
    """A source as the table shows it: times since its latest xDR and its oldest file, in words."""

    flow: SourceFlow
    behind: str
    waiting_for: str
    a_minute: int


@dataclass(frozen=True)
class Figures:
    """What is asked for again while the page is open; `refused_count` only for who sees money."""

    rows: Sequence[SourceRow]
    behind: str
    waiting_for: str
    hour_count: int
    day_count: int
    work: Sequence[Waiting]
    given_up: Sequence[Notice]
    runs: Sequence[RunAtWork]
    refused_count: int | None
    counted_at: datetime
    refresh_url: str


@page_of(Surface.CONSOLE, "usage.read")
def metrics(request: SurfaceRequest) -> HttpResponse:
    scope, now = request.scope, clock.now()
    figures = _figures(scope, now, REFRESHES)
    flows = [row.flow for row in figures.rows]
    charts = [
        _hours_chart(flows, hourly_counts(scope, now), now),
        _suspense_chart(suspense_counts(scope, localdate(now))),
    ]
    return render(request, "console/usage/metrics.html", {"figures": figures, "charts": charts})


@page_of(Surface.CONSOLE, "usage.read")
def metrics_figures(request: SurfaceRequest) -> HttpResponse:
    """The part of the page that htmx asks for again, `left` times more."""
    asked = request.GET.get("left", "")
    left = min(int(asked), REFRESHES) if asked.isdecimal() and len(asked) < 4 else 0
    figures = _figures(request.scope, clock.now(), left)
    return render(request, "console/usage/_metrics_figures.html", {"figures": figures})


def _figures(scope: Scope, now: datetime, left: int) -> Figures:
    rows = [_row(flow, now) for flow in source_flows(scope, now)]
    newest = [row.flow.newest_started_at for row in rows if row.flow.newest_started_at]
    since = [row.flow.waiting_since for row in rows if row.flow.waiting_since]
    sees_money = "money.list" in scope.permissions
    address = f"{reverse('console_usage_metrics_figures')}?left={left - 1}"
    return Figures(
        rows=rows,
        behind=_since(max(newest, default=None), now),
        waiting_for=_since(min(since, default=None), now),
        hour_count=sum(row.flow.hour_count for row in rows),
        day_count=sum(row.flow.day_count for row in rows),
        work=_work(scope),
        given_up=work_given_up(scope),
        runs=runs_at_work(scope) if sees_money else (),
        refused_count=refused_events(scope).count() if sees_money else None,
        counted_at=now,
        refresh_url=address if left else "",
    )


def _row(flow: SourceFlow, now: datetime) -> SourceRow:
    a_minute = round(flow.lately_count / (LATELY / _MINUTE))
    behind = _since(flow.newest_started_at, now)
    return SourceRow(flow, behind, _since(flow.waiting_since, now), a_minute)


def _work(scope: Scope) -> list[Waiting]:
    return [
        Waiting(label, count, reverse(url_name))
        for work, count in waiting_work(scope).items()
        for label, url_name in [_WORK[work]]
    ]


def _since(instant: datetime | None, now: datetime) -> str:
    """How long ago, in words; empty for never. What is still to come is now."""
    if instant is None:
        return ""
    minutes = max(now - instant, timedelta()) // _MINUTE
    hours, days = minutes // 60, minutes // 1440
    if days >= 2:
        return f"{days} days"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else "under a minute"


def _hours_chart(
    flows: Sequence[SourceFlow], found: Sequence[HourOfSource], now: datetime
) -> Chart:
    """New xDRs by hour: a colour for each of those that brought most, and one for all others."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [last - at * _HOUR for at in reversed(range(HOURS_SHOWN))]
    most = sorted((flow for flow in flows if flow.day_count), key=lambda flow: -flow.day_count)
    names = {flow.source.pk: flow.source.name for flow in most[:SOURCES_DRAWN]}
    counts: dict[str, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    for row in found:
        counts[names.get(row.source_id, OTHERS)][row.began_at] += row.xdr_count
    drawn = [name for name in dict.fromkeys([*names.values(), OTHERS]) if name in counts]
    return stacked_chart(
        "New xDRs by hour, the last day",
        [f"{localtime(hour):%H:%M}" for hour in hours],
        {name: [counts[name][hour] for hour in hours] for name in drawn or [OTHERS]},
    )


def _suspense_chart(counts: Sequence[SuspenseCount]) -> Chart:
    """What waits in suspense, by reason, the most first; whatever its currency."""
    sums: dict[str, int] = defaultdict(int)
    for row in counts:
        sums[str(row.reason.label)] += row.row_count
    ranked = dict(sorted(sums.items(), key=lambda item: -item[1]))
    return ranking_chart("In suspense, by reason", ranked)


urls = [
    path("usage/metrics/", metrics, name="console_usage_metrics"),
    path("usage/metrics/figures/", metrics_figures, name="console_usage_metrics_figures"),
]
